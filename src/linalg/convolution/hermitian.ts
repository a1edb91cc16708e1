import { allocateFloats, floatsAt } from '../arena.ts'
import { kernels, type Pointer } from '../kernels.ts'
import { gamma } from '../rounding-error.ts'
import { staircaseSize } from './staircase.ts'
import type { FourierSymbol } from './symbol.ts'
import { writeWaves } from './waves.ts'

/**
 * A Hermitian matrix H in the arena: two staircases, lower triangles by rows with rows 2m and 2m + 1 both of 2m + 2
 * places (assembly/hermitian.ts). Vectors hold all real parts, then all imaginary parts, each `evenOrder` numbers.
 */
export interface Hermitian {
  readonly order: number
  readonly evenOrder: number
  /** Overwrites H by the symbol's Gram polynomial at a frequency. */
  evaluate(symbol: FourierSymbol, frequency: readonly number[]): void
  /** z = H v. */
  multiply(v: Float64Array, z: Float64Array): void
  /**
   * Whether tI − H is shown to be positive definite, by its Cholesky factorisation LL* running to completion;
   * overwrites H. Cost: order³/3 complex products, less where it fails.
   *
   * Complex inner products of length k err by at most √2·γ₂ₖ₊₂ Σ|xᵢ||yᵢ|, so the argument of Higham's theorem 10.3
   * gives LL* = fl(tI − H) + Δ with |Δ| ≤ 2γ₂ᵣ₊₁₂|L||L*|, hence λ_max(H) ≤ t + factorisationError(order)·r·t for t > 0
   * and H positive semidefinite.
   */
  isBelow(t: number): boolean
  /** The element H₀₀: all that there is of order 1. */
  first(): number
  /** Both staircases as they are now; valid until the next allocation. */
  elements(): { readonly real: Float64Array; readonly imaginary: Float64Array }
}

export function createHermitian(order: number): Hermitian {
  const evenOrder = (order + 1) & ~1
  const size = staircaseSize(order)
  const real = allocateFloats(size)
  const imaginary = allocateFloats(size)
  const vector = allocateFloats(2 * evenOrder)
  const image = allocateFloats(2 * evenOrder)
  let waves: { readonly pointer: Pointer; readonly count: number } | null = null
  return {
    order,
    evenOrder,
    evaluate(symbol, frequency) {
      const { shifts, coefficients } = symbol
      if (waves === null || waves.count < shifts.count) {
        waves = { pointer: allocateFloats(2 * shifts.count), count: shifts.count }
      }
      writeWaves(shifts, frequency, floatsAt(waves.pointer, 2 * shifts.count))
      kernels().evaluateHermitian(coefficients, shifts.count, waves.pointer, size / 2, real, imaginary)
    },
    multiply(v, z) {
      floatsAt(vector, 2 * evenOrder).set(v)
      kernels().multiplyHermitian(real, imaginary, order, vector, image)
      z.set(floatsAt(image, 2 * evenOrder))
    },
    isBelow: (t) => kernels().factoriseShifted(real, imaginary, order, t) !== 0,
    first: () => floatsAt(real, 1)[0],
    elements: () => ({ real: floatsAt(real, size), imaginary: floatsAt(imaginary, size) }),
  }
}

/** What `isBelow` may be wrong by, per unit of r·t. */
export function factorisationError(order: number): number {
  const growth = 2 * gamma(2 * order + 12)
  return (growth / (1 - growth)) * (1 + 2 ** -20)
}
