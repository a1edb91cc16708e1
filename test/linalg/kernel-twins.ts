/** The kernels in plain TypeScript, as their headers define them, without their order of summation. */

/** z = AᵀA v. */
export function normalProduct(
  rows: number,
  columns: number,
  a: ArrayLike<number>,
  v: Float64Array,
): Float64Array {
  const z = new Float64Array(columns)
  for (let i = 0; i < rows; i++) {
    let image = 0
    for (let j = 0; j < columns; j++) image += a[i * columns + j] * v[j]
    for (let j = 0; j < columns; j++) z[j] += a[i * columns + j] * image
  }
  return z
}

export function product(rows: number, columns: number, a: ArrayLike<number>, v: Float64Array): Float64Array {
  return Float64Array.from({ length: rows }, (_, i) => {
    let sum = 0
    for (let j = 0; j < columns; j++) sum += a[i * columns + j] * v[j]
    return sum
  })
}

/** The Gram matrix of the smaller side. */
export function gram(rows: number, columns: number, a: ArrayLike<number>): Float64Array {
  const order = Math.min(rows, columns)
  const length = Math.max(rows, columns)
  const at = (i: number, k: number) => (rows <= columns ? a[i * columns + k] : a[k * columns + i])
  return Float64Array.from({ length: order * order }, (_, index) => {
    const [i, j] = [Math.floor(index / order), index % order]
    let sum = 0
    for (let k = 0; k < length; k++) sum += at(i, k) * at(j, k)
    return sum
  })
}

/** The Cholesky factor in the lower triangle of a copy; null where a pivot is not positive. */
export function choleskyFactor(order: number, matrix: Float64Array): Float64Array | null {
  const factor = matrix.slice()
  for (let j = 0; j < order; j++) {
    for (let i = j; i < order; i++) {
      let rest = factor[i * order + j]
      for (let k = 0; k < j; k++) rest -= factor[i * order + k] * factor[j * order + k]
      if (i === j && !(rest > 0)) return null
      factor[i * order + j] = i === j ? Math.sqrt(rest) : rest / factor[j * order + j]
    }
  }
  return factor
}
