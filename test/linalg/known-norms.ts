import type { Random } from '../../src/core/random.ts'

/** rows × columns with orthonormal columns (rows ≥ columns): modified Gram-Schmidt, twice, on Gaussian columns. */
function orthonormal(rows: number, columns: number, random: Random): Float64Array[] {
  const basis: Float64Array[] = []
  for (let j = 0; j < columns; j++) {
    const column = Float64Array.from({ length: rows }, () => random.gaussian())
    for (let pass = 0; pass < 2; pass++) {
      for (const other of basis) {
        let overlap = 0
        for (let i = 0; i < rows; i++) overlap += column[i] * other[i]
        for (let i = 0; i < rows; i++) column[i] -= overlap * other[i]
      }
    }
    const norm = Math.hypot(...column)
    basis.push(column.map((value) => value / norm))
  }
  return basis
}

/** A float64 matrix U diag(values) Vᵀ: its norm is the largest of `values` to about 1e-14, relative. */
export function matrixWithSingularValues(
  rows: number,
  columns: number,
  values: readonly number[],
  random: Random,
): Float64Array {
  const left = orthonormal(rows, values.length, random)
  const right = orthonormal(columns, values.length, random)
  const data = new Float64Array(rows * columns)
  values.forEach((value, rank) => {
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) data[i * columns + j] += left[rank][i] * value * right[rank][j]
    }
  })
  return data
}

/** All singular values, largest first, by one-sided Jacobi rotations in float64: independent of what is tested. */
export function singularValues(rows: number, columns: number, data: ArrayLike<number>): number[] {
  const vectors = Array.from({ length: columns }, (_, j) =>
    Float64Array.from({ length: rows }, (_, i) => data[i * columns + j]),
  )
  for (let sweep = 0; sweep < 60; sweep++) {
    let rotated = false
    for (let p = 0; p < columns; p++) {
      for (let q = p + 1; q < columns; q++) {
        let pp = 0
        let qq = 0
        let pq = 0
        for (let i = 0; i < rows; i++) {
          pp += vectors[p][i] ** 2
          qq += vectors[q][i] ** 2
          pq += vectors[p][i] * vectors[q][i]
        }
        if (Math.abs(pq) <= 1e-16 * Math.sqrt(pp * qq) || pq === 0) continue
        rotated = true
        const zeta = (qq - pp) / (2 * pq)
        const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta))
        const cosine = 1 / Math.sqrt(1 + tangent * tangent)
        const sine = cosine * tangent
        for (let i = 0; i < rows; i++) {
          const left = vectors[p][i]
          const right = vectors[q][i]
          vectors[p][i] = cosine * left - sine * right
          vectors[q][i] = sine * left + cosine * right
        }
      }
    }
    if (!rotated) break
  }
  return vectors.map((vector) => Math.hypot(...vector)).sort((a, b) => b - a)
}
