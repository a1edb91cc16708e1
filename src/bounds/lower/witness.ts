import type { Measure } from './measure.ts'
import type { Objective, Singular, Unproven } from './objective.ts'
import { lengthOf, moved } from './point.ts'
import type { Region } from './region.ts'

/** Two points of the domain: the constant is at least |f(x) − f(y)| / |x − y|. */
export interface Witness {
  readonly x: Float64Array
  readonly y: Float64Array
  /** The quotient, rounded down; where it is not proven, less a margin for rounding. */
  readonly value: number
  /** The same of each output alone; empty where it is not proven. */
  readonly outputs: readonly number[]
  /** Why the quotient is not proven; null where it is. */
  readonly unproven: Unproven | null
}

/** The farthest distance that is tried and the nearest, relative to the size of the point. */
const farthest = 1e-2
const nearest = 1e-10
/** Below this, numbers of float32 turn the direction. */
const leastStorable = 1e-5

/** What a quotient may lack of the Jacobian's norm, and what a proof may lack of the quotient. */
const nearly = 1e-3
const wanted = 1e-6
/** What points that float32 holds may cost. */
const good = 1e-4

const mostProofs = 5

/**
 * The best quotient along a direction through a point: far pairs leave the cell of a piecewise linear network, or bend; near
 * ones drown in rounding where others evaluate them. The farthest pair is proven whose plain quotient is nearly the norm of
 * the Jacobian, then nearer ones, as far as the proof lacks something: what it lacks is in proportion with the distance.
 * Null where no pair is in the domain. Cost: two evaluations for each distance, eight for each proof.
 */
export function witnessAlong(
  objective: Objective,
  region: Region,
  measure: Measure,
  x: Float64Array,
  { right, sigma }: Pick<Singular, 'right' | 'sigma'>,
  provenOnly = false,
): Witness | null {
  const size = Math.max(lengthOf(x) / Math.sqrt(x.length), Math.min(region.scale, 1))
  let best: Witness | null = null
  let proofs = 0
  let distance = farthest
  while (distance >= nearest && proofs < mostProofs) {
    const isFar = distance >= leastStorable
    const pair = quotient(objective, region, measure, x, right, distance * size, isFar)
    const isWorth = pair !== null && (pair.value >= sigma * (1 - nearly) || !isFar)
    if (!isWorth) {
      distance /= 10
      continue
    }
    const found = objective.prove(pair.x, pair.y, measure.norm)
    proofs++
    if ('reason' in found && found.isFar && distance > leastStorable) {
      distance /= 1000
      continue
    }
    if ('reason' in found && provenOnly) return best
    if ('reason' in found) return checkedAlong(objective, region, measure, x, right, size, found)
    const { joint: proven, outputs } = found
    if (proven > (best?.value ?? 0) * (1 + good))
      best = { x: pair.x, y: pair.y, value: proven, outputs, unproven: null }
    const lacking = 1 - proven / Math.max(sigma, pair.value)
    if (lacking <= (isFar ? good : wanted)) break
    distance *= Math.min(0.1, Math.max(1e-3, wanted / lacking))
  }
  return best
}

/** Relative rounding that an evaluation of a network makes at the most, with room; no proof. */
const rounding = 2 ** -44

/**
 * A pair whose quotient cannot be proven: it counts with what it gives at a distance and at half of it, less eight times
 * their difference (rounding, which doubles with half the distance, shows there), less the rounding of the values.
 */
function checkedAlong(
  objective: Objective,
  region: Region,
  measure: Measure,
  x: Float64Array,
  right: Float64Array,
  size: number,
  unproven: Unproven,
): Witness | null {
  let best: Witness | null = null
  for (let distance = farthest; distance > 0.5e-6; distance /= 10) {
    const pair = quotient(objective, region, measure, x, right, distance * size, true)
    const nearer = pair && quotient(objective, region, measure, x, right, (distance * size) / 2, true)
    if (pair === null || nearer === null) continue
    const doubt = 8 * Math.abs(pair.value - nearer.value) + Math.max(pair.error, nearer.error)
    const [least] = pair.value < nearer.value ? [pair] : [nearer]
    const value = (least.value - doubt) * (1 - 2 ** -30)
    if (value > (best?.value ?? 0)) best = { x: least.x, y: least.y, value, outputs: [], unproven }
  }
  return best
}

/** The same point in numbers that float32 holds, so that any runtime can be given it, unless that leaves the region. */
function storable(region: Region, x: Float64Array): Float64Array {
  const rounded = x.map(Math.fround)
  const inside = region.project(rounded)
  return rounded.every((value, i) => value === inside[i]) ? rounded : x
}

interface Quotient {
  readonly x: Float64Array
  readonly y: Float64Array
  readonly value: number
  /** What rounding of the values makes of it, about. */
  readonly error: number
}

function quotient(
  objective: Objective,
  region: Region,
  measure: Measure,
  at: Float64Array,
  direction: Float64Array,
  distance: number,
  isStorable: boolean,
): Quotient | null {
  const [x, y] = [distance, -distance].map((step) => {
    const point = region.project(moved(at, step, direction))
    return isStorable ? storable(region, point) : point
  })
  const apart = measure.size(moved(x, -1, y))
  if (!(apart > 0)) return null
  const [fx, fy] = [objective.valueAt(x), objective.valueAt(y)]
  if (fx === null || fy === null) return null
  return {
    x,
    y,
    value: measure.size(moved(fx, -1, fy)) / apart,
    error: (rounding * (measure.size(fx) + measure.size(fy))) / apart,
  }
}
