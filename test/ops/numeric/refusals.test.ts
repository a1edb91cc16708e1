import { describe, expect, it } from 'vitest'
import type { Attribute } from '../../../src/graph/graph.ts'
import type { ValueInfo } from '../../../src/ops/operand.ts'
import { float, inferOnly, int, ints, text } from '../../helpers/operator-bench.ts'

const floats = (...shape: (number | null)[]): ValueInfo => ({ type: 'float32', shape })
const image = floats(1, 4, 5, 5)
const kernel = floats(4, 4, 3, 3)

function refusal(
  op: string,
  inputs: readonly (ValueInfo | null)[],
  attributes: Record<string, Attribute> = {},
): string {
  try {
    inferOnly({ op, attributes, version: 20, outputs: 1 }, inputs)
  } catch (error) {
    return (error as Error).message
  }
  return 'accepted'
}

describe('convolutions that contradict themselves', () => {
  it.each<[string, Record<string, Attribute>, RegExp]>([
    ['no groups', { group: int(0) }, /group is 0/],
    ['groups that do not divide the channels', { group: int(3) }, /do not divide into 3 groups/],
    ['a kernel that the weights do not have', { kernel_shape: ints([3, 5]) }, /contradicts weights/],
    ['no step', { strides: ints([0, 1]) }, /strides holds 0/],
    ['negative steps', { strides: ints([-1, 1]) }, /strides holds -1/],
    ['no dilation', { dilations: ints([1, 0]) }, /dilations holds 0/],
    ['negative pads', { pads: ints([0, -1, 0, 0]) }, /pads holds -1/],
    ['too few pads', { pads: ints([1, 1]) }, /pads has 2 entries instead of 4/],
    ['an unknown auto_pad', { auto_pad: text('FOO') }, /auto_pad is 'FOO'/],
    [
      'pads that auto_pad contradicts',
      { auto_pad: text('VALID'), pads: ints([1, 1, 1, 1]) },
      /contradict auto_pad/,
    ],
    ['windows larger than the data', { dilations: ints([3, 3]) }, /a window of 7 does not fit/],
  ])('%s', (_, attributes, message) => {
    expect(refusal('Conv', [image, kernel], attributes)).toMatch(message)
  })

  it('weights for other channels or another rank', () => {
    expect(refusal('Conv', [image, floats(4, 3, 3, 3)])).toMatch(
      /the data has 4 channels, the weights are for 3/,
    )
    expect(refusal('Conv', [image, floats(4, 4, 3)])).toMatch(/rank 4, the weights have rank 3/)
    expect(refusal('Conv', [floats(1, 4), floats(4, 4)])).toMatch(/no spatial axes/)
    expect(refusal('ConvTranspose', [image, floats(3, 4, 3, 3)])).toMatch(/the weights are for 3/)
  })

  it('output padding and cropping beyond what is there', () => {
    expect(refusal('ConvTranspose', [image, kernel], { output_padding: ints([1, 0]) })).toMatch(
      /output_padding 1/,
    )
    expect(refusal('ConvTranspose', [image, kernel], { pads: ints([4, 0, 4, 0]) })).toMatch(/crop more than/)
  })

  it('but not pads that say the same as auto_pad', () => {
    const attributes = { auto_pad: text('SAME_UPPER'), pads: ints([1, 1, 1, 1]) }
    expect(refusal('Conv', [image, kernel], attributes)).toBe('accepted')
    expect(refusal('Conv', [image, kernel], { auto_pad: text('VALID'), pads: ints([0, 0, 0, 0]) })).toBe(
      'accepted',
    )
  })
})

describe('products that do not multiply', () => {
  it.each<[string, string, (ValueInfo | null)[], Record<string, Attribute>, RegExp]>([
    ['inner sizes', 'MatMul', [floats(2, 3), floats(4, 5)], {}, /do not multiply: 3 against 4/],
    ['batches', 'MatMul', [floats(2, 2, 3), floats(3, 3, 5)], {}, /do not broadcast/],
    ['scalars', 'MatMul', [floats(), floats(3, 5)], {}, /a scalar operand/],
    ['no matrices', 'Gemm', [floats(2, 3, 4), floats(4, 5)], {}, /rank 3 is no matrix/],
    ['a flag beyond 1', 'Gemm', [floats(2, 3), floats(3, 5)], { transA: int(2) }, /transA is 2/],
    ['a bias of another width', 'Gemm', [floats(2, 3), floats(3, 5), floats(4)], {}, /broadcast/],
    ['a missing operand', 'MatMul', [floats(2, 3), null], {}, /missing/],
    [
      'labels of another rank',
      'Einsum',
      [floats(2, 3)],
      { equation: text('ijk->i') },
      /rank 2 for the labels 'ijk'/,
    ],
    [
      'labels of two sizes',
      'Einsum',
      [floats(2, 3), floats(4, 5)],
      { equation: text('ij,jk->ik') },
      /label j stands for/,
    ],
    ['a stray output label', 'Einsum', [floats(2, 3)], { equation: text('ij->k') }, /output label k/],
    ['characters of no equation', 'Einsum', [floats(2, 3)], { equation: text('i_->i') }, /'i_'/],
    [
      'an equation of 10 kB',
      'Einsum',
      [floats(2, 3)],
      { equation: text('i'.repeat(10_000)) },
      /10000 characters/,
    ],
  ])('%s', (_, op, inputs, attributes, message) => {
    expect(refusal(op, inputs, attributes)).toMatch(message)
  })
})

describe('other contradictions', () => {
  const vector = floats(4)
  const state = [floats(5, 1, 3), floats(1, 8, 3)]

  it.each<[string, string, (ValueInfo | null)[], Record<string, Attribute>, RegExp]>([
    [
      'statistics of other channels',
      'BatchNormalization',
      [image, vector, vector, vector, floats(3)],
      {},
      /3 entries for 4/,
    ],
    ['pools without a window', 'MaxPool', [image], {}, /kernel_shape is missing/],
    [
      'pools of another rank',
      'MaxPool',
      [image],
      { kernel_shape: ints([2]) },
      /1 entries for 2 spatial axes/,
    ],
    ['softmax beyond the rank', 'Softmax', [image], { axis: int(4) }, /axis 4/],
    [
      'recurrence weights of another size',
      'LSTM',
      [...state, floats(1, 8, 3)],
      { hidden_size: int(2) },
      /R has shape \[1,8,3\]/,
    ],
    [
      'gates that are too few',
      'LSTM',
      [...state, floats(1, 8, 4)],
      { hidden_size: int(4) },
      /W has shape \[1,8,3\]/,
    ],
    [
      'an unknown direction',
      'GRU',
      [...state, floats(1, 8, 4)],
      { direction: text('up') },
      /direction is 'up'/,
    ],
    ['scales of another length', 'DequantizeLinear', [image, floats(3)], {}, /3 scales for an axis of 4/],
    [
      'scales along no axis',
      'DequantizeLinear',
      [image, floats(4)],
      { axis: int(4) },
      /axis 4 is out of range/,
    ],
    ['operands that do not broadcast', 'Add', [floats(2, 3), floats(2, 4)], {}, /do not broadcast/],
    ['an attribute of another kind', 'Conv', [image, kernel], { group: float(1) }, /must be an integer/],
  ])('%s', (_, op, inputs, attributes, message) => {
    expect(refusal(op, inputs, attributes)).toMatch(message)
  })
})
