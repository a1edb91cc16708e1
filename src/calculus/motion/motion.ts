import type { Tensor } from '../../core/tensor.ts'
import { gamma, unitRoundoff } from '../../linalg/rounding-error.ts'

/**
 * What is proven of a tensor at two points x and y: element by element |value − exact at x| ≤ doubt and
 * |change − (exact at y − exact at x)| ≤ blur. Differences are carried beside values, not taken of them: their errors are
 * relative to the differences, however near the points are.
 */
export interface Motion {
  readonly dims: readonly number[]
  readonly value: Float64Array
  readonly doubt: Float64Array
  /** Null: equal at both points. */
  readonly change: Float64Array | null
  /** Null where `change` is. */
  readonly blur: Float64Array | null
}

/** What sums of nonnegative terms in float64, and a few factors more, lose in proportion; errors are made larger by it. */
const growth = 1 + 2 ** -36
/** More than products that underflow lose in any sum that is short enough to be computed. */
const underflow = 2 ** -1000

/** An error, rounded up: `terms` such as it were added, `roundings` of numbers of that size are covered. */
export function rounded(error: number): number {
  return error * growth + underflow
}

/** |fl(x op y) − x op y| for a result of that size, with room. */
export function roundingOf(result: number): number {
  return 2 * unitRoundoff * Math.abs(result)
}

/** Relative error of sums of `terms` products whose factors may be wrong by 64 roundings. */
export function sumError(terms: number): number {
  return gamma(terms + 64)
}

export function exactMotion({ dims, data }: Pick<Tensor, 'dims' | 'data'>): Motion {
  const value = data instanceof Float64Array ? data : Float64Array.from(data)
  return { dims, value, doubt: new Float64Array(value.length), change: null, blur: null }
}

export function isExact({ doubt, change }: Motion): boolean {
  return change === null && doubt.every((x) => x === 0)
}

/** An input between two points, whose difference is rounded. */
export function movedMotion(dims: readonly number[], from: Float64Array, to: Float64Array | null): Motion {
  const doubt = new Float64Array(from.length)
  if (to === null) return { dims, value: from, doubt, change: null, blur: null }
  const change = from.map((x, i) => to[i] - x)
  return { dims, value: from, doubt, change, blur: change.map((x) => rounded(roundingOf(x))) }
}

/** The same elements in another order: place for place, −1 for a filling number. */
export function selectedMotion(
  { value, doubt, change, blur }: Motion,
  dims: readonly number[],
  places: Int32Array,
  filling = 0,
): Motion {
  const pick = (from: Float64Array, fill: number) =>
    Float64Array.from(places, (place) => (place < 0 ? fill : from[place]))
  return {
    dims,
    value: pick(value, filling),
    doubt: pick(doubt, 0),
    change: change && pick(change, 0),
    blur: blur && pick(blur, 0),
  }
}

/** Whether every number of it is one: infinite values of masks are no error, infinite errors are. */
export function isBounded({ value, doubt, change, blur }: Motion): boolean {
  return (
    !value.some(Number.isNaN) &&
    doubt.every(Number.isFinite) &&
    (change?.every(Number.isFinite) ?? true) &&
    (blur?.every(Number.isFinite) ?? true)
  )
}
