import { scoped } from '../../linalg/arena.ts'
import { certifyBound } from '../sdp/certificate.ts'
import { descend } from '../sdp/descent.ts'
import { createObjective } from '../sdp/objective.ts'
import { costOfEvaluation, type SdpProblem } from '../sdp/problem.ts'
import type { Relaxation } from './relaxation.ts'

export interface CellBoundOptions {
  /** ln of multipliers to begin with, one for each free neuron; null: from closed form. */
  readonly start: Float64Array | null
  /** A bound that is low enough. */
  readonly enough: number
  readonly evaluations: number
}

export interface CellBound {
  /** Proven: no Jacobian in the cell is longer. Infinity where nothing is. */
  readonly bound: number
  readonly multipliers: Float64Array | null
  /** Multiply-adds, about. */
  readonly cost: number
}

const ROOM = [1e-10, 1e-8, 1e-6, 1e-4, 0.03]
const STAGES = [2e-3, 2e-4, 2e-5]
/** What calls cost beside multiply-adds. */
const OVERHEAD = 2e4

/** The SDP bound of the network in a cell: one Cholesky factorisation proves it, also where no neuron is free. */
export function boundCell({ problem, free }: Relaxation, options: CellBoundOptions): CellBound {
  if (free.length === 0 && isZero(problem))
    return { bound: errorOf(problem), multipliers: null, cost: OVERHEAD }
  const price = costOfEvaluation(problem) + OVERHEAD
  let used = 0
  const best: { lipschitz: number; point: Float64Array }[] = []
  let stored: Float64Array | null = null
  scoped(() => {
    const objective = createObjective(problem)
    const keep = (point: Float64Array, lipschitz: number) => {
      if (lipschitz < (best[0]?.lipschitz ?? Infinity)) best.unshift({ lipschitz, point: point.slice() })
      best.length = Math.min(best.length, 3)
    }
    if (free.length === 0) {
      keep(new Float64Array(0), objective.evaluate(new Float64Array(0), 0).lipschitz)
      used++
      return
    }
    let last = Infinity
    const evaluate = (point: Float64Array, barrier: number) => {
      const found = objective.evaluate(point, barrier)
      used++
      last = found.lipschitz
      return found
    }
    let first = options.start
    if (first !== null) keep(first, evaluate(first, 0).lipschitz)
    if (first === null || last === Infinity) {
      first = objective.start()
      used += 4
      if (first === null) return
      keep(first, evaluate(first, 0).lipschitz)
    }
    if (last <= options.enough) return
    stored = first
    descend(evaluate, first, {
      stages: STAGES.map((barrier) => ({ barrier: barrier / free.length, steps: 12 })),
      evaluations: options.evaluations,
      expired: () => best[0].lipschitz <= options.enough,
      onPoint: (point) => {
        keep(point, last)
        stored = point
      },
    })
  })
  const cost = (used + 1) * price
  for (const { lipschitz, point } of best) {
    if (!Number.isFinite(lipschitz)) continue
    const squares = ROOM.map((room) => lipschitz * lipschitz * (1 + room))
    const proven = scoped(() => certifyBound(problem, point, squares))
    if (proven !== null) return { bound: proven, multipliers: best[0].point ?? stored, cost }
  }
  return { bound: Infinity, multipliers: null, cost }
}

function isZero({ output }: SdpProblem): boolean {
  return output.reads.every(({ data }) => data.every((value) => value === 0))
}

/** The norm of what is computed as zero, at most. */
function errorOf({ output }: SdpProblem): number {
  return output.reads.reduce((sum, { error }) => sum + error, 0)
}
