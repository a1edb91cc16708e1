/**
 * The spectral norm of a small matrix A given by sparse rows, bounded from above: with G = AᵀA,
 *
 *     ‖A‖₂² = ‖G‖₂ ≤ ‖|G|‖₂ ≤ max_i (|G|x)_i / x_i   for every x > 0   (Collatz and Wielandt)
 *
 * for any real A; entries of |G| are rounded up with their rounding errors. Power iteration finds the best x. The bound
 * is exact in the limit where G has no negative entries, as for averages and interpolation. Cost: rows × entries² once,
 * and at most `iterations` × nonzero entries of G. The zero matrix and one without rows or columns have the norm 0.
 */
import { addUp, divUp, mulUp, sqrtUp } from '../../core/rounding.ts'

/** Entries of a row: columns, each once, and their weights. */
export interface SparseRow {
  readonly columns: readonly number[]
  readonly weights: readonly number[]
}

const iterations = 200
const unit = 2 ** -52

export function normUpperBound(rows: readonly SparseRow[], columnCount: number): number {
  if (columnCount === 0 || rows.length === 0) return 0
  const gram = absoluteGram(rows, columnCount)
  let best = Infinity
  let x = new Float64Array(columnCount).fill(1)
  for (let step = 0; step < iterations; step++) {
    const image = applied(gram, x)
    const ratio = largestRatio(image, x)
    const gain = best - ratio
    best = Math.min(best, ratio)
    if (gain >= 0 && gain <= best * 1e-14) break
    x = regularized(image)
  }
  return sqrtUp(best)
}

/** Upper bounds of the absolute entries of AᵀA, by row. A sum of n products errs by at most n·2⁻⁵²·Σ|products|. */
function absoluteGram(rows: readonly SparseRow[], columnCount: number): Map<number, number>[] {
  const sums = Array.from(
    { length: columnCount },
    () => new Map<number, [sum: number, size: number, count: number]>(),
  )
  for (const { columns, weights } of rows) {
    for (const [i, column] of columns.entries()) {
      for (const [j, other] of columns.entries()) {
        const [sum, size, count] = sums[column].get(other) ?? [0, 0, 0]
        const product = weights[i] * weights[j]
        sums[column].set(other, [sum + product, size + Math.abs(product), count + 1])
      }
    }
  }
  return sums.map(
    (row) =>
      new Map(
        Array.from(row, ([column, [sum, size, count]]) => [
          column,
          Math.abs(sum) + (count + 2) * unit * size,
        ]),
      ),
  )
}

/** |G|x, every operation rounded up. */
function applied(gram: readonly Map<number, number>[], x: Float64Array): Float64Array {
  return Float64Array.from(gram, (row) => {
    let sum = 0
    for (const [column, entry] of row) sum = addUp(sum, mulUp(entry, x[column]))
    return sum
  })
}

function largestRatio(image: Float64Array, x: Float64Array): number {
  return image.reduce((largest, value, i) => Math.max(largest, divUp(value, x[i])), 0)
}

/** The next positive vector: scaled to at most 1, and kept away from 0 where a column is empty. */
function regularized(image: Float64Array): Float64Array<ArrayBuffer> {
  const largest = image.reduce((most, value) => Math.max(most, value), 0)
  return Float64Array.from(image, (value) => (largest > 0 ? Math.max(value / largest, 1e-9) : 1))
}
