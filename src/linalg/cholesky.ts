import { addUp, mulUp } from '../core/rounding.ts'
import type { Gram } from './gram.ts'
import { gamma, outward, unitRoundoff } from './rounding-error.ts'

/**
 * Overwrites the lower triangle of a symmetric matrix (order × order, row-major) with its Cholesky factor, row by
 * row. False, with the triangle half done, as soon as a pivot is not positive. Cost: order³/3 flops.
 */
export function choleskyInPlace(order: number, matrix: Float64Array): boolean {
  for (let i = 0; i < order; i++) {
    const row = i * order
    for (let j = 0; j < i; j++) {
      const other = j * order
      let even = 0
      let odd = 0
      const paired = j & ~1
      for (let k = 0; k < paired; k += 2) {
        even += matrix[row + k] * matrix[other + k]
        odd += matrix[row + k + 1] * matrix[other + k + 1]
      }
      if (paired < j) even += matrix[row + paired] * matrix[other + paired]
      matrix[row + j] = (matrix[row + j] - (even + odd)) / matrix[other + j]
    }
    let square = 0
    for (let k = 0; k < i; k++) square += matrix[row + k] * matrix[row + k]
    const pivot = matrix[row + i] - square
    if (!(pivot > 0)) return false
    matrix[row + i] = Math.sqrt(pivot)
  }
  return true
}

/**
 * A proven upper bound on λ_max of the exact Gram matrix G, close to `target`; null when the attempt fails.
 *
 * The computed C = fl(tI − Ĝ) has a Cholesky factorisation that runs to completion. Then RᵀR = C + Δ with
 * |Δ| ≤ γₙ₊₁|Rᵀ||R| (Higham, theorem 10.3), so ‖Δ‖₂ ≤ γₙ₊₁‖R‖_F² ≤ γₙ₊₁/(1 − γₙ₊₁)·tr C, as in Rump's verification
 * of positive definiteness (2006). C + Δ is positive semidefinite, and forming the diagonal cost u·max|Cᵢᵢ|, hence
 *
 *     λ_max(G)  ≤  t + u·max|Cᵢᵢ| + γₙ₊₁/(1 − γₙ₊₁)·tr C + ‖Ĝ − G‖₂.
 *
 * Underflow is no concern where the largest entry of G is not below 2⁻⁹⁰⁰: it is covered by `outward`.
 */
export function certifyGram(gram: Gram, target: number, work: Float64Array): number | null {
  const { order, data } = gram
  let trace = 0
  let largest = 0
  for (let i = 0; i < order; i++) {
    for (let j = 0; j < i; j++) work[i * order + j] = -data[i * order + j]
    const entry = target - data[i * order + i]
    work[i * order + i] = entry
    trace = addUp(trace, entry)
    largest = Math.max(largest, Math.abs(entry))
  }
  if (!choleskyInPlace(order, work)) return null
  const growth = gamma(order + 1)
  const backward = mulUp(growth / (1 - growth), trace)
  return outward(target + outward(backward) + 2 * unitRoundoff * largest + gram.error)
}

/** How far above λ_max the target must stand for the factorisation to have room for its own rounding. */
export function certificationSlack(gram: Gram, target: number): number {
  return 2 * (gamma(gram.order + 1) * gram.order * target + gram.error)
}
