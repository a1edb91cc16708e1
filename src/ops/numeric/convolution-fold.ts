import type { Tensor } from '../../core/tensor.ts'
import { rounderOf } from '../fold/element.ts'
import type { FoldingContext } from '../operand.ts'
import { requiredTensor } from '../shape/operands.ts'
import { affordable } from './affordable.ts'
import { convolutionGeometry } from './convolution-operator.ts'

/**
 * Conv of constants by its definition, sums in float64; null where it takes more multiplications than folding is
 * worth. Cost: outputs · channels per group · kernel.
 */
export function foldConvolution(context: FoldingContext): readonly Tensor[] | null {
  const data = requiredTensor(context, 0)
  const weights = requiredTensor(context, 1)
  const bias = context.inputs[2] ?? null
  const { windows, groups } = convolutionGeometry(context, data.dims, weights.dims)
  if (windows === null) return null
  const [batch, channels, ...input] = data.dims
  const [outChannels, perGroup, ...kernel] = weights.dims
  const output = windows.output as readonly number[]
  const begin = windows.padsBegin as readonly number[]
  const [inSize, outSize, taps] = [input, output, kernel].map((dims) => dims.reduce((a, b) => a * b, 1))
  if (!affordable(Math.max(batch * outChannels * perGroup, 16) * outSize * taps)) return null

  const result = context.allocate(data.type, [batch, outChannels, ...output])
  const round = rounderOf(data.type)
  const positions = tapPositions(input, output, kernel, (axis, to, tap) => {
    return to * windows.strides[axis] - begin[axis] + tap * windows.dilations[axis]
  })
  const outPerGroup = outChannels / groups
  for (let item = 0; item < batch; item++) {
    for (let out = 0; out < outChannels; out++) {
      const firstChannel = item * channels + Math.floor(out / outPerGroup) * perGroup
      for (let at = 0; at < outSize; at++) {
        let sum = bias === null ? 0 : bias.data[out]
        for (let channel = 0; channel < perGroup; channel++) {
          const source = (firstChannel + channel) * inSize
          const weight = (out * perGroup + channel) * taps
          for (let tap = 0; tap < taps; tap++) {
            const position = positions[at * taps + tap]
            if (position >= 0) sum += weights.data[weight + tap] * data.data[source + position]
          }
        }
        result.data[(item * outChannels + out) * outSize + at] = round(sum)
      }
    }
  }
  return [result]
}

/** For every output position and tap, the input position that it reads; −1 in the padding. */
function tapPositions(
  input: readonly number[],
  output: readonly number[],
  kernel: readonly number[],
  read: (axis: number, to: number, tap: number) => number,
): Int32Array {
  const outSize = output.reduce((a, b) => a * b, 1)
  const taps = kernel.reduce((a, b) => a * b, 1)
  const positions = new Int32Array(outSize * taps)
  for (let at = 0; at < outSize; at++) {
    for (let tap = 0; tap < taps; tap++) {
      let position = 0
      let stride = 1
      let restOut = at
      let restTap = tap
      for (let axis = input.length - 1; axis >= 0; axis--) {
        const from = read(axis, restOut % output[axis], restTap % kernel[axis])
        restOut = Math.floor(restOut / output[axis])
        restTap = Math.floor(restTap / kernel[axis])
        position = position < 0 || from < 0 || from >= input[axis] ? -1 : position + from * stride
        stride *= input[axis]
      }
      positions[at * taps + tap] = position
    }
  }
  return positions
}
