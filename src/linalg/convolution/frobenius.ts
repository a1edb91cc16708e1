import type { FloatArray } from '../../core/tensor.ts'
import type { ConvolutionOperator } from '../linear-operator.ts'
import { axesOf, outputsReachedBy } from './axis.ts'

/**
 * ‖T‖_F of the operator at its real size: every weight counts once for each output position at which its tap lies
 * in the input, √(Σ_taps ‖K[:, :, tap]‖² · #positions). Exact but for rounding (a relative error below 1e-12); one
 * pass over the weights. Null where the size is not known.
 */
export function frobeniusOfConvolution(operator: ConvolutionOperator, weights: FloatArray): number | null {
  if (operator.inputSize === null) return null
  let counts: number[] = [1]
  for (const axis of axesOf(operator)) {
    const along = Array.from({ length: axis.taps }, (_, tap) => outputsReachedBy(axis, tap).count)
    counts = counts.flatMap((count) => along.map((other) => count * other))
  }
  let largest = 0
  for (let i = 0; i < weights.length; i++) largest = Math.max(largest, Math.abs(weights[i]))
  if (largest === 0) return 0
  // a power of two, so that squares neither overflow nor vanish
  const scale = 2 ** Math.max(-1000, Math.min(1000, -Math.floor(Math.log2(largest))))
  let total = 0
  for (let start = 0; start < weights.length; start += counts.length) {
    let sum = 0
    for (let tap = 0; tap < counts.length; tap++) {
      const weight = weights[start + tap] * scale
      sum += counts[tap] * weight * weight
    }
    total += sum
  }
  return (Math.sqrt(total) / scale) * Math.abs(operator.factor)
}
