/**
 * A symmetric tridiagonal matrix T with nonnegative entries, as the Lanczos process builds it row by row:
 * `diagonal[i]`, and `offDiagonal[i]` between rows i and i + 1.
 */
export interface Tridiagonal {
  readonly order: number
  readonly diagonal: Float64Array
  readonly offDiagonal: Float64Array
}

/**
 * Solves (tI − T) x = b in O(order) by elimination from the last row up. Returns false, with x undefined, unless
 * every pivot is positive, which holds exactly for t above the largest eigenvalue. For b ≥ 0 all intermediate
 * results but the pivots are sums and products of nonnegative numbers: the computed x is the exact one for some t
 * within 8 units in the last place.
 */
export function solveShifted(
  matrix: Tridiagonal,
  t: number,
  b: Float64Array,
  x: Float64Array,
  pivots: Float64Array,
): boolean {
  const { order, diagonal, offDiagonal } = matrix
  const last = order - 1
  let pivot = t - diagonal[last]
  if (!(pivot > 0)) return false
  pivots[last] = pivot
  x[last] = b[last]
  for (let i = last - 1; i >= 0; i--) {
    const factor = offDiagonal[i] / pivot
    pivot = t - diagonal[i] - offDiagonal[i] * factor
    if (!(pivot > 0)) return false
    pivots[i] = pivot
    x[i] = b[i] + factor * x[i + 1]
  }
  x[0] /= pivots[0]
  for (let i = 1; i < order; i++) x[i] = (x[i] + offDiagonal[i - 1] * x[i - 1]) / pivots[i]
  return true
}

/**
 * The pivot of the first row in the elimination of tI − T from the last row up, and its derivative by t, in `out`;
 * false unless the pivots of all other rows are positive. As a function of t it is increasing and concave above the
 * eigenvalues of T without its first row, and the largest eigenvalue of T is its only zero there.
 */
function firstPivot(matrix: Tridiagonal, t: number, out: Float64Array): boolean {
  const { order, diagonal, offDiagonal } = matrix
  let pivot = t - diagonal[order - 1]
  let slope = 1
  for (let i = order - 2; i >= 0; i--) {
    if (!(pivot > 0)) return false
    const factor = offDiagonal[i] / pivot
    slope = 1 + factor * factor * slope
    pivot = t - diagonal[i] - factor * offDiagonal[i]
  }
  out[0] = pivot
  out[1] = slope
  return true
}

const pivotAndSlope = new Float64Array(2)

/**
 * The largest eigenvalue to the last bits, not below `floor`, which is known to be none above it: Newton's method on
 * the first pivot, which approaches from below, inside a bracket that is halved where Newton leaves it.
 */
export function largestEigenvalue(matrix: Tridiagonal, floor = 0): number {
  let low = floor
  let high = 0
  for (let i = 0; i < matrix.order; i++) {
    const left = i > 0 ? matrix.offDiagonal[i - 1] : 0
    const right = i + 1 < matrix.order ? matrix.offDiagonal[i] : 0
    low = Math.max(low, matrix.diagonal[i])
    high = Math.max(high, matrix.diagonal[i] + left + right)
  }
  let t = low
  while (high - low > 2 ** -51 * high) {
    const defined = firstPivot(matrix, t, pivotAndSlope)
    const [pivot, slope] = pivotAndSlope
    if (defined && pivot > 0) high = t
    else low = t
    const newton = defined ? t - pivot / slope : Number.NaN
    // a step beyond the last digits from the side of Newton's method proves that the zero is next to it
    t = newton > low && newton < high ? Math.min(newton + 2 ** -52 * newton, high) : low + (high - low) / 2
    if (t === low || t === high) break
  }
  return high
}

/** How often the shift is moved away from an eigenvalue that it hits; more happens to matrices of no numbers alone. */
const moves = 200

/** A unit eigenvector to the largest eigenvalue, by inverse iteration from just above it; any vector where there is none. */
export function topEigenvector(matrix: Tridiagonal, eigenvalue: number): Float64Array {
  const { order } = matrix
  const x = new Float64Array(order)
  const pivots = new Float64Array(order)
  const b = new Float64Array(order).fill(1 / Math.sqrt(order))
  let shift = eigenvalue * (1 + 2 ** -50)
  for (let round = 0; round < 3; round++) {
    for (let move = 0; !solveShifted(matrix, shift, b, x, pivots); move++) {
      if (!(move < moves)) return b
      shift += 2 ** (move - 50) * Math.max(shift, Number.MIN_VALUE * 2 ** 60)
    }
    const norm = Math.hypot(...x)
    for (let i = 0; i < order; i++) b[i] = x[i] / norm
  }
  return b
}
