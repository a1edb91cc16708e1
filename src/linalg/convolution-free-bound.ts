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
  let largestOutput = 0
  for (let output = 0; output < outChannels; output++) {
    const first = Math.floor(output / outPerGroup) * perGroup
    let sum = 0
    for (let input = 0; input < perGroup; input++) {
      const start = (output * perGroup + input) * taps
      let part = 0
      for (let tap = start; tap < start + taps; tap++) part += Math.abs(weights[tap])
      sum += part
      intoInputs[first + input] += part
    }
    largestOutput = Math.max(largestOutput, sum)
  }
  const largestInput = intoInputs.reduce((most, sum) => Math.max(most, sum), 0)
  const rounding = 1 + gamma(taps + Math.max(perGroup, outPerGroup) + 4)
  const size = Math.abs(factor)
  const holder = outward(Math.sqrt(largestOutput) * Math.sqrt(largestInput) * rounding * size)
  const operatorNorm = frobeniusOfConvolution(operator, weights)
  // computed to 1e-12
  const frobenius = operatorNorm === null ? Infinity : operatorNorm * (1 + 1e-11)
  return frobenius < holder ? { upper: frobenius, method: 'frobenius' } : { upper: holder, method: 'holder' }
}
