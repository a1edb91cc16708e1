import { gamma } from '../rounding-error.ts'
import type { Hermitian } from './symbol.ts'

/**
 * Whether tI − H is shown to be positive definite, by the Cholesky factorisation LL* = tI − H in float64 running to
 * completion; `work` is overwritten. Cost: order³/3 complex products, less where it fails.
 *
 * Complex inner products of length k err by at most √2·γ₂ₖ₊₂ Σ|xᵢ||yᵢ|, so the argument of Higham's theorem 10.3
 * gives LL* = fl(tI − H) + Δ with |Δ| ≤ 2γ₂ᵣ₊₆|L||L*|, hence
 *
 *     λ_max(H)  ≤  t + factorisationError(order) · r·t   for t > 0 and H positive semidefinite.
 */
export function isBelow(matrix: Hermitian, t: number, work: Hermitian): boolean {
  const { order } = matrix
  const { real, imaginary } = work
  for (let i = 0, row = 0; i < order; row += ++i) {
    for (let j = 0, other = 0; j < i; other += ++j) {
      let re = -matrix.real[row + j]
      let im = -matrix.imaginary[row + j]
      for (let k = 0; k < j; k++) {
        const a = real[row + k]
        const b = imaginary[row + k]
        const c = real[other + k]
        const d = imaginary[other + k]
        re -= a * c + b * d
        im -= b * c - a * d
      }
      const inverse = real[other + j]
      real[row + j] = re * inverse
      imaginary[row + j] = im * inverse
    }
    let pivot = t - matrix.real[row + i]
    for (let k = row; k < row + i; k++) pivot -= real[k] * real[k] + imaginary[k] * imaginary[k]
    if (!(pivot > 0)) return false
    // the inverse of the pivot's root stands on the diagonal: a product is cheaper than a quotient
    real[row + i] = 1 / Math.sqrt(pivot)
    imaginary[row + i] = 0
  }
  return true
}

/** What `isBelow` may be wrong by, per unit of r·t. */
export function factorisationError(order: number): number {
  const growth = 2 * gamma(2 * order + 12)
  return (growth / (1 - growth)) * (1 + 2 ** -20)
}

/** z = H v for v = [real parts, imaginary parts], 2·order numbers. */
export function multiplyHermitian(matrix: Hermitian, v: Float64Array, z: Float64Array): void {
  const { order, real, imaginary } = matrix
  z.fill(0)
  for (let i = 0, k = 0; i < order; i++, k++) {
    const ownRe = v[i]
    const ownIm = v[order + i]
    let re = 0
    let im = 0
    for (let j = 0; j < i; j++, k++) {
      const a = real[k]
      const b = imaginary[k]
      re += a * v[j] - b * v[order + j]
      im += a * v[order + j] + b * v[j]
      z[j] += a * ownRe + b * ownIm
      z[order + j] += a * ownIm - b * ownRe
    }
    z[i] += re + real[k] * ownRe
    z[order + i] += im + real[k] * ownIm
  }
}
