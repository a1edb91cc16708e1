import type { FloatArray } from '../core/tensor.ts'
import { frobeniusOfConvolution } from './convolution/frobenius.ts'
import type { ConvolutionOperator } from './linear-operator.ts'
import { gamma, outward } from './rounding-error.ts'

/**
 * Upper bounds of ‖T‖₂ of a convolution in one pass over its weights, for any size of the input; the lesser counts:
 *
 * - 'holder': √(‖T‖₁‖T‖_∞). An output reads each weight of its channel at most once, so ‖T‖_∞ is at most the largest
 *   Σ|w| over output channels; an input element meets, for each output channel and tap, at most one output position, so
 *   ‖T‖₁ is at most the largest Σ|w| over input channels. Strides, pads and dilations only leave terms out.
 * - 'taps': T is the sum over taps of a restricted shift times the matrix K_t of that tap, block diagonal by groups, so
 *   ‖T‖₂ ≤ Σ_t max over groups of ‖K_t‖_F;
 * - 'frobenius': ‖T‖_F at the real size, where that is known.
 *
 * Weights must be finite.
 */
export function freeConvolutionBound(
  operator: ConvolutionOperator,
  weights: FloatArray,
): { upper: number; method: string } {
  const { inChannels, outChannels, groups, kernel, factor } = operator
  const taps = kernel.reduce((product, size) => product * size, 1)
  const perGroup = inChannels / groups
  const outPerGroup = outChannels / groups
  const intoInputs = new Float64Array(inChannels)
  // Σw² by group and tap
  const squares = new Float64Array(groups * taps)
  let largestOutput = 0
  for (let output = 0; output < outChannels; output++) {
    const group = Math.floor(output / outPerGroup)
    const first = group * perGroup
    let sum = 0
    for (let input = 0; input < perGroup; input++) {
      const start = (output * perGroup + input) * taps
      let part = 0
      for (let tap = 0; tap < taps; tap++) {
        const weight = weights[start + tap]
        part += Math.abs(weight)
        squares[group * taps + tap] += weight * weight
      }
      sum += part
      intoInputs[first + input] += part
    }
    largestOutput = Math.max(largestOutput, sum)
  }
  const largestInput = intoInputs.reduce((most, sum) => Math.max(most, sum), 0)
  const rounding = 1 + gamma(taps + Math.max(perGroup, outPerGroup) + 4)
  const size = Math.abs(factor)
  const holder = outward(Math.sqrt(largestOutput) * Math.sqrt(largestInput) * rounding * size)
  const byTaps = sumOfLargest(squares, groups, taps) * (1 + gamma(perGroup * outPerGroup + taps + 4)) * size
  const operatorNorm = frobeniusOfConvolution(operator, weights)
  const bounds = [
    { upper: holder, method: 'holder' },
    // far below, squares may have vanished
    { upper: byTaps > 2 ** -400 * size ? outward(byTaps) : Infinity, method: 'taps' },
    // computed to 1e-12
    { upper: operatorNorm === null ? Infinity : operatorNorm * (1 + 1e-11), method: 'frobenius' },
  ]
  return bounds.reduce((least, bound) => (bound.upper < least.upper ? bound : least))
}

/** Σ over taps of the largest Frobenius norm among the groups. */
function sumOfLargest(squares: Float64Array, groups: number, taps: number): number {
  let sum = 0
  for (let tap = 0; tap < taps; tap++) {
    let largest = 0
    for (let group = 0; group < groups; group++) largest = Math.max(largest, squares[group * taps + tap])
    sum += Math.sqrt(largest)
  }
  return sum
}
