import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { createNetwork } from '../../../src/calculus/network.ts'
import { traceAt } from '../../../src/calculus/trace.ts'
import { createRandom, gaussianVector } from '../../../src/core/random.ts'
import { readModel } from '../../../src/graph/read-model.ts'
import { inferModel } from '../../../src/infer/infer.ts'
import {
  type AttributeValue,
  float,
  floats,
  int64s,
  type Message,
  model,
  node,
  subgraph,
  tensor,
  writeTemporary,
} from '../../helpers/onnx-builder.ts'

interface Case {
  readonly op: string
  readonly domain?: string
  readonly inputs: readonly string[]
  /** Inputs that vary, with their shapes. */
  readonly data: Readonly<Record<string, readonly number[]>>
  readonly constants?: Readonly<Record<string, Message>>
  readonly attributes?: Readonly<Record<string, AttributeValue>>
  readonly outputs?: readonly string[]
  readonly opset?: number
}

const random = createRandom(11)
const numbers = (...dims: number[]) =>
  tensor(
    dims,
    Float32Array.from(
      gaussianVector(
        dims.reduce((a, b) => a * b, 1),
        random,
      ),
      (x) => x / 2,
    ),
  )
const microsoft = 'com.microsoft'
const qkv = { q: [1, 3, 8], k: [1, 4, 8], v: [1, 4, 8] }
const angles = Float32Array.from({ length: 20 }, (_, i) => i / 3)
const cosines = tensor([5, 4], angles.map(Math.cos))
const sines = tensor([5, 4], angles.map(Math.sin))

const cases: readonly Case[] = [
  {
    op: 'MultiHeadAttention',
    domain: microsoft,
    inputs: ['q', 'k', 'v'],
    data: qkv,
    attributes: { num_heads: 2 },
  },
  {
    op: 'MultiHeadAttention',
    domain: microsoft,
    inputs: ['q', 'k', 'v', 'b'],
    data: qkv,
    constants: { b: numbers(24) },
    attributes: { num_heads: 4, scale: float(0.3) },
  },
  {
    op: 'Attention',
    domain: microsoft,
    inputs: ['x', 'w', 'b'],
    data: { x: [2, 3, 6] },
    constants: { w: numbers(6, 24), b: numbers(24) },
    attributes: { num_heads: 2 },
  },
  {
    op: 'Attention',
    domain: microsoft,
    inputs: ['x', 'w', 'b'],
    data: { x: [1, 4, 6] },
    constants: { w: numbers(6, 12), b: numbers(12) },
    attributes: { num_heads: 2, unidirectional: 1 },
  },
  {
    op: 'RotaryEmbedding',
    domain: microsoft,
    inputs: ['x', 'p', 'c', 's'],
    data: { x: [1, 3, 16] },
    constants: { p: tensor([1, 3], [1, 0, 4], 'int64'), c: cosines, s: sines },
  },
  {
    op: 'RotaryEmbedding',
    domain: microsoft,
    inputs: ['x', 'p', 'c', 's'],
    data: { x: [1, 2, 3, 8] },
    constants: { p: tensor([1, 3], [1, 2, 4], 'int64'), c: cosines, s: sines },
    attributes: { interleaved: 1 },
  },
  {
    op: 'FusedMatMul',
    domain: microsoft,
    inputs: ['a', 'b'],
    data: { a: [4, 3], b: [4, 5] },
    attributes: { transA: 1, alpha: float(0.7) },
  },
  {
    op: 'FusedConv',
    domain: microsoft,
    inputs: ['x', 'w', 'b'],
    data: { x: [1, 2, 5, 5] },
    constants: { w: numbers(3, 2, 3, 3), b: numbers(3) },
    attributes: { activation: 'LeakyRelu', activation_params: floats([0.2]) },
  },
  {
    op: 'FusedGemm',
    domain: microsoft,
    inputs: ['x', 'w', 'b'],
    data: { x: [2, 4] },
    constants: { w: numbers(4, 3), b: numbers(3) },
    attributes: { activation: 'Tanh' },
  },
  {
    op: 'FastGelu',
    domain: microsoft,
    inputs: ['x', 'b'],
    data: { x: [2, 4] },
    constants: { b: numbers(4) },
  },
  {
    op: 'BiasGelu',
    domain: microsoft,
    inputs: ['x', 'b'],
    data: { x: [2, 4] },
    constants: { b: numbers(4) },
  },
  { op: 'QuickGelu', domain: microsoft, inputs: ['x'], data: { x: [2, 4] } },
  {
    op: 'SkipLayerNormalization',
    domain: microsoft,
    inputs: ['x', 's', 'g', 'b'],
    data: { x: [1, 3, 6], s: [1, 3, 6] },
    constants: { g: numbers(6), b: numbers(6) },
  },
  {
    op: 'LayerNormalization',
    inputs: ['x', 'g', 'b'],
    data: { x: [2, 3, 4] },
    constants: { g: numbers(3, 4), b: numbers(3, 4) },
    attributes: { axis: 1 },
    opset: 17,
  },
  {
    op: 'GroupNormalization',
    inputs: ['x', 'g', 'b'],
    data: { x: [1, 6, 3] },
    constants: { g: numbers(6), b: numbers(6) },
    attributes: { num_groups: 2 },
    opset: 21,
  },
  {
    op: 'InstanceNormalization',
    inputs: ['x', 'g', 'b'],
    data: { x: [2, 3, 4] },
    constants: { g: numbers(3), b: numbers(3) },
  },
  { op: 'LpNormalization', inputs: ['x'], data: { x: [3, 4] }, attributes: { p: 1, axis: 0 } },
  { op: 'TopK', inputs: ['x', 'k'], data: { x: [3, 5] }, constants: { k: int64s([2]) }, outputs: ['y', 'i'] },
  {
    op: 'TopK',
    inputs: ['x', 'k'],
    data: { x: [5, 3] },
    constants: { k: int64s([3]) },
    attributes: { axis: 0, largest: 0 },
    outputs: ['y', 'i'],
  },
  {
    op: 'ReduceProd',
    inputs: ['x', 'a'],
    data: { x: [2, 3, 5] },
    constants: { a: int64s([0, 2]) },
    opset: 18,
  },
  {
    op: 'ReduceLogSumExp',
    inputs: ['x', 'a'],
    data: { x: [2, 3, 5] },
    constants: { a: int64s([1]) },
    attributes: { keepdims: 0 },
    opset: 18,
  },
  {
    op: 'CenterCropPad',
    inputs: ['x', 's'],
    data: { x: [5, 4] },
    constants: { s: int64s([2, 7]) },
    opset: 18,
  },
  {
    op: 'ReverseSequence',
    inputs: ['x', 'l'],
    data: { x: [4, 3, 2] },
    constants: { l: int64s([4, 2, 1]) },
  },
  {
    op: 'Einsum',
    inputs: ['a', 'b'],
    data: { a: [2, 3, 4], b: [2, 4, 5] },
    attributes: { equation: 'bij,bjk->bki' },
  },
  { op: 'Einsum', inputs: ['a'], data: { a: [4, 4] }, attributes: { equation: 'ii->i' } },
  { op: 'MatMul', inputs: ['a', 'b'], data: { a: [2, 1, 3, 4], b: [3, 4, 2] } },
  { op: 'MatMul', inputs: ['a', 'b'], data: { a: [4], b: [3, 4, 2] } },
  {
    op: 'Conv',
    inputs: ['x', 'w', 'b'],
    data: { x: [1, 4, 6, 5], w: [6, 2, 3, 2], b: [6] },
    attributes: { group: 2, strides: [2, 1], pads: [1, 0, 1, 1] },
  },
  {
    op: 'ConvTranspose',
    inputs: ['x', 'w', 'b'],
    data: { x: [1, 4, 3], w: [4, 2, 3], b: [2] },
    attributes: { strides: [2] },
  },
  {
    op: 'LSTM',
    inputs: ['x', 'w', 'r', 'b'],
    data: { x: [3, 2, 4] },
    constants: { w: numbers(2, 12, 4), r: numbers(2, 12, 3), b: numbers(2, 24) },
    attributes: { hidden_size: 3, direction: 'bidirectional' },
  },
  {
    op: 'GRU',
    inputs: ['x', 'w', 'r', 'b', '', 'h'],
    data: { x: [3, 2, 4], h: [1, 2, 3] },
    constants: { w: numbers(1, 9, 4), r: numbers(1, 9, 3), b: numbers(1, 18) },
    attributes: { hidden_size: 3, linear_before_reset: 1, direction: 'reverse' },
  },
  {
    op: 'MaxPool',
    inputs: ['x'],
    data: { x: [1, 2, 5, 5] },
    attributes: { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1] },
  },
  { op: 'LpPool', inputs: ['x'], data: { x: [1, 2, 6] }, attributes: { kernel_shape: [3], p: 3 } },
  { op: 'PRelu', inputs: ['x', 's'], data: { x: [2, 3, 4], s: [3, 1] } },
]

const double = { inputs: {}, outputs: ['t'], nodes: [node('Add', ['x', 'x'], ['t'])] }
const square = { inputs: {}, outputs: ['e'], nodes: [node('Mul', ['x', 'x'], ['e'])] }
const growing = {
  inputs: { i: { type: 'int64', shape: [] }, c: { type: 'bool', shape: [] }, v: [3] },
  outputs: ['d', 'n', 'o'],
  nodes: [node('Identity', ['c'], ['d']), node('Mul', ['v', 'x'], ['n']), node('Tanh', ['n'], ['o'])],
} as const

const controls: readonly Case[] = [
  {
    op: 'If',
    inputs: ['yes'],
    data: { x: [3] },
    constants: { yes: tensor([], [1], 'bool') },
    attributes: { then_branch: subgraph(double), else_branch: subgraph(square) },
  },
  {
    op: 'If',
    inputs: ['yes'],
    data: { x: [3] },
    constants: { yes: tensor([], [0], 'bool') },
    attributes: { then_branch: subgraph(double), else_branch: subgraph(square) },
  },
  {
    op: 'Loop',
    inputs: ['m', 'yes', 'x'],
    data: { x: [3] },
    constants: { m: int64s(4), yes: tensor([], [1], 'bool') },
    attributes: { body: subgraph(growing) },
    outputs: ['y', 'all'],
  },
]

function modelOf({
  op,
  domain = '',
  inputs,
  data,
  constants = {},
  attributes = {},
  outputs = ['y'],
  opset = 17,
}: Case) {
  return model({
    inputs: data,
    outputs: Object.fromEntries(
      outputs.map((name) => [name, { type: name === 'i' ? 'int64' : 'float32', shape: null }]),
    ),
    initializers: constants,
    nodes: [node(op, inputs, outputs, attributes, { domain })],
    opset,
    irVersion: 8,
    opsets: { [microsoft]: 1 },
  })
}

describe('nodes in float64', () => {
  it.each([...cases, ...controls].map((one) => [`${one.domain ?? ''} ${one.op}`, one] as const))(
    'have values, derivatives and adjoints: %s',
    async (_, one) => {
      const bytes = modelOf(one)
      const typed = inferModel(readModel(writeTemporary(bytes)))
      const outputs = typed.graph.outputs.filter(({ name }) => name !== 'i')
      const network = createNetwork(typed, typed.graph.inputs, outputs)
      const source = createRandom(5)
      const dims = typed.graph.inputs.map((input) => typed.operand(input).shape as number[])
      const draw = () =>
        dims.map((shape) =>
          gaussianVector(
            shape.reduce((a, b) => a * b, 1),
            source,
          ),
        )
      const point = draw().map((part) => part.map(Math.fround))
      const trace = traceAt(network, point)

      const session = await InferenceSession.create(bytes, { logSeverityLevel: 4, intraOpNumThreads: 1 })
      const feeds = typed.graph.inputs.map((input, i) => {
        return [input.name, new RuntimeTensor('float32', Float32Array.from(point[i]), dims[i])] as const
      })
      const results = await session.run(Object.fromEntries(feeds))
      await session.release()
      outputs.forEach((output, i) => {
        const expected = results[output.name].data as Float32Array
        expect(trace.outputs[i].dims).toEqual(results[output.name].dims)
        expected.forEach((x, k) => {
          expect(Math.abs(x - trace.outputs[i].data[k])).toBeLessThan(2e-3 * (1 + Math.abs(x)))
        })
      })

      const direction = draw()
      const image = trace.jacobian.apply(direction)
      const step = 1e-6
      const [ahead, behind] = [step, -step].map((h) => {
        return traceAt(
          network,
          point.map((part, i) => part.map((x, k) => x + h * direction[i][k])),
        ).outputs
      })
      const weights = trace.outputs.map(({ data }) => gaussianVector(data.length, source))
      const pulled = trace.jacobian.applyAdjoint(weights)
      let left = 0
      trace.outputs.forEach(({ data }, i) => {
        for (let k = 0; k < data.length; k++) {
          const slope = (ahead[i].data[k] - behind[i].data[k]) / (2 * step)
          expect(Math.abs(slope - (image[i]?.[k] ?? 0))).toBeLessThan(1e-5 * (1 + Math.abs(slope)))
          left += weights[i][k] * (image[i]?.[k] ?? 0)
        }
      })
      const right = pulled.reduce((sum, part, i) => {
        return sum + (part === null ? 0 : part.reduce((inner, x, k) => inner + x * direction[i][k], 0))
      }, 0)
      expect(Math.abs(left - right)).toBeLessThan(1e-9 * (1 + Math.abs(left)))
    },
  )

  it('are attention of the standard as ONNX Runtime fuses it', () => {
    const attributes = { q_num_heads: 2, kv_num_heads: 2 }
    const standard = modelOf({ op: 'Attention', inputs: ['q', 'k', 'v'], data: qkv, attributes, opset: 23 })
    const fused = modelOf({ ...cases[0] })
    const source = createRandom(6)
    const point = [24, 32, 32].map((size) => gaussianVector(size, source))
    const [a, b] = [standard, fused].map((bytes) => {
      const typed = inferModel(readModel(writeTemporary(bytes)))
      return traceAt(createNetwork(typed, typed.graph.inputs, typed.graph.outputs), point).outputs[0].data
    })
    a.forEach((x, i) => {
      expect(x).toBeCloseTo(b[i], 12)
    })
  })
})
