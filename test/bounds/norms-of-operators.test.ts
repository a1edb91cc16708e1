import { type Case, describeCurved, describeLinear, numbers, one } from '../helpers/norm-cases.ts'
import { float, int64s, node, subgraph, tensor } from '../helpers/onnx-builder.ts'

const domain = 'com.microsoft'
const microsoft = (op: string, inputs: readonly string[], attributes = {}, outputs = ['y']) => [
  node(op, inputs, outputs, attributes, { domain }),
]
const resized = (name: string, attributes: Record<string, unknown>, scales = [1, 1, 2, 1.5]): Case => ({
  name: `Resize, ${name}`,
  x: [1, 1, 4, 4],
  nodes: one('Resize', ['x', '', 's'], attributes),
  constants: { s: tensor([4], scales) },
})

describeLinear('norms in ℓ∞ and ℓ1 are those of the matrix', [
  resized('nearest', { mode: 'nearest', nearest_mode: 'floor' }, [1, 1, 2, 3]),
  resized('linear', { mode: 'linear' }),
  resized('cubic', { mode: 'cubic', cubic_coeff_a: float(-0.5) }),
  resized('aligned', { mode: 'linear', coordinate_transformation_mode: 'align_corners' }, [1, 1, 2, 2]),
  {
    name: 'Einsum by a constant',
    x: [2, 3],
    nodes: one('Einsum', ['x', 'w'], { equation: 'ij,kj->ik' }),
    constants: { w: numbers(4, 3) },
  },
  {
    name: 'Col2Im',
    x: [1, 4, 4],
    nodes: one('Col2Im', ['x', 'i', 'b']),
    constants: { i: int64s([3, 3]), b: int64s([2, 2]) },
  },
  {
    name: 'RotaryEmbedding',
    x: [1, 1, 3, 4],
    nodes: one('RotaryEmbedding', ['x', 'c', 's']),
    constants: { c: numbers(1, 3, 2), s: numbers(1, 3, 2) },
    opset: 23,
    loose: 4,
  },
  {
    name: 'UnfoldTensor',
    x: [1, 6],
    nodes: microsoft('UnfoldTensor', ['x'], { dim: 1, size: 3, step: 2 }),
  },
])

const scanned = (states: number) =>
  subgraph({
    inputs: { ...(states > 0 ? { h: [2] } : {}), step: [2] },
    outputs: states > 0 ? ['next', 'shown'] : ['shown'],
    nodes: [
      ...(states > 0 ? [node('Add', ['h', 'step'], ['s']), node('Tanh', ['s'], ['next'])] : []),
      node('Mul', ['step', 'factor'], ['shown']),
    ],
  })

describeCurved('no pair of points is further apart in ℓ∞ and ℓ1', [
  {
    name: 'a product of two matrices that vary',
    x: [2, 3],
    nodes: [node('Transpose', ['x'], ['t']), node('MatMul', ['x', 't'], ['y'])],
    range: [-2, 2],
  },
  {
    name: 'averages by distributions',
    x: [3, 3],
    nodes: [node('Softmax', ['x'], ['p']), node('MatMul', ['p', 'x'], ['y'])],
    range: [-2, 2],
  },
  {
    name: 'Einsum of three operands that vary',
    x: [2, 2],
    nodes: one('Einsum', ['x', 'x', 'x'], { equation: 'ij,jk,kl->il' }),
    range: [-2, 2],
  },
  {
    name: 'LayerNormalization',
    x: [2, 6],
    nodes: one('LayerNormalization', ['x', 'g'], { epsilon: float(0.5) }),
    constants: { g: numbers(6) },
  },
  {
    name: 'LayerNormalization of a long group',
    x: [1, 24],
    nodes: one('LayerNormalization', ['x', 'g'], { epsilon: float(1) }),
    constants: { g: [...new Array<number>(24).fill(1)] },
  },
  {
    name: 'statistics of a LayerNormalization',
    x: [1, 4],
    nodes: [
      node('LayerNormalization', ['x', 'g'], ['n', 'm', 'i'], { epsilon: float(0.3) }),
      node('Concat', ['m', 'i'], ['y'], { axis: 1 }),
    ],
    constants: { g: numbers(4) },
  },
  {
    name: 'RMSNormalization',
    x: [2, 5],
    nodes: one('RMSNormalization', ['x', 'g'], { epsilon: float(0.4) }),
    constants: { g: numbers(5) },
    opset: 23,
  },
  {
    name: 'GroupNormalization',
    x: [1, 4, 3],
    nodes: one('GroupNormalization', ['x', 'g', 'b'], { num_groups: 2, epsilon: float(0.4) }),
    constants: { g: numbers(4), b: numbers(4) },
    opset: 21,
  },
  {
    name: 'SkipLayerNormalization',
    x: [1, 2, 4],
    nodes: microsoft('SkipLayerNormalization', ['x', 'x', 'g'], { epsilon: float(0.5) }),
    constants: { g: numbers(4) },
  },
  { name: 'LpNormalization', x: [2, 4], nodes: one('LpNormalization', ['x'], { p: 2 }), range: [0.5, 2] },
  {
    name: 'LpNormalization by sums',
    x: [2, 4],
    nodes: one('LpNormalization', ['x'], { p: 1 }),
    range: [0.5, 2],
  },
  { name: 'LRN', x: [1, 6, 1, 1], nodes: one('LRN', ['x'], { size: 3, alpha: float(2), beta: float(0.75) }) },
  {
    name: 'CDist',
    x: [3, 4],
    nodes: microsoft('CDist', ['x', 'c'], { metric: 'euclidean' }),
    constants: { c: numbers(2, 4) },
  },
  {
    name: 'GELU of a sum',
    x: [2, 3],
    nodes: microsoft('BiasGelu', ['x', 'c']),
    constants: { c: numbers(3) },
  },
  {
    name: 'a Scan with a state',
    x: [3, 2],
    nodes: [
      node('Scan', ['start', 'x'], ['last', 'all'], { num_scan_inputs: 1, body: scanned(1) }),
      node('Concat', ['last', 'flat'], ['y'], { axis: 0 }),
      node('Reshape', ['all', 'six'], ['flat']),
    ].toSorted((a, b) => (a.opType === 'Concat' ? 1 : 0) - (b.opType === 'Concat' ? 1 : 0)),
    constants: { start: [0, 0], factor: [2, -1], six: int64s([6]) },
  },
  {
    name: 'a Scan that maps',
    x: [3, 2],
    nodes: [node('Scan', ['x'], ['y'], { num_scan_inputs: 1, body: scanned(0) })],
    constants: { factor: [2, -1] },
    tight: 0.5,
  },
  {
    name: 'Softmax that is written out',
    x: [2, 4],
    nodes: [node('Exp', ['x'], ['e']), node('ReduceSum', ['e', 'a'], ['s']), node('Div', ['e', 's'], ['y'])],
    constants: { a: int64s([1]) },
  },
])

const cell = (op: string, gates: number, attributes: Record<string, unknown> = {}): Case => ({
  name: `${op} ${JSON.stringify(attributes)}`,
  x: [3, 1, 2],
  nodes: [node(op, ['x', 'w', 'r', 'b'], ['y'], { hidden_size: 2, ...attributes } as never)],
  constants: { w: numbers(1, 2 * gates, 2), r: numbers(1, 2 * gates, 2), b: numbers(1, 4 * gates) },
  range: [-1, 1],
  opset: 14,
  tight: 0.005,
})

describeCurved('recurrences in ℓ∞ and ℓ1', [
  cell('RNN', 1),
  cell('GRU', 3),
  cell('GRU', 3, { linear_before_reset: 1, direction: 'reverse' }),
  cell('LSTM', 4),
  cell('LSTM', 4, { input_forget: 1 }),
  {
    ...cell('LSTM', 4),
    name: 'last states of an LSTM in both directions',
    nodes: [
      node('LSTM', ['x', 'w', 'r'], ['', 'h', 'c'], { hidden_size: 2, direction: 'bidirectional' }),
      node('Concat', ['h', 'c'], ['y'], { axis: 2 }),
    ],
    constants: { w: numbers(2, 8, 2), r: numbers(2, 8, 2) },
  },
])

const heads = { q_num_heads: 2, kv_num_heads: 1 }

describeCurved('attention in ℓ∞ and ℓ1', [
  {
    name: 'Attention of heads that share keys and values',
    x: [1, 3, 4],
    nodes: [
      node('Slice', ['x', 'from', 'to', 'axis'], ['half']),
      node('Attention', ['x', 'half', 'half'], ['y'], { ...heads, scale: float(1) }),
    ],
    constants: { from: int64s([1]), to: int64s([3]), axis: int64s([2]) },
    range: [-2, 2],
    opset: 23,
    tight: 0.005,
  },
  {
    name: 'MultiHeadAttention with a bias',
    x: [1, 3, 4],
    nodes: microsoft('MultiHeadAttention', ['x', 'x', 'x', 'b'], { num_heads: 2 }),
    constants: { b: numbers(12) },
    range: [-2, 2],
    tight: 0.005,
  },
])

const quantised = {
  sx: tensor([], [0.05]),
  zx: tensor([], [0], 'int8'),
  sy: tensor([], [0.1]),
  zy: tensor([], [3], 'int8'),
}
const codes = (...dims: number[]) =>
  tensor(
    dims,
    Array.from({ length: dims.reduce((size, dim) => size * dim, 1) }, (_, i) => ((i * 37) % 200) - 100),
    'int8',
  )

describeCurved('rounding in ℓ∞ and ℓ1', [
  {
    name: 'a quantised product',
    x: [2, 4],
    nodes: [
      node('QuantizeLinear', ['x', 'sx', 'zx'], ['q']),
      node('QLinearMatMul', ['q', 'sx', 'zx', 'w', 'sw', 'zx', 'sy', 'zy'], ['p']),
      node('DequantizeLinear', ['p', 'sy', 'zy'], ['y']),
    ],
    constants: { ...quantised, w: codes(4, 3), sw: tensor([], [0.01]) },
  },
  {
    name: 'a quantised sum and its average',
    x: [1, 2, 4, 4],
    nodes: [
      node('QuantizeLinear', ['x', 'sx', 'zx'], ['q']),
      ...microsoft('QLinearAdd', ['q', 'sx', 'zx', 'q', 'sx', 'zx', 'sy', 'zy'], {}, ['s']),
      ...microsoft('QLinearAveragePool', ['s', 'sy', 'zy', 'sy', 'zy'], { kernel_shape: [2, 2] }, ['p']),
      node('DequantizeLinear', ['p', 'sy', 'zy'], ['y']),
    ],
    constants: quantised,
    tight: 0,
  },
])

describeCurved('pools, samples, losses and fused operators in ℓ∞ and ℓ1', [
  {
    name: 'GridSample at constant places',
    x: [1, 1, 4, 4],
    nodes: one('GridSample', ['x', 'g']),
    constants: { g: numbers(1, 2, 3, 2) },
    opset: 16,
  },
  {
    name: 'GridSample at places that vary',
    x: [1, 2, 2, 2],
    nodes: [
      node('Reshape', ['x', 'shape'], ['g']),
      node('Sin', ['g'], ['places']),
      node('GridSample', ['image', 'places'], ['y']),
    ],
    constants: { shape: int64s([1, 2, 2, 2]), image: numbers(1, 3, 4, 5) },
    opset: 16,
  },
  {
    name: 'AffineGrid',
    x: [1, 2, 3],
    nodes: one('AffineGrid', ['x', 's']),
    constants: { s: int64s([1, 1, 3, 4]) },
    opset: 20,
  },
  {
    name: 'RoiAlign',
    x: [1, 1, 5, 5],
    nodes: one('RoiAlign', ['x', 'rois', 'i'], { output_height: 2, output_width: 2, sampling_ratio: 2 }),
    constants: { rois: tensor([2, 4], [0, 0, 3, 3, 1, 1, 4, 4]), i: int64s([0, 0]) },
    opset: 16,
  },
  ...['none', 'sum', 'mean'].map(
    (reduction): Case => ({
      name: `SoftmaxCrossEntropyLoss, ${reduction}`,
      x: [3, 4],
      nodes: one('SoftmaxCrossEntropyLoss', ['x', 'labels'], { reduction }),
      constants: { labels: int64s([2, 0, 3]) },
      opset: 13,
    }),
  ),
  { name: 'LpPool', x: [1, 1, 5, 5], nodes: one('LpPool', ['x'], { kernel_shape: [3, 3], p: 3 }) },
  { name: 'GlobalLpPool', x: [1, 2, 3, 3], nodes: one('GlobalLpPool', ['x'], { p: 1 }) },
  {
    name: 'FusedConv with a residual',
    x: [1, 2, 4, 4],
    nodes: microsoft('FusedConv', ['x', 'w', '', 'x'], { activation: 'Relu', pads: [1, 1, 1, 1] }),
    constants: { w: numbers(2, 2, 3, 3) },
  },
  {
    name: 'FusedGemm',
    x: [2, 3],
    nodes: microsoft('FusedGemm', ['x', 'w'], { activation: 'LeakyRelu', activation_alpha: float(2) }),
    constants: { w: numbers(3, 4) },
  },
])
