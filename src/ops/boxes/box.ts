import { boxLimits } from '../../core/limits.ts'
import { addUp, mulUp, sqrtUp } from '../../core/rounding.ts'
import { type FloatArray, type Shape, stridesOf } from '../../core/tensor.ts'
import { type Box, everything, type Interval } from '../bound.ts'
import { farthest, hull, intersection } from '../rules/interval.ts'

export function countOf(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1)
}

export function emptyBox(dims: readonly number[]): Box {
  const count = countOf(dims)
  return { dims, lo: new Float64Array(count), hi: new Float64Array(count) }
}

/** One interval for all elements of a tensor of that rank. */
export function uniformBox({ lo, hi }: Interval, rank: number): Box {
  return { dims: new Array<number>(rank).fill(1), lo: Float64Array.of(lo), hi: Float64Array.of(hi) }
}

/** The elements themselves; null where they are too many or one is no number. */
export function boxOfElements(dims: readonly number[], elements: FloatArray): Box | null {
  if (elements.length > boxLimits.intervals || elements.length !== countOf(dims)) return null
  if (!elements.every(Number.isFinite)) return null
  const lo = Float64Array.from(elements)
  return { dims, lo, hi: lo }
}

export function isUniform({ dims }: Box): boolean {
  return dims.every((dim) => dim === 1)
}

export function intervalAt({ lo, hi }: Box, i: number): Interval {
  return { lo: lo[i], hi: hi[i] }
}

function put({ lo, hi }: Box, i: number, interval: Interval): void {
  lo[i] = interval.lo
  hi[i] = interval.hi
}

/** The interval that holds every element; `everything` of none. */
export function hullOf(box: Box): Interval {
  let [lo, hi] = [Infinity, -Infinity]
  for (let i = 0; i < box.lo.length; i++) {
    lo = Math.min(lo, box.lo[i])
    hi = Math.max(hi, box.hi[i])
  }
  return lo <= hi ? { lo, hi } : everything
}

/** √Σ sup xᵢ² ≥ ‖x‖₂ of the tensor of that shape, rounded up; Infinity where a shared axis has no known size. */
export function lengthOf(box: Box, shape: Shape): number {
  let sum = 0
  for (let i = 0; i < box.lo.length; i++) {
    const most = farthest(intervalAt(box, i))
    sum = addUp(sum, mulUp(most, most))
  }
  for (const [axis, dim] of shape.entries()) {
    if (box.dims[axis] === dim) continue
    if (dim === null) return Infinity
    sum = mulUp(sum, dim)
  }
  return sqrtUp(sum)
}

/** The image of every interval. */
export function mapBox(box: Box, image: (interval: Interval) => Interval): Box {
  const result = emptyBox(box.dims)
  for (let i = 0; i < result.lo.length; i++) put(result, i, image(intervalAt(box, i)))
  return result
}

/** Position of every element of `dims` in a tensor that broadcasts to it, in row-major order. */
export function placesIn(own: readonly number[], dims: readonly number[]): Int32Array {
  const lead = dims.length - own.length
  const strides = stridesOf(own)
  const positions = new Int32Array(countOf(dims))
  const index = new Array<number>(dims.length).fill(0)
  for (let i = 0; i < positions.length; i++) {
    let at = 0
    for (let axis = 0; axis < own.length; axis++) {
      if (own[axis] !== 1) at += index[lead + axis] * strides[axis]
    }
    positions[i] = at
    for (let axis = dims.length - 1; axis >= 0 && ++index[axis] === dims[axis]; axis--) index[axis] = 0
  }
  return positions
}

/** Broadcast boxes, joined element by element; axes are aligned at the end. Null where they do not broadcast. */
export function zipBoxes(
  boxes: readonly Box[],
  join: (intervals: readonly Interval[]) => Interval,
): Box | null {
  const rank = Math.max(...boxes.map(({ dims }) => dims.length))
  const dims = new Array<number>(rank).fill(1)
  for (const box of boxes) {
    for (const [axis, dim] of box.dims.entries()) {
      const at = rank - box.dims.length + axis
      if (dim !== 1 && dims[at] !== 1 && dims[at] !== dim) return null
      if (dim !== 1) dims[at] = dim
    }
  }
  const fitting = fittingDims(dims)
  const fitted = boxes.map((box) => sharedTo(box, fitting.slice(rank - box.dims.length)))
  const result = emptyBox(fitting)
  const positions = fitted.map((box) => placesIn(box.dims, fitting))
  for (let i = 0; i < result.lo.length; i++) {
    put(result, i, join(fitted.map((box, k) => intervalAt(box, positions[k][i]))))
  }
  return result
}

/** Some of the dims set to 1, so that few enough intervals are left: the smallest axis that does, else the largest. */
export function fittingDims(dims: readonly number[]): number[] {
  const result = [...dims]
  for (let count = countOf(result); count > boxLimits.intervals; count = countOf(result)) {
    const enough = result.filter((dim) => dim > 1 && count / dim <= boxLimits.intervals)
    const dim = enough.length > 0 ? Math.min(...enough) : Math.max(...result)
    result[result.lastIndexOf(dim)] = 1
  }
  return result
}

/** Joins the intervals along every axis where `dims` is 1. */
export function sharedTo(box: Box, dims: readonly number[]): Box {
  const target = box.dims.map((dim, axis) => (dims[axis] === 1 ? 1 : dim))
  if (target.every((dim, axis) => dim === box.dims[axis])) return box
  const result = emptyBox(target)
  result.lo.fill(Infinity)
  result.hi.fill(-Infinity)
  const positions = placesIn(target, box.dims)
  for (let i = 0; i < positions.length; i++) {
    const at = positions[i]
    result.lo[at] = Math.min(result.lo[at], box.lo[i])
    result.hi[at] = Math.max(result.hi[at], box.hi[i])
  }
  return result
}

/** An interval of its own for every element along the given axes; null where a size is not known or they are too many. */
export function spreadBox(box: Box, shape: Shape, axes: readonly number[]): Box | null {
  const dims = box.dims.map((dim, axis) => (axes.includes(axis) ? (shape[axis] ?? Number.NaN) : dim))
  if (!(countOf(dims) <= boxLimits.intervals)) return null
  const result = emptyBox(dims)
  const positions = placesIn(box.dims, dims)
  for (let i = 0; i < positions.length; i++) put(result, i, intervalAt(box, positions[i]))
  return result
}

/** What both hold. */
export function narrowed(box: Box, range: Interval): Box {
  return mapBox(box, (own) => intersection(own, range))
}

/** Boxes side by side along an axis; where others have more intervals along another axis, they are spread. */
export function joinedAlong(axis: number, parts: readonly { box: Box; shape: Shape }[]): Box | null {
  const rank = parts[0].box.dims.length
  const fine = Array.from({ length: rank }, (_, at) => at).filter(
    (at) => at !== axis && parts.some(({ box }) => box.dims[at] !== 1),
  )
  const spread = parts.map(({ box, shape }) => spreadBox(box, shape, [...fine, axis]))
  if (spread.includes(null)) return null
  const boxes = spread as Box[]
  const dims = boxes[0].dims.with(
    axis,
    boxes.reduce((sum, box) => sum + box.dims[axis], 0),
  )
  if (countOf(dims) > boxLimits.intervals) return null
  const result = emptyBox(dims)
  const outer = countOf(dims.slice(0, axis))
  let start = 0
  for (const box of boxes) {
    const run = countOf(box.dims.slice(axis))
    for (let row = 0; row < outer; row++) {
      const to = row * countOf(dims.slice(axis)) + start
      result.lo.set(box.lo.subarray(row * run, (row + 1) * run), to)
      result.hi.set(box.hi.subarray(row * run, (row + 1) * run), to)
    }
    start += run
  }
  return result
}

/** The hull of several boxes of one shape. */
export function hullOfBoxes(boxes: readonly Box[]): Box | null {
  return zipBoxes(boxes, (intervals) => intervals.reduce(hull))
}
