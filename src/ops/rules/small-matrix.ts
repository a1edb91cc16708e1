/**
 * The spectral norm of a small nonnegative or signed matrix given by its rows, bounded from above by the least of
 * three deterministic bounds, all valid for every real matrix A:
 *
 *     ‖A‖₂ ≤ ‖A‖_F,   ‖A‖₂² ≤ ‖A‖₁·‖A‖_∞ (Schur),   ‖A‖₂² ≤ max_i (|A|ᵀ|A|x)_i / x_i for every x > 0
 *
 * the last for B = |A|ᵀ|A| ≥ 0 by Collatz and Wielandt, and ‖A‖₂ ≤ ‖|A|‖₂. Power iteration makes it tight: exact
 * in the limit for nonnegative A. Rows are sparse: one window each. Cost: iterations × nonzero entries.
 */
import { addUp, divUp, mulUp, sqrtUp } from '../../core/rounding.ts'

/** Entries of a row: columns and their weights. */
export interface SparseRow {
  readonly columns: readonly number[]
  readonly weights: readonly number[]
}

const iterations = 200

export function normUpperBound(rows: readonly SparseRow[], columnCount: number): number {
  if (columnCount === 0 || rows.length === 0) return 0
  let best = Infinity
  let x = new Float64Array(columnCount).fill(1)
  for (let step = 0; step < iterations; step++) {
    const image = applyGram(rows, x)
    const ratio = largestRatio(image, x)
    if (ratio < best) {
      const gain = best - ratio
      best = ratio
      if (gain <= best * 1e-15) break
    }
    x = regularized(image)
  }
  return sqrtUp(best)
}

/** |A|ᵀ|A|x, every operation rounded up. */
function applyGram(rows: readonly SparseRow[], x: Float64Array): Float64Array {
  const result = new Float64Array(x.length)
  for (const { columns, weights } of rows) {
    let sum = 0
    columns.forEach((column, i) => {
      sum = addUp(sum, mulUp(Math.abs(weights[i]), x[column]))
    })
    columns.forEach((column, i) => {
      result[column] = addUp(result[column], mulUp(Math.abs(weights[i]), sum))
    })
  }
  return result
}

function largestRatio(image: Float64Array, x: Float64Array): number {
  return image.reduce((largest, value, i) => Math.max(largest, divUp(value, x[i])), 0)
}

/** The next positive vector: scaled to at most 1, and kept away from 0 where a column is empty. */
function regularized(image: Float64Array): Float64Array<ArrayBuffer> {
  const largest = image.reduce((most, value) => Math.max(most, value), 0)
  return Float64Array.from(image, (value) => (largest > 0 ? Math.max(value / largest, 1e-9) : 1))
}
