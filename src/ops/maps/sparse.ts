import type { LinearMap } from '../linear-map.ts'

/** A matrix with few entries in each row: row r holds entries `starts[r]` to `starts[r + 1]`. */
export interface SparseMatrix {
  readonly columns: number
  readonly starts: Int32Array
  readonly places: Int32Array
  readonly weights: Float64Array
}

/** A matrix from its rows, each a list of (column, weight). */
export function sparseMatrix(
  columns: number,
  rows: readonly { readonly columns: readonly number[]; readonly weights: readonly number[] }[],
): SparseMatrix {
  const starts = new Int32Array(rows.length + 1)
  rows.forEach((row, i) => {
    starts[i + 1] = starts[i] + row.columns.length
  })
  const places = new Int32Array(starts[rows.length])
  const weights = new Float64Array(starts[rows.length])
  rows.forEach((row, i) => {
    places.set(row.columns, starts[i])
    weights.set(row.weights, starts[i])
  })
  return { columns, starts, places, weights }
}

/**
 * The Kronecker product of one matrix per axis (null: the identity), applied to the tensor at input 0 axis by axis:
 * what separable operators such as interpolation and averages are. Cost: for each axis, the entries of its matrix
 * times the other axes.
 */
export function separableMap(
  inputCount: number,
  dims: readonly number[],
  matrices: readonly (SparseMatrix | null)[],
): LinearMap {
  const outDims = dims.map((dim, axis) => rowsOf(matrices[axis]) ?? dim)
  return {
    apply: ([change]) => {
      if (!change) return [null]
      let data = change
      let current = dims
      matrices.forEach((matrix, axis) => {
        if (matrix === null) return
        data = alongAxis(data, current, axis, matrix, false)
        current = current.with(axis, outDims[axis])
      })
      return [data]
    },
    applyAdjoint: ([change]) => {
      const results = new Array<Float64Array | null>(inputCount).fill(null)
      if (!change) return results
      let data = change
      let current: readonly number[] = outDims
      matrices.forEach((matrix, axis) => {
        if (matrix === null) return
        data = alongAxis(data, current, axis, matrix, true)
        current = current.with(axis, dims[axis])
      })
      results[0] = data
      return results
    },
    absolute: () => {
      const sizes = matrices.map((matrix) => matrix && { ...matrix, weights: matrix.weights.map(Math.abs) })
      const terms = matrices.reduce((sum, matrix) => sum + (matrix === null ? 0 : longestRow(matrix)), 1)
      return { apply: separableMap(inputCount, dims, sizes).apply, terms }
    },
  }
}

function longestRow({ starts }: SparseMatrix): number {
  let longest = 0
  for (let row = 1; row < starts.length; row++) longest = Math.max(longest, starts[row] - starts[row - 1])
  return longest
}

const rowsOf = (matrix: SparseMatrix | null | undefined) => (matrix ? matrix.starts.length - 1 : null)

function alongAxis(
  data: Float64Array,
  dims: readonly number[],
  axis: number,
  matrix: SparseMatrix,
  transposed: boolean,
): Float64Array {
  const { starts, places, weights } = matrix
  const rows = starts.length - 1
  const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1)
  const outer = dims.slice(0, axis).reduce((product, dim) => product * dim, 1)
  const [from, to] = transposed ? [rows, matrix.columns] : [matrix.columns, rows]
  const out = new Float64Array(outer * to * inner)
  for (let block = 0; block < outer; block++) {
    for (let row = 0; row < rows; row++) {
      for (let entry = starts[row]; entry < starts[row + 1]; entry++) {
        const [source, target] = transposed ? [row, places[entry]] : [places[entry], row]
        const read = (block * from + source) * inner
        const write = (block * to + target) * inner
        for (let i = 0; i < inner; i++) out[write + i] += weights[entry] * data[read + i]
      }
    }
  }
  return out
}
