import type { FloatArray } from '../../core/tensor.ts'

/** Elements of an array seen as a tensor: element (i₀, …) stands at offset + Σ iₐ·strides[a]. */
export interface View {
  readonly data: FloatArray
  readonly offset: number
  readonly strides: readonly number[]
}

/** Side of the square tiles in which a transposition is copied: both sides of a tile stay in the cache. */
const tileSide = 32

/**
 * Visits a tensor of the given dims row by row, in row-major order: `visit(starts, steps, length)` names, for each
 * of the strided views, where the row starts and how far its elements stand apart. Axes that are contiguous in
 * all views are merged first, so rows are as long as the layout allows. Cost: one call per row.
 */
export function eachRow(
  dims: readonly number[],
  views: readonly { readonly offset: number; readonly strides: readonly number[] }[],
  visit: (starts: readonly number[], steps: readonly number[], length: number) => void,
): void {
  if (dims.includes(0)) return
  const merged = mergeAxes(
    dims,
    views.map((view) => view.strides),
  )
  const last = merged.dims.length - 1
  const length = last < 0 ? 1 : merged.dims[last]
  const steps = merged.strides.map((strides) => (last < 0 ? 0 : strides[last]))
  eachIndex(
    merged.dims.slice(0, Math.max(last, 0)),
    merged.strides,
    views.map((view) => view.offset),
    (starts) => visit(starts, steps, length),
  )
}

/** Copies a tensor of the given dims from one view to another; the views must not overlap. */
export function copyStrided(dims: readonly number[], source: View, target: View): void {
  if (dims.includes(0)) return
  const merged = mergeAxes(dims, [source.strides, target.strides])
  const last = merged.dims.length - 1
  const [from, to] = merged.strides
  const tiled = from.findIndex((stride, axis) => axis < last && stride === 1 && merged.dims[axis] > 1)
  if (tiled >= 0 && from[last] > 1 && to[last] === 1) {
    copyTiled(merged.dims, from, to, tiled, source, target)
    return
  }
  eachRow(dims, [source, target], ([a, b], [stepA, stepB], length) => {
    if (stepA === 1 && stepB === 1) target.data.set(source.data.subarray(a, a + length), b)
    else if (stepA === 0 && stepB === 1) target.data.fill(source.data[a], b, b + length)
    else for (let i = 0; i < length; i++) target.data[b + i * stepB] = source.data[a + i * stepA]
  })
}

/** Transposing copy: reads run along axis `tiled`, writes along the last axis. */
function copyTiled(
  dims: readonly number[],
  from: readonly number[],
  to: readonly number[],
  tiled: number,
  source: View,
  target: View,
): void {
  const last = dims.length - 1
  const outer = dims.map((dim, axis) => (axis === tiled || axis === last ? 1 : dim))
  const rows = dims[tiled]
  const columns = dims[last]
  eachIndex(outer, [from, to], [source.offset, target.offset], ([a, b]) => {
    for (let row = 0; row < rows; row += tileSide) {
      const rowEnd = Math.min(rows, row + tileSide)
      for (let column = 0; column < columns; column += tileSide) {
        const columnEnd = Math.min(columns, column + tileSide)
        for (let i = row; i < rowEnd; i++) {
          let read = a + i + column * from[last]
          let write = b + i * to[tiled] + column
          for (let j = column; j < columnEnd; j++) {
            target.data[write++] = source.data[read]
            read += from[last]
          }
        }
      }
    }
  })
}

/** Visits every index of `dims` in row-major order with its position in each view. */
function eachIndex(
  dims: readonly number[],
  strides: readonly (readonly number[])[],
  offsets: readonly number[],
  visit: (positions: readonly number[]) => void,
): void {
  const index = new Array<number>(dims.length).fill(0)
  const positions = [...offsets]
  for (;;) {
    visit(positions)
    let axis = dims.length - 1
    for (; axis >= 0; axis--) {
      index[axis]++
      for (let view = 0; view < positions.length; view++) positions[view] += strides[view][axis]
      if (index[axis] < dims[axis]) break
      for (let view = 0; view < positions.length; view++) positions[view] -= strides[view][axis] * dims[axis]
      index[axis] = 0
    }
    if (axis < 0) return
  }
}

/** Drops axes of length 1 and joins neighbours that are contiguous in every view. */
function mergeAxes(dims: readonly number[], strides: readonly (readonly number[])[]) {
  const mergedDims: number[] = []
  const mergedStrides: number[][] = strides.map(() => [])
  for (let axis = 0; axis < dims.length; axis++) {
    if (dims[axis] === 1) continue
    const previous = mergedDims.length - 1
    const contiguous =
      previous >= 0 && strides.every((view, i) => mergedStrides[i][previous] === view[axis] * dims[axis])
    if (contiguous) {
      mergedDims[previous] *= dims[axis]
      for (let i = 0; i < strides.length; i++) mergedStrides[i][previous] = strides[i][axis]
    } else {
      mergedDims.push(dims[axis])
      for (let i = 0; i < strides.length; i++) mergedStrides[i].push(strides[i][axis])
    }
  }
  return { dims: mergedDims, strides: mergedStrides }
}
