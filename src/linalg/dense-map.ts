import { allocateFloats, floatsAt } from './arena.ts'
import { kernels, type Pointer } from './kernels.ts'
import { gamma, outward } from './rounding-error.ts'
import { type ProductTeam, type SlabProducts, slabBounds } from './slabs.ts'

/** A dense matrix whose elements stand in the arena, rows × columns, row-major, float32 or float64. */
export interface PlacedMatrix {
  readonly rows: number
  readonly columns: number
  readonly pointer: Pointer
  readonly single: boolean
  /** Other threads that hold slabs of the same matrix. */
  readonly team?: ProductTeam
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
 * Multiplies by AᵀA of slabs of rows in the arena, both vectors at once. What is returned is a view that is valid
 * until the next allocation.
 */
export function slabMultiplier(
  columns: number,
  single: boolean,
): (slab: Pointer, rows: number, v: Float64Array, u: Float64Array) => SlabProducts {
  const { normalPairF32, normalPairF64 } = kernels()
  const normalPair = single ? normalPairF32 : normalPairF64
  const vectors = allocateFloats(6 * columns)
  const at = (index: number) => vectors + index * columns * 8
  const part = (index: number) => floatsAt(at(index), columns)
  return (slab, rows, v, u) => {
    part(0).set(v)
    part(1).set(u)
    floatsAt(at(2), 2 * columns).fill(0)
    normalPair(slab, rows, columns, at(0), at(1), at(2), at(3), at(4))
    return { z: part(2), y: part(3) }
  }
}

/** How the rows of a matrix are multiplied by, wherever they stand; sums in the order that the kernels state. */
export interface RowProducts {
  /** Rows `from` to `to`: their share of AᵀA v and of AᵀA u. */
  pair(from: number, to: number, v: Float64Array, u: Float64Array): SlabProducts
  /** Writes A v, both in the arena. */
  image(v: Pointer, image: Pointer): void
  /** Adds Aᵀ u to `target`, both in the arena. */
  adjoint(u: Pointer, target: Pointer): void
}

/** Products with a matrix in the arena, given a bound on ‖A‖_F. */
export function denseMap(matrix: PlacedMatrix, frobenius: number): DenseMap {
  const { rows, columns, pointer, single } = matrix
  const { adjointF32, adjointF64, imageF32, imageF64 } = kernels()
  const multiply = single ? imageF32 : imageF64
  const multiplyAdjoint = single ? adjointF32 : adjointF64
  const multiplySlab = slabMultiplier(columns, single)
  return mapOf(matrix, frobenius, {
    pair: (from, to, v, u) => multiplySlab(pointer + from * columns * (single ? 4 : 8), to - from, v, u),
    image: (v, image) => multiply(pointer, rows, columns, v, image),
    adjoint: (u, target) => multiplyAdjoint(pointer, rows, columns, u, target),
  })
}

/**
 * Products with A, given a bound on ‖A‖_F.
 *
 * Each product meets one rounding, each partial sum those that the kernels state, so componentwise
 * |fl(Av) − Av| ≤ γ_a|A||v| and |fl(Aᵀw) − Aᵀw| ≤ γ_d|A|ᵀ|w|, with a and d near 64 + columns/64 and 64 + rows/256 in the
 * fused product, whose slabs are added up one after another. From ‖|A|‖₂ ≤ ‖A‖_F the error of AᵀAv is at most (γ_a + γ_d(1 + γ_a‖A‖_F/‖A‖₂))·‖A‖_F‖A‖₂‖v‖, and
 * ‖A‖_F/‖A‖₂ is at most √min(rows, columns).
 */
export function mapOf(
  { rows, columns, team }: Pick<PlacedMatrix, 'rows' | 'columns' | 'team'>,
  frobenius: number,
  products: RowProducts,
): DenseMap {
  const across = gamma(columns / 2 + 4)
  const down = gamma(rows / 4 + 8)
  const inside = gamma(64 + columns / 64 + 8)
  const panels = gamma(64 + rows / 256 + 20)
  const bounds = slabBounds(rows, columns)
  const vectors = allocateFloats(columns)
  const image = allocateFloats(rows)

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
      team?.begin(v, u)
      z.fill(0)
      y.fill(0)
      for (let slab = 0; slab + 1 < bounds.length; slab++) {
        const share =
          team === undefined || team.owns(slab)
            ? products.pair(bounds[slab], bounds[slab + 1], v, u)
            : team.products(slab)
        for (let j = 0; j < columns; j++) z[j] += share.z[j]
        for (let j = 0; j < columns; j++) y[j] += share.y[j]
      }
    },
    stretch(v) {
      floatsAt(vectors, columns).set(v)
      products.image(vectors, image)
      return ratio(floatsAt(image, rows), v, across)
    },
    stretchAdjoint(u) {
      floatsAt(image, rows).set(u)
      floatsAt(vectors, columns).fill(0)
      products.adjoint(image, vectors)
      return ratio(floatsAt(vectors, columns), u, down)
    },
  }
}
