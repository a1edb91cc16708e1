import { gamma, outward } from '../../linalg/rounding-error.ts'
import type { Placed } from './placed.ts'

/**
 * Carries norms and errors through the steps. Each step computes every element as a sum of at most `terms` products with
 * coefficients that are right but for 64 roundings, in any order, so its error is at most γ·‖|W|‖₂·|x| with
 * ‖|W|‖₂ ≤ ‖W‖_F ≤ √min(m, n)·‖W‖₂; where a value is read twice, the adjoint adds once more.
 */
export function errorsOf(
  steps: readonly Placed[],
  count: number,
  sources: readonly (readonly number[])[],
  targets: readonly number[],
  scales: readonly number[],
): { forward: number; adjoint: number; each: number[] } {
  const norm = new Float64Array(count)
  const error = new Float64Array(count)
  sources.forEach((slots, i) => {
    for (const slot of slots) {
      norm[slot] = scales[i]
      error[slot] = 2 * gamma(1) * scales[i]
    }
  })
  for (const { inputs, outputs, gain, rounding } of steps) {
    const read = inputs.filter((slot) => slot >= 0)
    const [size, wrong] = [joined(read, norm), joined(read, error)]
    for (const slot of outputs) {
      if (slot < 0) continue
      norm[slot] = outward(gain * size)
      error[slot] = outward(gain * wrong + rounding * (size + wrong))
    }
  }
  const forward = joined(targets, error)
  norm.fill(0)
  error.fill(0)
  for (const slot of targets) norm[slot] += 1
  for (const { inputs, outputs, gain, rounding } of steps.toReversed()) {
    const written = outputs.filter((slot) => slot >= 0)
    const [size, wrong] = [joined(written, norm), joined(written, error)]
    for (const slot of inputs) {
      if (slot < 0) continue
      norm[slot] = outward(norm[slot] + gain * size)
      error[slot] = outward(
        error[slot] + gain * wrong + rounding * (size + wrong) + 2 * gamma(1) * (norm[slot] + error[slot]),
      )
    }
  }
  const each = sources.map((slots) => joined(slots, error))
  const lost = sources.map((slots, i) => scales[i] * (each[i] + 2 * gamma(1) * joined(slots, norm)))
  return { forward, adjoint: outward(Math.hypot(...lost)), each }
}

function joined(slots: readonly number[], values: Float64Array): number {
  let square = 0
  for (const slot of slots) square += values[slot] * values[slot]
  return outward(Math.sqrt(square))
}
