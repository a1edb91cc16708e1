/**
 * The spectral norm of a small matrix A given by sparse rows, bounded from above: with G = AᵀA,
 *
 *     ‖A‖₂² = ‖G‖₂ ≤ ‖|G|‖₂ ≤ max_i (|G|x)_i / x_i   for every x > 0   (Collatz and Wielandt)
 *
 * for any real A; entries of |G| are rounded up with their rounding errors. Power iteration finds the best x. The bound
 * is exact in the limit where G has no negative entries, as for averages and interpolation. Without negative weights
 * |G|x is Aᵀ(Ax), at the cost of the entries of A a step; else |G| is formed, at the cost of rows × entries² once. Every
 * step gives a bound, so that large matrices end after a few. The zero matrix and one without rows or columns have the norm 0.
 */
import type { NormName, OtherNorm } from '../../core/norm-name.ts'
import { addUp, divUp, mulUp, sqrtUp } from '../../core/rounding.ts'

/** Entries of a row: columns, each once, and their weights. */
export interface SparseRow {
  readonly columns: readonly number[]
  readonly weights: readonly number[]
}

const iterations = 200
const mostOperations = 2 ** 24
const unit = 2 ** -52

export function normUpperBound(rows: readonly SparseRow[], columnCount: number): number {
  if (columnCount === 0 || rows.length === 0) return 0
  const apply = isNonNegative(rows) ? appliedTwice(rows, columnCount) : appliedGram(rows, columnCount)
  const entries = rows.reduce((sum, { columns }) => sum + columns.length, columnCount)
  const steps = Math.min(iterations, Math.max(2, Math.floor(mostOperations / entries)))
  let best = Infinity
  let x = new Float64Array(columnCount).fill(1)
  for (let step = 0; step < steps; step++) {
    const image = apply(x)
    const [least, largest] = ratios(image, x)
    best = Math.min(best, largest)
    // the least ratio bounds ‖|G|‖₂ from below
    if (least >= best * (1 - 1e-12)) break
    x = regularized(image)
  }
  return sqrtUp(best)
}

/** Upper bounds of the absolute entries of AᵀA, by row. A sum of n products errs by at most n·2⁻⁵²·Σ|products|, and by n least numbers where they underflow. */
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
          Math.abs(sum) + (count + 2) * (unit * size + Number.MIN_VALUE),
        ]),
      ),
  )
}

type Apply = (x: Float64Array) => Float64Array

function isNonNegative(rows: readonly SparseRow[]): boolean {
  return rows.every(({ weights }) => weights.every((weight) => weight >= 0))
}

/** x ↦ Aᵀ(Ax) for A, x ≥ 0, every operation rounded up. */
function appliedTwice(rows: readonly SparseRow[], columnCount: number): Apply {
  return (x) => {
    const image = new Float64Array(columnCount)
    for (const { columns, weights } of rows) {
      let sum = 0
      for (let i = 0; i < columns.length; i++) sum = addUp(sum, mulUp(weights[i], x[columns[i]]))
      for (let i = 0; i < columns.length; i++) {
        image[columns[i]] = addUp(image[columns[i]], mulUp(weights[i], sum))
      }
    }
    return image
  }
}

/** x ↦ |G|x for x ≥ 0, every operation rounded up. */
function appliedGram(rows: readonly SparseRow[], columnCount: number): Apply {
  const gram = absoluteGram(rows, columnCount)
  return (x) =>
    Float64Array.from(gram, (row) => {
      let sum = 0
      for (const [column, entry] of row) sum = addUp(sum, mulUp(entry, x[column]))
      return sum
    })
}

function ratios(image: Float64Array, x: Float64Array): readonly [least: number, largest: number] {
  let [least, largest] = [Infinity, 0]
  for (let i = 0; i < x.length; i++) {
    const ratio = divUp(image[i], x[i])
    least = Math.min(least, ratio)
    largest = Math.max(largest, ratio)
  }
  return [least, largest]
}

/** The next positive vector: scaled to at most 1, and kept away from 0 where a column is empty. */
function regularized(image: Float64Array): Float64Array<ArrayBuffer> {
  const largest = image.reduce((most, value) => Math.max(most, value), 0)
  return Float64Array.from(image, (value) => (largest > 0 ? Math.max(value / largest, 1e-9) : 1))
}

/** ‖A‖_∞ = max over rows of Σ|aᵢⱼ|, ‖A‖₁ = max over columns, rounded up. */
export function inducedUpperBound(rows: readonly SparseRow[], columnCount: number, norm: OtherNorm): number {
  const columns = new Float64Array(columnCount)
  let most = 0
  for (const row of rows) {
    let sum = 0
    for (const [i, column] of row.columns.entries()) {
      const size = Math.abs(row.weights[i])
      sum = addUp(sum, size)
      columns[column] = addUp(columns[column], size)
    }
    most = Math.max(most, sum)
  }
  return norm === 'linf' ? most : columns.reduce((largest, sum) => Math.max(largest, sum), 0)
}

/** The norm of a small matrix in any of the norms. */
export function smallNorm(rows: readonly SparseRow[], columnCount: number, norm: NormName): number {
  return norm === 'l2' ? normUpperBound(rows, columnCount) : inducedUpperBound(rows, columnCount, norm)
}
