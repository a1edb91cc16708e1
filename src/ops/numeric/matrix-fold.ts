import { stridesOf, type Tensor } from '../../core/tensor.ts'
import { rounderOf } from '../fold/element.ts'
import { copyStrided } from '../fold/strided.ts'
import { affordable } from './affordable.ts'

/**
 * target = a·b as numpy multiplies, sums in float64; null where it takes more multiplications than folding is
 * worth. Cost: elements of the target times the contracted length.
 */
export function multiplyMatrices(a: Tensor, b: Tensor, target: Tensor): Tensor | null {
  const left = asMatrices(a.dims, [1, ...a.dims])
  const right = asMatrices(b.dims, [...b.dims, 1])
  const [rows, inner] = left.slice(-2)
  const columns = right[right.length - 1]
  if (!affordable(target.data.length * inner)) return null
  const batch = target.data.length / Math.max(rows * columns, 1)
  const rank = Math.max(left.length, right.length) - 2
  const batchDims = Array.from({ length: rank }, (_, axis) => {
    return Math.max(dimAt(left, axis - rank - 2), dimAt(right, axis - rank - 2))
  })
  const round = rounderOf(target.type)
  const row = new Float64Array(columns)
  for (let item = 0; item < batch; item++) {
    const startA = batchOffset(left, batchDims, item)
    const startB = batchOffset(right, batchDims, item)
    for (let i = 0; i < rows; i++) {
      row.fill(0)
      for (let k = 0; k < inner; k++) {
        const factor = a.data[startA + i * inner + k]
        const from = startB + k * columns
        for (let j = 0; j < columns; j++) row[j] += factor * b.data[from + j]
      }
      const to = (item * rows + i) * columns
      for (let j = 0; j < columns; j++) target.data[to + j] = round(row[j])
    }
  }
  return target
}

function asMatrices(dims: readonly number[], vector: readonly number[]): readonly number[] {
  return dims.length === 1 ? vector : dims
}

function dimAt(dims: readonly number[], fromEnd: number): number {
  return dims[dims.length + fromEnd] ?? 1
}

/** Where the matrix for the given index of the broadcast batch starts. */
function batchOffset(dims: readonly number[], batchDims: readonly number[], item: number): number {
  const strides = stridesOf(dims)
  let rest = item
  let offset = 0
  for (let axis = batchDims.length - 1; axis >= 0; axis--) {
    const own = axis + dims.length - 2 - batchDims.length
    const index = rest % batchDims[axis]
    rest = Math.floor(rest / batchDims[axis])
    if (own >= 0 && dims[own] !== 1) offset += index * strides[own]
  }
  return offset
}

/** A matrix with its axes swapped, as a tensor of its own. */
export function transposedMatrix(matrix: Tensor): Tensor {
  const [rows, columns] = matrix.dims
  const { data } = matrix
  const result = data instanceof Float32Array ? new Float32Array(data.length) : new Float64Array(data.length)
  const source = { data, offset: 0, strides: [1, columns] }
  copyStrided([columns, rows], source, { data: result, offset: 0, strides: [rows, 1] })
  return { type: matrix.type, dims: [columns, rows], data: result }
}
