import { addUp, mulUp } from '../core/rounding.ts'
import { allocateFloats, floatsAt, scoped } from './arena.ts'
import type { Gram } from './gram.ts'
import { kernels } from './kernels.ts'
import { gamma, outward, unitRoundoff } from './rounding-error.ts'

/** Columns that the kernel factorises at a time. */
const BLOCK = 48

/**
 * A proven upper bound on λ_max of the exact Gram matrix G, close to `target`; null when the attempt fails.
 *
 * The computed C = fl(tI − Ĝ) has a Cholesky factorisation that runs to completion. Then RᵀR = C + Δ with
 * |Δ| ≤ γₙ₊₁|Rᵀ||R| (Higham, theorem 10.3, for any order of the sums), so ‖Δ‖₂ ≤ γₙ₊₁‖R‖_F² ≤ γₙ₊₁/(1 − γₙ₊₁)·tr C, as
 * in Rump's verification of positive definiteness (2006). C + Δ is positive semidefinite, and forming the diagonal
 * cost u·max|Cᵢᵢ|, hence
 *
 *     λ_max(G)  ≤  t + u·max|Cᵢᵢ| + γₙ₊₁/(1 − γₙ₊₁)·tr C + ‖Ĝ − G‖₂.
 *
 * Underflow is no concern where the largest entry of G is not below 2⁻⁸⁰⁰: it is covered by `outward`.
 * Cost: order³/3 flops.
 */
export function certifyGram(gram: Gram, target: number): number | null {
  return scoped(() => {
    const { order } = gram
    const matrix = allocateFloats(order * order)
    const packed = allocateFloats((order + 3) * BLOCK)
    const source = floatsAt(gram.pointer, order * order)
    const shifted = floatsAt(matrix, order * order)
    let trace = 0
    let largest = 0
    for (let i = 0; i < order; i++) {
      for (let k = i * order; k < i * order + i; k++) shifted[k] = -source[k]
      const entry = target - source[i * order + i]
      shifted[i * order + i] = entry
      trace = addUp(trace, entry)
      largest = Math.max(largest, Math.abs(entry))
    }
    if (!kernels().cholesky(matrix, order, packed)) return null
    const growth = gamma(order + 1)
    const backward = mulUp(growth / (1 - growth), trace)
    return outward(target + outward(backward) + 2 * unitRoundoff * largest + gram.error)
  })
}

/** How far above λ_max the target must stand for the factorisation to have room for its own rounding. */
export function certificationSlack(gram: Gram, target: number): number {
  return 2 * (gamma(gram.order + 1) * gram.order * target + gram.error)
}
