import { gamma, outward } from './rounding-error.ts'

/** The Gram matrix of the smaller side of A: AᵀA or AAᵀ, whichever is smaller; full, row-major, symmetric. */
export interface Gram {
  readonly order: number
  readonly data: Float64Array
  /** ‖computed − exact‖₂ is at most this. */
  readonly error: number
}

/** Rows of the smaller side in float64: A itself where rows ≤ columns, else its transpose. */
function smallerSide(rows: number, columns: number, data: Float32Array | Float64Array): Float64Array {
  if (rows <= columns) return Float64Array.from(data)
  const transposed = new Float64Array(rows * columns)
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) transposed[j * rows + i] = data[i * columns + j]
  return transposed
}

/**
 * Computes the Gram matrix of A (rows × columns, row-major) in float64. Each entry is a sum of `length` products:
 * |Ĝ − G| ≤ γ |A|ᵀ|A| elementwise, so ‖Ĝ − G‖₂ ≤ γ_length ‖A‖_F², in whatever order the sums run.
 *
 * Cost: order² · length flops. Products may not underflow: scale A so that its largest entry is near 1.
 */
export function gramMatrix(
  rows: number,
  columns: number,
  data: Float32Array | Float64Array,
  frobenius: number,
): Gram {
  const order = Math.min(rows, columns)
  const length = Math.max(rows, columns)
  const side = smallerSide(rows, columns, data)
  const gram = new Float64Array(order * order)
  for (let i = 0; i < order; i += 2) {
    const second = Math.min(i + 1, order - 1) * length
    for (let j = 0; j <= i; j += 2) {
      const fourth = Math.min(j + 1, order - 1) * length
      let a = 0
      let b = 0
      let c = 0
      let d = 0
      for (
        let k = 0, p = i * length, q = second, r = j * length, s = fourth;
        k < length;
        k++, p++, q++, r++, s++
      ) {
        a += side[p] * side[r]
        b += side[p] * side[s]
        c += side[q] * side[r]
        d += side[q] * side[s]
      }
      const lastRow = i + 1 < order
      const lastColumn = j + 1 < order
      gram[i * order + j] = gram[j * order + i] = a
      if (lastColumn) gram[i * order + j + 1] = gram[(j + 1) * order + i] = b
      if (lastRow) gram[(i + 1) * order + j] = gram[j * order + i + 1] = c
      if (lastRow && lastColumn) gram[(i + 1) * order + j + 1] = gram[(j + 1) * order + i + 1] = d
    }
  }
  return { order, data: gram, error: outward(gamma(length) * frobenius * frobenius) }
}
