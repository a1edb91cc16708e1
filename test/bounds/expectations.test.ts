import { describeExpectations, type Expectation } from '../helpers/expectation.ts'
import { float, int64s, node, scalar, tensor } from '../helpers/onnx-builder.ts'

const microsoft = { 'com.microsoft': 1 }
const ones = (...dims: number[]) => tensor(dims, new Array(dims.reduce((size, dim) => size * dim, 1)).fill(1))
const channels = { scale: [1, 2], bias: [0, 0], mean: [0, 0], variance: [1, 1] }
const normalized = ['x', 'scale', 'bias', 'mean', 'variance']

const weights: readonly Expectation[] = [
  ...[Number.NaN, Infinity, -Infinity].map(
    (value): Expectation => [
      `a weight of ${value}`,
      {
        inputs: { x: [1, 2] },
        initializers: { w: tensor([2, 1], [1, value]) },
        nodes: [node('MatMul', ['x', 'w'], ['y'])],
      },
      null,
    ],
  ),
  [
    'weights whose squares overflow float32 and float64 products of them do not',
    {
      inputs: { x: [1, 2] },
      initializers: { w: tensor([2, 2], [3e38, 0, 0, 1]) },
      nodes: [node('MatMul', ['x', 'w'], ['y'])],
    },
    2.9999999e38,
    3.001e38,
  ],
  [
    'denormal weights',
    {
      inputs: { x: [1, 1] },
      initializers: { w: tensor([1, 1], [1e-44]) },
      nodes: [node('MatMul', ['x', 'w'], ['y'])],
    },
    9e-45,
    1.1e-44,
  ],
  [
    'zero weights',
    {
      inputs: { x: [1, 2] },
      initializers: { w: tensor([2, 2], [0, 0, 0, 0]) },
      nodes: [node('MatMul', ['x', 'w'], ['y'])],
    },
    0,
    0,
  ],
  [
    'a weight that is an input of the model',
    { inputs: { x: [1, 2], w: [2, 2] }, nodes: [node('MatMul', ['x', 'w'], ['y'])] },
    null,
  ],
  [
    'Gemm with alpha 10⁶ and a bias from data that its rows repeat',
    {
      inputs: { x: [3, 2], c: [1, 2] },
      initializers: { w: tensor([2, 2], [1, 0, 0, 1]) },
      nodes: [node('Gemm', ['x', 'w', 'c'], ['y'], { alpha: float(1e6), beta: float(-2e6) })],
    },
    Math.sqrt(1e12 + 3 * 4e12) * (1 - 1e-6),
  ],
  [
    'Gemm with alpha NaN',
    {
      inputs: { x: [1, 2] },
      initializers: { w: ones(2, 2) },
      nodes: [node('Gemm', ['x', 'w'], ['y'], { alpha: float(Number.NaN) })],
    },
    null,
  ],
]

const normalizations: readonly Expectation[] = [
  [
    'batch normalisation in training mode',
    {
      opset: 15,
      inputs: { x: [2, 2, 3] },
      initializers: channels,
      nodes: [node('BatchNormalization', normalized, ['y', '', ''], { training_mode: 1 })],
    },
    null,
  ],
  [
    'layer normalisation without epsilon',
    {
      opset: 17,
      inputs: { x: [1, 4] },
      initializers: { scale: [1, 1, 1, 1] },
      nodes: [node('LayerNormalization', ['x', 'scale'], ['y'], { epsilon: float(0) })],
    },
    null,
  ],
  [
    'layer normalisation with ε = 10⁻³⁰',
    {
      opset: 17,
      inputs: { x: [1, 4] },
      initializers: { scale: [1, 1, 1, 1] },
      nodes: [node('LayerNormalization', ['x', 'scale'], ['y'], { epsilon: float(1e-30) })],
    },
    0.999e15,
  ],
  [
    'skip normalisation without an epsilon of its own',
    {
      opset: 17,
      opsets: microsoft,
      inputs: { x: [1, 2, 4], skip: [1, 2, 4] },
      initializers: { gamma: [1, 1, 1, 3] },
      nodes: [node('SkipLayerNormalization', ['x', 'skip', 'gamma'], ['y'], {}, { domain: 'com.microsoft' })],
    },
    3e6 * Math.SQRT2 * (1 - 1e-6),
  ],
]

const combinations: readonly Expectation[] = [
  [
    'Add that repeats one of its operands',
    { inputs: { a: [1, 3], b: [5, 3] }, nodes: [node('Add', ['a', 'b'], ['y'])] },
    Math.sqrt(6),
    2.4495,
  ],
  [
    'Expand',
    {
      inputs: { x: [1, 3] },
      initializers: { s: int64s([7, 3]) },
      nodes: [node('Expand', ['x', 's'], ['y'])],
    },
    Math.sqrt(7),
    2.6458,
  ],
  [
    'Where that repeats one of its operands',
    {
      inputs: { a: [1, 3], b: [4, 3] },
      initializers: { c: tensor([4, 1], [1, 1, 1, 1], 'bool') },
      nodes: [node('Where', ['c', 'a', 'b'], ['y'])],
    },
    2,
  ],
  [
    'an average that leaves padding out',
    {
      inputs: { x: [1, 1, 3, 3] },
      nodes: [node('AveragePool', ['x'], ['y'], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] })],
    },
    1.057,
    1.0575,
  ],
  [
    'Softmax over axes as they are in opset 11',
    { opset: 11, inputs: { x: [2, 3] }, nodes: [node('Softmax', ['x'], ['y'])] },
    0.5,
    0.5,
  ],
  [
    'LogSoftmax of groups of one',
    { opset: 13, inputs: { x: [3, 1] }, nodes: [node('LogSoftmax', ['x'], ['y'])] },
    0,
    0,
  ],
  [
    'LogSoftmax over all axes from one on, as in opset 11',
    { opset: 11, inputs: { x: [2, 3, 4] }, nodes: [node('LogSoftmax', ['x'], ['y'], { axis: 1 })] },
    Math.sqrt(12),
  ],
  [
    'x·Φ(x) with Erf of 100·x',
    {
      inputs: { x: [4] },
      initializers: { hundred: scalar(100), one: scalar(1), fifty: scalar(50) },
      nodes: [
        node('Mul', ['x', 'hundred'], ['t']),
        node('Erf', ['t'], ['e']),
        node('Add', ['e', 'one'], ['s']),
        node('Mul', ['x', 's'], ['p']),
        node('Mul', ['p', 'fifty'], ['y']),
      ],
    },
    112.8904,
    112.8906,
  ],
]

const foreign: readonly Expectation[] = [
  [
    'FusedConv with a residual',
    {
      opset: 17,
      opsets: microsoft,
      inputs: { x: [1, 1, 3, 3], z: [1, 1, 3, 3] },
      initializers: { w: tensor([1, 1, 1, 1], [3]) },
      nodes: [
        node('FusedConv', ['x', 'w', '', 'z'], ['y'], { activation: 'Relu' }, { domain: 'com.microsoft' }),
      ],
    },
    Math.sqrt(10) * (1 - 1e-9),
  ],
  ...['EPContext', 'Snpe', 'Whatever'].map(
    (op): Expectation => [
      `${op} on the way`,
      {
        opset: 17,
        opsets: microsoft,
        inputs: { x: [1, 3] },
        nodes: [node(op, ['x'], ['h'], {}, { domain: 'com.microsoft' }), node('Relu', ['h'], ['y'])],
      },
      null,
    ],
  ),
  [
    'an operator of a domain of its own',
    {
      opset: 17,
      opsets: { 'my.domain': 1 },
      inputs: { x: [1, 3] },
      nodes: [node('Relu', ['x'], ['y'], {}, { domain: 'my.domain' })],
    },
    null,
  ],
  ...[0, -1, Number.NaN].map(
    (scale): Expectation => [
      `QuantizeLinear with the scale ${scale}`,
      {
        inputs: { x: [4] },
        initializers: { scale: scalar(scale), zero: tensor([], [0], 'uint8') },
        nodes: [
          node('QuantizeLinear', ['x', 'scale', 'zero'], ['q']),
          node('DequantizeLinear', ['q', 'scale', 'zero'], ['y']),
        ],
      },
      scale === -1 ? 1 : null,
    ],
  ),
]

describeExpectations({
  weights,
  normalisations: normalizations,
  'operands that are combined': combinations,
  'operators of others and of quantised networks': foreign,
})
