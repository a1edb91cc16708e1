import type { FloatArray } from '../core/tensor.ts'
import type { NormalMap } from './linear-map.ts'
import { gamma, outward } from './rounding-error.ts'

/** A dense matrix, row-major, and the two products that norms are made of. */
export interface DenseMap extends NormalMap {
  /** A number ≤ ‖A v‖₂ / ‖v‖₂, rounding accounted for: a proven lower bound on the norm for any v ≠ 0. */
  stretch(v: Float64Array): number
}

/** w[i] = Σⱼ A[row, j] v[j] with four partial sums. */
function rowProduct(data: FloatArray, offset: number, v: Float64Array): number {
  const n = v.length
  const blocked = n & ~3
  let a = 0
  let b = 0
  let c = 0
  let d = 0
  let j = 0
  for (; j < blocked; j += 4) {
    a += data[offset + j] * v[j]
    b += data[offset + j + 1] * v[j + 1]
    c += data[offset + j + 2] * v[j + 2]
    d += data[offset + j + 3] * v[j + 3]
  }
  for (; j < n; j++) a += data[offset + j] * v[j]
  return a + b + (c + d)
}

function euclideanNorm(x: Float64Array): number {
  let square = 0
  for (let i = 0; i < x.length; i++) square += x[i] * x[i]
  return Math.sqrt(square)
}

/**
 * AᵀA of rows × columns weights, applied in one pass over them. With the componentwise bounds
 * |fl(Av) − Av| ≤ γ|A||v| and |fl(Aᵀw) − Aᵀw| ≤ γ|A|ᵀ|w|, and ‖|A|‖₂ ≤ ‖A‖_F, the rounding error of AᵀAv is at most
 * (γ_columns + γ_rows (1 + γ_columns √columns)) ‖A‖_F ‖A‖₂ ‖v‖.
 */
export function denseMap(rows: number, columns: number, data: FloatArray, frobenius: number): DenseMap {
  const across = gamma(columns)
  const down = gamma(rows)
  return {
    size: columns,
    roundingError: outward((across + 2 * down) * frobenius),
    apply(v, z) {
      z.fill(0)
      for (let i = 0; i < rows; i++) {
        const offset = i * columns
        const image = rowProduct(data, offset, v)
        for (let j = 0; j < columns; j++) z[j] += image * data[offset + j]
      }
    },
    stretch(v) {
      const image = new Float64Array(rows)
      for (let i = 0; i < rows; i++) image[i] = rowProduct(data, i * columns, v)
      const length = euclideanNorm(v) * (1 + across)
      const proven = euclideanNorm(image) * (1 - 2 * down) - outward(across * frobenius * length)
      return Math.max(0, (proven / length) * (1 - 2 ** -50))
    },
  }
}
