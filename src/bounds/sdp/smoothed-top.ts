import { eigenvectors } from './eigenvectors.ts'

/** Exponents of the norm that stands in for the largest eigenvalue: it is within (ln outputs)/(2·exponent) of ln L. */
export const [BLUNT, SHARP] = [60, 4000]

/**
 * The largest eigenvalue λ₁ of −S, the smoothed ln(Σ λᵢ^s)/s, and ½·∂/∂H of it: weights that add up to ½/λ₁ or so.
 */
export function smoothedTop(
  schur: Float64Array,
  order: number,
  sharpness = BLUNT,
): { top: number; smoothed: number; weights: Float64Array } {
  const { values, vectors } = eigenvectors(
    schur.map((value) => -value),
    order,
  )
  const top = Math.max(...values)
  const powers = values.map((value) => (Math.max(0, value) / top) ** sharpness)
  const total = powers.reduce((sum, power) => sum + power, 0)
  const weights = new Float64Array(order * order)
  values.forEach((value, e) => {
    if (powers[e] < 1e-14) return
    const weight = (0.5 * powers[e]) / total / value
    const vector = vectors[e]
    for (let i = 0; i < order; i++)
      for (let j = 0; j < order; j++) weights[i * order + j] += weight * vector[i] * vector[j]
  })
  return { top, smoothed: Math.log(top) + Math.log(total) / sharpness, weights }
}
