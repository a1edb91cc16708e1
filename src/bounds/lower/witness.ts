import type { Objective, Singular } from './objective.ts'
import { lengthOf, moved } from './point.ts'
import type { Region } from './region.ts'

/** Two points of the domain: the constant is at least |f(x) − f(y)| / |x − y|. */
export interface Witness {
  readonly x: Float64Array
  readonly y: Float64Array
  /** The quotient, less what rounding may have added. */
  readonly value: number
}

/** Distances that are tried, relative to the size of the point: where curvature and rounding are both small. */
const distances = [1e-2, 1e-3, 1e-4, 1e-5, 1e-6]

/** Relative rounding that an evaluation of a network makes at the most, with room. */
const rounding = 2 ** -44

/**
 * The best quotient along a direction through a point, from pairs at several distances. A pair counts with what it
 * gives at that distance and at half of it, less eight times their difference: rounding, which doubles with half the
 * distance, shows there, and so does curvature; and less the rounding of the values themselves. Null where no pair is
 * in the domain. Cost: four evaluations for each distance.
 */
export function witnessAlong(
  objective: Objective,
  region: Region,
  x: Float64Array,
  { right, sigma }: Pick<Singular, 'right' | 'sigma'>,
): Witness | null {
  const size = Math.max(lengthOf(x) / Math.sqrt(x.length), Math.min(region.scale, 1))
  let best: Witness | null = null
  for (const distance of distances) {
    const pair = quotient(objective, region, x, right, distance * size)
    const nearer = pair && quotient(objective, region, x, right, (distance * size) / 2)
    if (pair === null || nearer === null) continue
    const doubt = 8 * Math.abs(pair.value - nearer.value) + Math.max(pair.error, nearer.error)
    const [least] = pair.value < nearer.value ? [pair] : [nearer]
    const value = (least.value - doubt) * (1 - 2 ** -30)
    if (value > (best?.value ?? 0)) best = { x: least.x, y: least.y, value }
    if (best !== null && best.value > sigma * (1 - 1e-8)) break
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
  /** What rounding of the values makes of it at the most. */
  readonly error: number
}

function quotient(
  objective: Objective,
  region: Region,
  at: Float64Array,
  direction: Float64Array,
  distance: number,
): Quotient | null {
  const [x, y] = [distance, -distance].map((step) =>
    storable(region, region.project(moved(at, step, direction))),
  )
  const apart = lengthOf(moved(x, -1, y))
  if (!(apart > 0)) return null
  const [fx, fy] = [objective.at(x)?.value, objective.at(y)?.value]
  if (fx === undefined || fy === undefined) return null
  return {
    x,
    y,
    value: lengthOf(moved(fx, -1, fy)) / apart,
    error: (rounding * (lengthOf(fx) + lengthOf(fy))) / apart,
  }
}
