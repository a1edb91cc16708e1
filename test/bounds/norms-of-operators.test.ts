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
])
