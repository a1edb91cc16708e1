import { gaussianVector, type Random } from '../../core/random.ts'
import type { Measure } from './measure.ts'
import type { Local, Objective, Singular } from './objective.ts'
import { lengthOf, moved } from './point.ts'
import type { Region } from './region.ts'

/** A point with a pair of singular vectors of its Jacobian, nearly. */
export interface Candidate extends Singular {
  readonly x: Float64Array
}

export interface Climber {
  /** The best point so far. */
  readonly best: Candidate
  climb(): void
}

/** A candidate and the network there. */
interface Stand extends Candidate {
  readonly local: Local
}

/**
 * Walks from a start: along the gradient while that rises, then over kinks and by random steps of all lengths. Points are
 * compared by |J·v| with the vector of the point before, which is all that most of them need; where that rises, a step of
 * the power method follows. A step that falls by less than `patience` of the value is taken, too, so that the walk leaves
 * local maxima. Cost of a step: two products for a point, and two more for one that is taken.
 */
export function createClimber(
  start: Candidate,
  objective: Objective,
  region: Region,
  measure: Measure,
  random: Random,
  patience: number,
  onLook: () => void,
): Climber {
  const size = Math.max(lengthOf(start.x) / Math.sqrt(start.x.length), 0.1 * Math.min(region.scale, 1))
  const reach = size * Math.sqrt(start.x.length)
  let best = start
  let current: Stand | null = null
  let step = 0.3 * reach
  let kinkStep = 0.3 * reach
  let turn = 0
  let isFlat = false

  /** The network at a point, |J·v| for the vector given. */
  function stand(x: Float64Array, right: Float64Array): Stand | null {
    onLook()
    const local = objective.at(x)
    return local && aligned(local, x, right)
  }

  function aligned(local: Local, x: Float64Array, right: Float64Array): Stand | null {
    const image = local.push(right)
    const sigma = measure.size(image)
    if (!(sigma > 0 && sigma < Infinity)) return null
    return { x, sigma, right, left: measure.dual(image), local }
  }

  /** A step of the power method: never less. */
  function sharpened(at: Stand): Stand {
    const back = at.local.pull(at.left)
    const length = lengthOf(back)
    if (!(length > 0 && length < Infinity)) return at
    const sharper = aligned(
      at.local,
      at.x,
      back.map((entry) => entry / length),
    )
    return sharper !== null && sharper.sigma > at.sigma ? sharper : at
  }

  /** ∇σ over a step of the given length, as a unit vector; null where it vanishes. */
  function gradient(at: Stand, length: number): Float64Array | null {
    const [ahead, behind] = [length, -length].map((h) =>
      objective.at(region.project(moved(at.x, h, at.right))),
    )
    if (ahead === null || behind === null) return null
    const slope = moved(ahead.pull(at.left), -1, behind.pull(at.left))
    return lengthOf(slope) > 1e-12 * at.sigma ? unit(slope) : null
  }

  /** The same over kinks that are rounded more or less; null where there are none. */
  function kinkGradient({ local, left, right }: Stand): Float64Array | null {
    const width = 10 ** (0.5 - 2.5 * random.uniform() ** 2)
    const slope = local.kinkSlope(left, right, width)
    return slope !== null && lengthOf(slope) > 0 ? unit(slope) : null
  }

  /** A step of any length: cells of piecewise linear networks are of all sizes. */
  function randomStep(): Float64Array {
    const direction = unit(gaussianVector(start.x.length, random))
    const length = reach * 10 ** (1 - 5 * random.uniform())
    return direction.map((entry) => length * entry)
  }

  /** Whether the value rose; falls within patience are taken as well. */
  function go(from: Stand, x: Float64Array): boolean {
    const rough = stand(region.project(x), from.right)
    if (rough === null || rough.sigma < from.sigma * (1 - patience * random.uniform())) return false
    const found = sharpened(rough)
    current = found
    if (found.sigma > best.sigma)
      best = { x: found.x, sigma: found.sigma, right: found.right, left: found.left }
    return found.sigma > from.sigma * (1 + 1e-12)
  }

  /** Goes on along a direction as long as that rises; how far it went, 0 where the first step did not. */
  function follow(from: Stand, slope: Float64Array, first: number): number {
    let [length, gone] = [first, 0]
    let at = from
    while (go(at, moved(at.x, length, slope))) {
      gone = length
      at = current as Stand
      length *= 1.6
    }
    return gone
  }

  return {
    get best() {
      return best
    },
    climb() {
      current ??= stand(start.x, start.right)
      const from = current
      if (from === null) return
      turn++
      const hasKinks = from.local.kinkCount > 0
      const isKinked = hasKinks && (isFlat ? turn % 4 !== 0 : turn % 4 === 1)
      const kinked = isKinked ? kinkGradient(from) : null
      if (kinked !== null) {
        const gone = follow(from, kinked, kinkStep * 10 ** (0.5 - random.uniform()))
        if (gone > 0) kinkStep = gone
        else kinkStep = kinkStep < 1e-3 * reach ? 2 * reach * random.uniform() : 0.4 * kinkStep
        return
      }
      const isSmooth = !isFlat && turn % 4 !== 0
      const slope = isSmooth ? gradient(from, 0.3 * step) : null
      // within cells of piecewise linear networks there is none
      if (isSmooth && slope === null && hasKinks) isFlat = true
      if (slope === null) {
        go(from, moved(from.x, 1, randomStep()))
        return
      }
      const gone = follow(from, slope, step)
      step = gone > 0 ? gone : step < 1e-5 * reach ? reach * random.uniform() : 0.5 * step
    },
  }
}

function unit(vector: Float64Array): Float64Array {
  const length = lengthOf(vector)
  return vector.map((entry) => entry / length)
}
