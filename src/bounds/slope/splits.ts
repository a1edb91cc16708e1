import { mulUp, sqrtUp } from '../../core/rounding.ts'
import type { Box, Interval } from '../../ops/bound.ts'
import type { Slopes } from '../../ops/slopes/slopes.ts'

/** Secants [α, β] of all elements of an activation: one pair for all, or one for each. */
export interface SlopeRange {
  readonly lo: number | Float64Array
  readonly hi: number | Float64Array
}

/** Where the elements of a tensor lie: all in one interval, and each in one of its own where that is known. */
export interface ElementRanges {
  readonly whole: Interval
  readonly box: Box | null
}

/** The secants of each element over its range; null where one has no bound. */
export function slopeRange(
  slopes: Slopes,
  { whole, box }: ElementRanges,
  dims: readonly number[],
): SlopeRange | null {
  const all = slopes(whole)
  const isBounded = Number.isFinite(all.lo) && Number.isFinite(all.hi)
  if (box === null || box.lo.length === 1) return isBounded ? all : null
  const size = dims.reduce((product, dim) => product * dim, 1)
  const [own, spread] = [new Array<Interval>(box.lo.length), placesOf(box.dims, dims, size)]
  for (let i = 0; i < own.length; i++) own[i] = slopes({ lo: box.lo[i], hi: box.hi[i] })
  if (own.some(({ lo, hi }) => !(Number.isFinite(lo) && Number.isFinite(hi)))) return isBounded ? all : null
  const [lo, hi] = [new Float64Array(size), new Float64Array(size)]
  for (let i = 0; i < size; i++) {
    const interval = own[spread === null ? i : spread[i]]
    lo[i] = interval.lo
    hi[i] = interval.hi
  }
  if (lo.every((value) => value === lo[0]) && hi.every((value) => value === hi[0]))
    return { lo: lo[0], hi: hi[0] }
  return { lo, hi }
}

/** The ranges as a box with an interval for each element. */
export function fullBox({ whole, box }: ElementRanges, dims: readonly number[]): Box {
  const size = dims.reduce((product, dim) => product * dim, 1)
  if (box === null) {
    return { dims, lo: new Float64Array(size).fill(whole.lo), hi: new Float64Array(size).fill(whole.hi) }
  }
  const places = placesOf(box.dims, dims, size)
  if (places === null) return box
  return {
    dims,
    lo: Float64Array.from(places, (place) => box.lo[place]),
    hi: Float64Array.from(places, (place) => box.hi[place]),
  }
}

/** For each element the one of the box that it shares; null where each has its own. */
function placesOf(dims: readonly number[], full: readonly number[], size: number): Int32Array | null {
  if (dims.length === full.length && dims.every((dim, axis) => dim === full[axis])) return null
  const places = new Int32Array(size)
  const strides: number[] = new Array(full.length).fill(0)
  let stride = 1
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    strides[axis + full.length - dims.length] = dims[axis] === 1 ? 0 : stride
    stride *= dims[axis]
  }
  for (let i = 0; i < size; i++) {
    let rest = i
    for (let axis = full.length - 1; axis >= 0; axis--) {
      places[i] += (rest % full[axis]) * strides[axis]
      rest = Math.floor(rest / full[axis])
    }
  }
  return places
}

/** C = (α + β)/2 and √R with R ≥ β − C and R ≥ C − α, rounded up. */
export function centred({ lo, hi }: SlopeRange): {
  center: number | Float64Array
  root: number | Float64Array
} {
  const rootOf = (low: number, high: number, center: number) =>
    low === high ? 0 : sqrtUp(mulUp(Math.max(high - center, center - low), 1 + 2 ** -50))
  if (typeof lo === 'number' || typeof hi === 'number') {
    const [low, high] = [lo as number, hi as number]
    const center = low + (high - low) / 2
    return { center, root: rootOf(low, high, center) }
  }
  const center = lo.map((low, i) => low + (hi[i] - low) / 2)
  return { center, root: center.map((middle, i) => rootOf(lo[i], hi[i], middle)) }
}
