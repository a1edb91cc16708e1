import { allocateFloats, floatsAt } from './arena.ts'
import { kernels, type Pointer } from './kernels.ts'
import { gamma, outward } from './rounding-error.ts'

/** A dense matrix whose elements stand in the arena, rows × columns, row-major, float32 or float64. */
export interface PlacedMatrix {
  readonly rows: number
  readonly columns: number
  readonly pointer: Pointer
  readonly single: boolean
}

/** The products with a dense matrix A that norms are made of. Vectors are float64, outside the arena. */
export interface DenseMap {
  /** ‖fl(AᵀAv) − AᵀAv‖ ≤ roundingError · ‖A‖₂ · ‖v‖. */
  readonly roundingError: number
  /** z = AᵀA v and y = AᵀA u, in one pass over A. */
  applyPair(v: Float64Array, u: Float64Array, z: Float64Array, y: Float64Array): void
  /** A number ≤ ‖A v‖ / ‖v‖, rounding accounted for: a proven lower bound on ‖A‖₂ for any v ≠ 0. */
  stretch(v: Float64Array): number
  /** The same for Aᵀ: a number ≤ ‖Aᵀ u‖ / ‖u‖. */
  stretchAdjoint(u: Float64Array): number
}

export function euclideanNorm(x: Float64Array): number {
  let square = 0
  for (let i = 0; i < x.length; i++) square += x[i] * x[i]
  return Math.sqrt(square)
}

/**
 * Products with A, given a bound on ‖A‖_F.
 *
 * Each product meets one rounding, each partial sum those that the kernels state, so componentwise
 * |fl(Av) − Av| ≤ γ_a|A||v| and |fl(Aᵀw) − Aᵀw| ≤ γ_d|A|ᵀ|w|, with a and d near 64 + columns/64 and 64 + rows/256 in the
 * fused product. From ‖|A|‖₂ ≤ ‖A‖_F the error of AᵀAv is at most (γ_a + γ_d(1 + γ_a‖A‖_F/‖A‖₂))·‖A‖_F‖A‖₂‖v‖, and
 * ‖A‖_F/‖A‖₂ is at most √min(rows, columns).
 */
export function denseMap(matrix: PlacedMatrix, frobenius: number): DenseMap {
  const { rows, columns, pointer, single } = matrix
  const { adjointF32, adjointF64, imageF32, imageF64, normalPairF32, normalPairF64 } = kernels()
  const normalPair = single ? normalPairF32 : normalPairF64
  const multiply = single ? imageF32 : imageF64
  const multiplyAdjoint = single ? adjointF32 : adjointF64
  const across = gamma(columns / 2 + 4)
  const down = gamma(rows / 4 + 8)
  const inside = gamma(64 + columns / 64 + 8)
  const panels = gamma(64 + rows / 256 + 10)
  const vectors = allocateFloats(6 * columns)
  const image = allocateFloats(rows)
  const at = (index: number) => vectors + index * columns * 8
  const part = (index: number) => floatsAt(at(index), columns)

  /** A lower bound on ‖b‖/‖x‖ for the exact product b, from the computed one. */
  function ratio(product: Float64Array, x: Float64Array, error: number): number {
    const length = euclideanNorm(x) * (1 + gamma(x.length))
    const proven =
      euclideanNorm(product) * (1 - 2 * gamma(product.length)) - outward(error * frobenius * length)
    return Math.max(0, (proven / length) * (1 - 2 ** -50))
  }

  return {
    roundingError: outward((inside + panels * (1 + inside * Math.sqrt(Math.min(rows, columns)))) * frobenius),
    applyPair(v, u, z, y) {
      part(0).set(v)
      part(1).set(u)
      floatsAt(at(2), 2 * columns).fill(0)
      normalPair(pointer, rows, columns, at(0), at(1), at(2), at(3), at(4))
      z.set(part(2))
      y.set(part(3))
    },
    stretch(v) {
      part(0).set(v)
      multiply(pointer, rows, columns, vectors, image)
      return ratio(floatsAt(image, rows), v, across)
    },
    stretchAdjoint(u) {
      floatsAt(image, rows).set(u)
      part(0).fill(0)
      multiplyAdjoint(pointer, rows, columns, image, vectors)
      return ratio(part(0), u, down)
    },
  }
}
