import { scoped } from '../../linalg/arena.ts'
import { certifyBound } from './certificate.ts'
import { descend } from './descent.ts'
import { createObjective } from './objective.ts'
import { costOfEvaluation, type SdpProblem } from './problem.ts'

export interface SdpOptions {
  /** Multiply-adds that the descent may cost. */
  readonly budget: number
  /** Multiply-adds that are enough: few evaluations suffice where each takes long. */
  readonly enough: number
  /** Evaluations at the most. */
  readonly most: number
  readonly expired?: () => boolean
}

/** Weights of the barrier, times the number of multipliers, and the steps of each stage. */
const STAGES = [
  [0.1, 40],
  [0.02, 25],
  [4e-3, 25],
  [8e-4, 25],
  [1e-4, 30],
  [1e-5, 40],
] as const

/** Evaluations that bring most of what there is to gain. */
export const FEW = 31

/** Beyond what is enough the descent ends when so many evaluations have gained no more than this. */
const [LATELY, LITTLE] = [6, 0.01]

/** How far above what was computed the proof may start, relatively. */
const ROOM = [1e-9, 1e-7, 1e-5, 1e-3, 0.03]

/**
 * A proven bound of |Δy| / |Δx| by descent on the multipliers of the SDP, from closed form; null where no point is
 * found, or none can be proven. Deterministic: the same budget gives the same bound.
 */
export function sdpBound(problem: SdpProblem, { budget, enough, most, expired }: SdpOptions): number | null {
  const cost = costOfEvaluation(problem)
  const evaluations = Math.floor(Math.min(budget / cost, Math.max(FEW, Math.min(enough / cost, most))))
  if (evaluations < 2) return null
  const best: { lipschitz: number; point: Float64Array }[] = []
  scoped(() => {
    const objective = createObjective(problem)
    const first = objective.start()
    if (first === null) return
    const keep = (point: Float64Array, lipschitz: number) => {
      if (lipschitz < (best[0]?.lipschitz ?? Infinity)) best.unshift({ lipschitz, point: point.slice() })
      best.length = Math.min(best.length, 4)
    }
    keep(first, objective.evaluate(first, 0).lipschitz)
    let last = Infinity
    const course: number[] = []
    const hasSettled = () =>
      course.length * cost > enough && course.at(-1)! > (course.at(-1 - LATELY) ?? Infinity) * (1 - LITTLE)
    descend(
      (point, barrier) => {
        const found = objective.evaluate(point, barrier)
        last = found.lipschitz
        course.push(Math.min(last, course.at(-1) ?? Infinity))
        return found
      },
      first,
      {
        stages: STAGES.map(([barrier, steps]) => ({ barrier: barrier / Math.max(1, objective.size), steps })),
        evaluations,
        onPoint: (point) => keep(point, last),
        expired: () => hasSettled() || expired?.() === true,
      },
    )
  })
  for (const { lipschitz, point } of best) {
    const squares = ROOM.map((room) => lipschitz * lipschitz * (1 + room))
    const proven = scoped(() => certifyBound(problem, point, squares))
    if (proven !== null) return proven
  }
  return null
}
