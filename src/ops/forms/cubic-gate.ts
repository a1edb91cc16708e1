import { up } from '../rules/interval.ts'

const intervals = 2 ** 14

/**
 * sup |d/dx (x·tanh(k·x + m·x³))| for k > 0, m ≥ 0 (or both of the other sign), rounded up; null otherwise. With t = kx and
 * ρ = m/k³ it is h(t) = tanh w + t·w′/cosh² w, w = t + ρt³, even in t. On [t₀, t₁] the factors are monotone:
 * h ≤ tanh w(t₁) + (t₁ + 3ρt₁³)/cosh² w(t₀), which is within about 1e-3 of the supremum; and h ≥ 0. Behind the last
 * interval w ≥ 20 and t·w′ ≤ 3w, so that h ≤ 1 + 3·20/cosh² 20.
 */
export function tanhOfCubic(k: number, m: number): number | null {
  if (k === 0 || k * m < 0) return null
  const ratio = m / k ** 3
  if (!Number.isFinite(ratio)) return null
  const argument = (t: number) => t + ratio * t ** 3
  // w ≥ t and w ≥ ρt³: the lesser of both ends reaches 20
  const end = Math.min(20, ratio > 0 ? Math.cbrt(20 / ratio) * (1 + 1e-12) : 20)
  let largest = 1 + 1e-12
  for (let i = 0; i < intervals; i++) {
    const [left, right] = [(end * i) / intervals, (end * (i + 1)) / intervals]
    const growth = right + 3 * ratio * right ** 3
    largest = Math.max(largest, Math.tanh(argument(right)) + growth / Math.cosh(argument(left)) ** 2)
  }
  return up(largest * (1 + 1e-12))
}
