import { describe, expect, it } from 'vitest'
import { bestOf, boundModel } from '../helpers/bounds.ts'
import { type AttributeValue, int64s, type Message, node, scalar, tensor } from '../helpers/onnx-builder.ts'

/** An operator that jumps or draws, between a float input and a float output. */
interface Jump {
  readonly op: string
  readonly attributes?: Record<string, AttributeValue>
  /** Inputs; `x` depends on the model's input, `b` is x as bool, `i` is x as int32. */
  readonly inputs?: readonly string[]
  readonly constants?: Readonly<Record<string, Message>>
  /** How many outputs the node has, and which of them is looked at. */
  readonly outputs?: readonly [count: number, at: number]
  readonly opset?: number
}

const c = { c: tensor([3], [0.5, -0.2, 1]) }
const flags = { flags: tensor([3], [1, 0, 1], 'bool') }

const jumps: readonly Jump[] = [
  { op: 'ArgMax', attributes: { axis: 1 } },
  { op: 'ArgMin', attributes: { axis: 1 } },
  { op: 'Hardmax' },
  ...['Round', 'Floor', 'Ceil', 'Sign', 'IsNaN', 'IsInf'].map((op) => ({ op })),
  ...['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual'].map((op) => ({
    op,
    inputs: ['x', 'c'],
    constants: c,
  })),
  ...['And', 'Or', 'Xor'].map((op) => ({ op, inputs: ['b', 'flags'], constants: flags })),
  { op: 'Not', inputs: ['b'] },
  { op: 'NonZero' },
  { op: 'Unique' },
  { op: 'Mod', inputs: ['x', 'c'], constants: c, attributes: { fmod: 1 } },
  { op: 'BitShift', inputs: ['u', 'u'], attributes: { direction: 'LEFT' } },
  ...['BitwiseAnd', 'BitwiseOr', 'BitwiseXor'].map((op) => ({ op, inputs: ['i', 'i'] })),
  { op: 'BitwiseNot', inputs: ['i'] },
  {
    op: 'OneHot',
    inputs: ['i', 'depth', 'values'],
    constants: { depth: int64s([4]), values: tensor([2], [0, 1]) },
  },
  { op: 'Compress', inputs: ['x', 'b1'], attributes: { axis: 1 } },
  { op: 'Where', inputs: ['b', 'x', 'c'], constants: c },
  { op: 'Cast', attributes: { to: 7 } },
  { op: 'Cast', attributes: { to: 9 } },
  { op: 'Cast', attributes: { to: 17 } },
  { op: 'CastLike', inputs: ['x', 'like'], constants: { like: int64s([1]) } },
  { op: 'Bernoulli' },
  { op: 'Multinomial' },
  { op: 'RandomNormalLike' },
  { op: 'RandomUniformLike' },
  { op: 'Dropout', inputs: ['x', '', 'on'], constants: { on: tensor([], [1], 'bool') } },
  {
    op: 'Dropout',
    inputs: ['x', 'half', 'on'],
    constants: { half: scalar(0.5), on: tensor([], [1], 'bool') },
  },
  { op: 'Dropout', opset: 6 },
  { op: 'TopK', inputs: ['x', 'k'], constants: { k: int64s([2]) }, outputs: [2, 1] },
  { op: 'MaxPool', inputs: ['image'], attributes: { kernel_shape: [2] }, outputs: [2, 1] },
  { op: 'ThresholdedRelu' },
  { op: 'Shrink', attributes: { lambd: 0.5 } },
  { op: 'Gather', inputs: ['c', 'i'], constants: c },
  { op: 'GatherElements', inputs: ['x', 'i'] },
  { op: 'ScatterElements', inputs: ['x', 'i', 'x'] },
  { op: 'Det', inputs: ['square'] },
  { op: 'LpNormalization' },
  { op: 'DynamicQuantizeLinear', outputs: [3, 0] },
  { op: 'DynamicQuantizeLinear', outputs: [3, 1] },
  { op: 'DynamicQuantizeLinear', outputs: [3, 2] },
]

function specOf(jump: Jump) {
  const [count, at] = jump.outputs ?? [1, 0]
  const made = Array.from({ length: count }, (_, i) => `made${i}`)
  return {
    opset: jump.opset ?? 20,
    inputs: { x: [1, 3] },
    outputs: ['y'],
    initializers: { ...jump.constants, three: int64s([1, 1, 3]), nine: int64s([1, 3, 3]), flat: int64s([3]) },
    nodes: [
      node('Cast', ['x'], ['b'], { to: 9 }),
      node('Cast', ['x'], ['i'], { to: 6 }),
      node('Cast', ['x'], ['u'], { to: 2 }),
      node('Reshape', ['b', 'flat'], ['b1']),
      node('Reshape', ['x', 'three'], ['image']),
      node('Expand', ['x', 'nine'], ['square']),
      node(jump.op, jump.inputs ?? ['x'], made, jump.attributes),
      node('Cast', [`made${at}`], ['y'], { to: 1 }),
    ],
  }
}

describe('operators that are no continuous functions of their data', () => {
  it.each(jumps)('$op $attributes $inputs on the way to an output leaves no certificate', async (jump) => {
    const { best } = await boundModel(specOf(jump))
    expect(best.joint.refusal?.reason ?? '').not.toBe('')
  })

  it.each(jumps.filter(({ op }) => op !== 'RandomNormalLike'))(
    '$op $attributes beside the way does no harm',
    async (jump) => {
      const spec = specOf(jump)
      const nodes = [...spec.nodes.slice(0, -1), node('Relu', ['x'], ['y'])]
      expect(bestOf(await boundModel({ ...spec, nodes }))).toBe(1)
    },
  )
})
