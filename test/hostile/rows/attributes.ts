/** Attributes: missing, doubled, of the wrong kind, and values that an operator cannot have. */
import {
  type AttributeValue,
  float,
  int64s,
  type Message,
  type ModelSpec,
  node,
  tensor,
} from '../../helpers/onnx-builder.ts'
import {
  about,
  type Chapter,
  malformed,
  norm1234,
  type Outcome,
  oneNode,
  plain,
  type Row,
  row,
  shape,
} from '../row.ts'

const big = (exponent: number) => String(2n ** BigInt(exponent))

/** A node whose attributes are written out, message by message. */
const written = (op: string, attributes: readonly Message[], more: Partial<ModelSpec> = {}): ModelSpec => ({
  ...plain,
  initializers: {},
  nodes: [{ opType: op, input: ['x'], output: ['y'], attribute: attributes }],
  ...more,
})
const refused = (says: RegExp): Outcome => malformed(says)

const forms: Chapter = [
  row(
    'an attribute twice',
    written('Elu', [
      { name: 'alpha', type: 1, f: 1 },
      { name: 'alpha', type: 1, f: 1000 },
    ]),
    refused(/'alpha' is given twice/),
  ),
  row(
    'an attribute whose type is not that of its value',
    written('Elu', [{ name: 'alpha', type: 2, f: 1000 }]),
    refused(/holds 'f'/),
  ),
  row(
    'an attribute of two values',
    written('Elu', [{ name: 'alpha', type: 1, floats: [1000], ints: [3] }]),
    refused(/holds/),
  ),
  row(
    'an attribute without a type',
    written('Elu', [{ name: 'alpha', f: 1000 }]),
    refused(/does not say its type/),
  ),
  row('an attribute of type 99', written('Elu', [{ name: 'alpha', type: 99, f: 1000 }]), refused(/type/)),
  row('an attribute of type -1', written('Elu', [{ name: 'alpha', type: -1, f: 1000 }]), refused(/type/)),
  row(
    'an attribute of another kind than the operator has',
    written('Elu', [{ name: 'alpha', type: 2, i: 1000 }]),
    refused(/alpha/),
  ),
  row(
    'an attribute that the operator does not have',
    written('Elu', [{ name: 'beta', type: 1, f: 1 }]),
    refused(/'beta' is none of Elu/),
  ),
  row('an attribute without a name', written('Elu', [{ type: 1, f: 1 }]), refused(/''/)),
  row(
    'an attribute of __proto__',
    written('Elu', [{ name: '__proto__', type: 1, f: 1 }]),
    refused(/__proto__/),
  ),
  row(
    'an attribute of constructor',
    written('Elu', [{ name: 'constructor', type: 1, f: 1 }]),
    refused(/constructor/),
  ),
  row('an attribute that is missing', written('Cast', []), refused(/lacks its attribute 'to'|'to'/)),
  row(
    'a constant of two values',
    {
      ...plain,
      initializers: {},
      nodes: [
        node('Constant', [], ['w'], { value_float: float(1), value_floats: [1, 2] as const }),
        node('Mul', ['x', 'w'], ['y']),
      ],
    },
    malformed(/Constant/),
  ),
  row(
    'a constant of no value',
    { ...plain, initializers: {}, nodes: [node('Constant', [], ['w']), node('Mul', ['x', 'w'], ['y'])] },
    shape(/Constant/),
  ),
  row(
    'a constant whose tensor is missing',
    written('Relu', [], {
      nodes: [
        { opType: 'Constant', output: ['w'], attribute: [{ name: 'value', type: 4 }] },
        node('Mul', ['x', 'w'], ['y']),
      ],
    }),
    refused(/no value/),
  ),
  row('too many inputs', { ...plain, nodes: [node('Relu', ['x', 'w'], ['y'])] }, malformed(/2 inputs/)),
  row('too few inputs', { ...plain, nodes: [node('MatMul', ['x'], ['y'])] }, malformed(/1 inputs/)),
  row('no inputs at all', { ...plain, nodes: [node('Relu', [], ['y'])] }, malformed(/0 inputs/)),
  row(
    'an input of no name where one is needed',
    { ...plain, nodes: [node('MatMul', ['', 'w'], ['y'])] },
    { refused: 'shape', says: /MatMul/ },
  ),
  row('too many outputs', { ...plain, nodes: [node('Relu', ['x'], ['y', 'z'])] }, malformed(/2 outputs/)),
  row(
    'Softmax along an axis of -2^63',
    {
      ...oneNode('Softmax'),
      nodes: [
        {
          opType: 'Softmax',
          input: ['x'],
          output: ['y'],
          attribute: [{ name: 'axis', type: 2, i: `-${big(63)}` }],
        },
      ],
    },
    shape(/axis/),
  ),
]

const bn = (
  values: Partial<Record<'scale' | 'b' | 'mean' | 'variance', readonly number[]>>,
  attributes: Record<string, AttributeValue> = {},
  more: Partial<ModelSpec> = {},
): ModelSpec => ({
  inputs: { x: [1, 2, 3, 3] },
  outputs: ['y'],
  initializers: { scale: [1, 1], b: [0, 0], mean: [0, 0], variance: [1, 1], ...values },
  nodes: [node('BatchNormalization', ['x', 'scale', 'b', 'mean', 'variance'], ['y'], attributes)],
  ...more,
})
const normalisations: Chapter = [
  row('a variance below zero', bn({ variance: [-1, 1] }), malformed(/variance plus epsilon/)),
  row(
    'a variance that epsilon cancels',
    bn({ variance: [-1, 1] }, { epsilon: float(1) }),
    malformed(/variance plus epsilon/),
  ),
  row(
    'a variance and an epsilon of zero',
    bn({ variance: [0, 1] }, { epsilon: float(0) }),
    malformed(/variance plus epsilon/),
  ),
  row('an epsilon below zero', bn({}, { epsilon: float(-2) }), malformed(/variance plus epsilon/)),
  row('an epsilon of NaN', bn({}, { epsilon: float(Number.NaN) }), { unbounded: /./ }),
  row('a variance of NaN', bn({ variance: [Number.NaN, 1] }), { unbounded: /./ }),
  row('a scale of NaN', bn({ scale: [Number.NaN, 1] }), { unbounded: /./ }),
  row('a mean of infinity', bn({ mean: [Infinity, 1] }), { unbounded: /./ }),
  row(
    'a scale of 1e30 over a small variance',
    bn({ scale: [1e30, 1], variance: [1e-30, 1] }, { epsilon: float(0) }),
    { bound: [1e45, 1.01e45] },
  ),
  row('statistics of the wrong length', bn({ mean: [0, 0, 0] }), shape(/BatchNormalization/)),
  row('training mode', bn({}, { training_mode: 1 }), { unbounded: /./ }),
  row(
    'layer normalisation without epsilon',
    { ...oneNode('LayerNormalization', { s: [1, 1] }, { epsilon: float(0) }) },
    { unbounded: /./ },
  ),
  row(
    'layer normalisation with an epsilon below zero',
    { ...oneNode('LayerNormalization', { s: [1, 1] }, { epsilon: float(-1) }) },
    { unbounded: /./ },
  ),
  row(
    'dropout in training mode',
    {
      ...plain,
      initializers: { r: tensor([], [0.5]), t: tensor([], [1], 'bool') },
      nodes: [node('Dropout', ['x', 'r', 't'], ['y'])],
    },
    { unbounded: /random|training/ },
  ),
  row('a norm over nothing', { ...oneNode('LpNormalization', {}, { p: 2, axis: 1 }) }, { unbounded: /./ }),
]

const gemm = (
  attributes: Record<string, AttributeValue>,
  outcome: Outcome,
  name: string,
  c: Message | readonly number[] = [0, 0],
  inputs: ModelSpec['inputs'] = { x: [1, 2] },
): Row =>
  row(
    name,
    {
      ...plain,
      inputs,
      initializers: { w: tensor([2, 2], [1, 2, 3, 4]), c },
      nodes: [node('Gemm', ['x', 'w', 'c'], ['y'], attributes)],
    },
    outcome,
  )
const products: Chapter = [
  gemm(
    { alpha: float(1e6) },
    { bound: [norm1234 * 999_999, norm1234 * 1.01e6] },
    'Gemm with an alpha of a million',
  ),
  gemm({ alpha: float(Number.NaN) }, { unbounded: /./ }, 'Gemm with an alpha of NaN'),
  gemm({ alpha: float(Infinity) }, { unbounded: /./ }, 'Gemm with an infinite alpha'),
  gemm({ alpha: float(0) }, { bound: [0, 0] }, 'Gemm with an alpha of zero'),
  gemm({ beta: float(Number.NaN) }, { unbounded: /./ }, 'Gemm with a beta of NaN'),
  gemm({ transA: 2 }, shape(/transA|Gemm/), 'Gemm that is transposed twice'),
  gemm({ transB: -1 }, shape(/transB|Gemm/), 'Gemm that is transposed less than once'),
  gemm({}, shape(/Gemm/), 'Gemm with a bias of the wrong length', [1, 2, 3]),
  row(
    'Gemm with data as bias that is broadcast',
    { ...plain, inputs: { x: [4, 2], c: [1, 2] }, nodes: [node('Gemm', ['x', 'w', 'c'], ['y'])] },
    { bound: [Math.hypot(norm1234, 2) * 0.999, Math.hypot(norm1234, 2) * 1.01] },
  ),
]

const conv = (
  name: string,
  attributes: Record<string, AttributeValue>,
  outcome: Outcome,
  weight: Message = tensor([1, 1, 2, 2], [1, 2, 3, 4]),
  input: readonly number[] = [1, 1, 4, 4],
): Row =>
  row(
    name,
    {
      inputs: { x: input },
      outputs: ['y'],
      initializers: { w: weight },
      nodes: [node('Conv', ['x', 'w'], ['y'], attributes)],
    },
    outcome,
  )
const any: Outcome = { refused: 'shape', says: /Conv/ }
const convolutions: Chapter = [
  conv('Conv of no groups', { group: 0 }, any),
  conv('Conv of -1 groups', { group: -1 }, any),
  conv('Conv of 2^40 groups', { group: 2 ** 40 }, any),
  conv('Conv of groups that do not divide', { group: 3 }, any, tensor([2, 1, 1, 1], [1, 2]), [1, 4, 4, 4]),
  conv('Conv whose kernel_shape is not that of its kernel', { kernel_shape: [3, 3] }, any),
  conv('Conv whose kernel_shape is of another rank', { kernel_shape: [2] }, any),
  conv('Conv of stride 0', { strides: [0, 1] }, any),
  conv('Conv of stride -1', { strides: [-1, 1] }, any),
  conv('Conv of too many strides', { strides: [1, 1, 1] }, any),
  conv('Conv of dilation 0', { dilations: [0, 1] }, any),
  conv('Conv of padding below zero', { pads: [-1, 0, 0, 0] }, any),
  conv('Conv of too few paddings', { pads: [1, 1] }, any),
  conv('Conv of a padding of 2^50', { pads: [2 ** 50, 0, 0, 0] }, { bound: [5.47, 10] }),
  conv('Conv of automatic padding and padding', { auto_pad: 'SAME_UPPER', pads: [1, 1, 1, 1] }, any),
  conv('Conv of a padding that is none', { auto_pad: 'FOO' }, any),
  conv('Conv of a stride above its kernel', { strides: [3, 3] }, { bound: about(Math.sqrt(30)) }),
  conv('Conv of a stride of 2^40', { strides: [2 ** 40, 2 ** 40] }, { bound: about(Math.sqrt(30)) }),
  conv('Conv of a dilation of 2^40', { dilations: [2 ** 40, 1] }, any),
  conv('Conv of a kernel above its input', {}, any, tensor([1, 1, 2, 2], [1, 2, 3, 4]), [1, 1, 1, 1]),
  conv('Conv of an input of one', {}, { bound: about(3) }, tensor([1, 1, 1, 1], [3]), [1, 1, 1, 1]),
  conv('Conv of five axes', {}, { bound: about(3) }, tensor([1, 1, 1, 1, 1], [3]), [1, 1, 2, 2, 2]),
  conv('Conv of no channels', {}, { refused: 'shape', says: /Conv/ }, { dims: [1, 0, 2, 2], dataType: 1 }),
  conv('Conv of no outputs', {}, { bound: [0, 0] }, { dims: [0, 1, 2, 2], dataType: 1 }),
  conv('Conv of an empty batch', {}, { bound: [0, 10] }, tensor([1, 1, 2, 2], [1, 2, 3, 4]), [0, 1, 4, 4]),
]

const moves: Chapter = [
  row('Reshape to two unknowns', oneNode('Reshape', { s: int64s([-1, -1]) }), shape(/Reshape/)),
  row('Reshape to -2', oneNode('Reshape', { s: int64s([-2, -1]) }), shape(/Reshape/)),
  row('Reshape to another size', oneNode('Reshape', { s: int64s([3]) }), shape(/Reshape/)),
  row('Reshape to what does not divide', oneNode('Reshape', { s: int64s([-1, 3]) }), shape(/Reshape/)),
  row(
    'Reshape to zero and an unknown',
    oneNode('Reshape', { s: int64s([0, -1]) }, { allowzero: 1 }),
    shape(/Reshape/),
  ),
  row('Reshape to more zeros than axes', oneNode('Reshape', { s: int64s([1, 2, 0]) }), shape(/Reshape/)),
  row('Reshape to 2^40 by 2^40', oneNode('Reshape', { s: int64s([2 ** 40, 2 ** 40]) }), shape(/Reshape/)),
  row('Transpose of an axis twice', oneNode('Transpose', {}, { perm: [0, 0] }), shape(/Transpose/)),
  row(
    'Transpose of an axis that is not there',
    oneNode('Transpose', {}, { perm: [0, 7] }),
    shape(/Transpose/),
  ),
  row('Transpose of too few axes', oneNode('Transpose', {}, { perm: [0] }), shape(/Transpose/)),
  row('an axis that is not there', oneNode('Softmax', {}, { axis: 2 }), shape(/axis/)),
  row(
    'Concat of other ranks',
    { ...plain, inputs: { x: [1, 2], z: [2] }, nodes: [node('Concat', ['x', 'z'], ['y'], { axis: 0 })] },
    shape(/Concat/),
  ),
  row('Split into other sizes', { ...oneNode('Split', { s: int64s([1, 2]) }, { axis: 1 }) }, shape(/Split/)),
  row(
    'Split into sizes below zero',
    {
      ...plain,
      initializers: { s: int64s([3, -1]) },
      nodes: [node('Split', ['x', 's'], ['y', 'z'], { axis: 1 })],
    },
    shape(/Split/),
  ),
  row(
    'Slice to the end of all integers',
    oneNode('Slice', {
      b: int64s([0]),
      e: { dims: [1], dataType: 7, int64Data: [String(2n ** 63n - 1n)] },
      a: int64s([1]),
    }),
    { bound: about(1) },
  ),
  row(
    'Slice backwards to the start of all integers',
    oneNode('Slice', {
      b: int64s([-1]),
      e: { dims: [1], dataType: 7, int64Data: [String(-(2n ** 63n))] },
      a: int64s([1]),
      s: int64s([-1]),
    }),
    { bound: about(1) },
  ),
  row(
    'Slice of step 0',
    oneNode('Slice', { b: int64s([0]), e: int64s([2]), a: int64s([1]), s: int64s([0]) }),
    shape(/Slice/),
  ),
  row(
    'Slice of an axis twice',
    oneNode('Slice', { b: int64s([0, 0]), e: int64s([1, 1]), a: int64s([1, 1]) }),
    shape(/Slice/),
  ),
  row('Squeeze of an axis that is not one', oneNode('Squeeze', { a: int64s([1]) }), shape(/Squeeze/)),
  row('Unsqueeze of an axis twice', oneNode('Unsqueeze', { a: int64s([0, 0]) }), shape(/Unsqueeze/)),
  row(
    'Gather beyond the end',
    { ...plain, initializers: { i: int64s([5]) }, nodes: [node('Gather', ['x', 'i'], ['y'], { axis: 1 })] },
    malformed(/Gather/),
  ),
  row('Pad of a width below the size', oneNode('Pad', { p: int64s([0, -3, 0, 0]) }), shape(/Pad/)),
  row(
    'Pad by reflection beyond the size',
    oneNode('Pad', { p: int64s([0, 5, 0, 0]) }, { mode: 'reflect' }),
    'audited',
  ),
  row(
    'a pooling of stride 0',
    { ...oneNode('MaxPool', {}, { kernel_shape: [2, 2], strides: [0, 1] }), inputs: { x: [1, 1, 4, 4] } },
    shape(/MaxPool/),
  ),
  row(
    'a pooling of an empty kernel',
    { ...oneNode('AveragePool', {}, { kernel_shape: [0, 2] }), inputs: { x: [1, 1, 4, 4] } },
    shape(/AveragePool/),
  ),
  row(
    'a pooling of padding above its kernel',
    {
      ...oneNode('AveragePool', {}, { kernel_shape: [2, 2], pads: [5, 5, 5, 5] }),
      inputs: { x: [1, 1, 4, 4] },
    },
    'audited',
  ),
  row(
    'a reduction of an axis that is not there',
    oneNode('ReduceSum', { a: int64s([9]) }),
    shape(/ReduceSum/),
  ),
  row(
    'Resize by a scale of zero',
    { ...oneNode('Resize'), nodes: [node('Resize', ['x', '', 's'], ['y'])], initializers: { s: [1, 0] } },
    shape(/Resize/),
  ),
  row(
    'Resize by a scale of NaN',
    {
      ...oneNode('Resize'),
      nodes: [node('Resize', ['x', '', 's'], ['y'])],
      initializers: { s: [1, Number.NaN] },
    },
    { unbounded: /not finite/ },
  ),
  row(
    'Resize by a scale below zero',
    { ...oneNode('Resize'), nodes: [node('Resize', ['x', '', 's'], ['y'])], initializers: { s: [1, -2] } },
    shape(/Resize/),
  ),
]

const einsum = (equation: string, outcome: Outcome, name: string): Row =>
  row(name, { ...oneNode('Einsum', { w: tensor([2, 2], [1, 2, 3, 4]) }, { equation }) }, outcome)
const equations: Chapter = [
  einsum(' i j , j k -> i k ', { bound: about(norm1234) }, 'Einsum with blanks'),
  einsum('...j,jk->...k', { bound: [norm1234 * 0.999, norm1234 * 2] }, 'Einsum with an ellipsis'),
  einsum('Ij,jK->IK', { bound: about(norm1234) }, 'Einsum in capitals'),
  einsum('ij,jk->iz', { refused: 'shape', says: /Einsum/ }, 'Einsum with an output that is not there'),
  einsum('ij,jk,kl->il', { refused: 'shape', says: /Einsum/ }, 'Einsum of too many terms'),
  einsum('ijk,jk->i', { refused: 'shape', says: /Einsum/ }, 'Einsum of too many axes'),
  einsum('', { refused: 'shape', says: /Einsum/ }, 'Einsum of nothing'),
  einsum('->->', { refused: 'shape', says: /Einsum/ }, 'Einsum of arrows'),
  einsum('ij,jk->ii', { refused: 'shape', says: /Einsum/ }, 'Einsum with an output twice'),
  einsum('i\u0000,jk->k', { refused: 'shape', says: /Einsum/ }, 'Einsum of control characters'),
  einsum(`${'ab'.repeat(5000)},jk->k`, { refused: 'shape', says: /Einsum/ }, 'Einsum of 10,000 letters'),
  einsum(`${'.'.repeat(10_000)},jk->k`, { refused: 'shape', says: /Einsum/ }, 'Einsum of 10,000 dots'),
  einsum(`${','.repeat(100_000)}->k`, { refused: 'shape', says: /Einsum/ }, 'Einsum of 100,000 terms'),
  row(
    'Einsum of a diagonal',
    { ...oneNode('Einsum', {}, { equation: 'ii->i' }), inputs: { x: [2, 2] } },
    { bound: [0.99, 2] },
  ),
]

const lstm = (
  name: string,
  attributes: Record<string, AttributeValue>,
  outcome: Outcome,
  r: readonly number[] = [1, 4, 1],
): Row =>
  row(
    name,
    {
      inputs: { x: [2, 1, 2] },
      outputs: ['y'],
      initializers: {
        w: tensor([1, 4, 2], [1, 2, 3, 4, 5, 6, 7, 8]),
        r: tensor(r, Array(r.reduce((a, b) => a * b)).fill(0.1)),
      },
      nodes: [node('LSTM', ['x', 'w', 'r'], ['y'], { hidden_size: 1, ...attributes })],
    },
    outcome,
  )
const recurrences: Chapter = [
  lstm(
    'LSTM of an activation that is none',
    { activations: ['FOO', 'Tanh', 'Tanh'] },
    { unbounded: /no rule/ },
  ),
  lstm('LSTM of too few activations', { activations: ['Sigmoid'] }, { refused: 'shape', says: /LSTM/ }),
  lstm('LSTM of another size', { hidden_size: 3 }, shape(/LSTM/)),
  lstm('LSTM of recurrent weights of another shape', {}, shape(/LSTM/), [1, 4, 3]),
  lstm('LSTM of a direction that is none', { direction: 'sideways' }, shape(/LSTM/)),
  lstm('LSTM in two directions with weights for one', { direction: 'bidirectional' }, shape(/LSTM/)),
  lstm('LSTM with a clip below zero', { clip: float(-1) }, 'audited'),
  lstm('LSTM of size zero', { hidden_size: 0 }, shape(/LSTM/)),
]

const quantised = (name: string, scale: number, outcome: Outcome): Row =>
  row(
    name,
    {
      ...plain,
      initializers: { s: tensor([], [scale]), z: tensor([], [0], 'uint8') },
      nodes: [
        node('QuantizeLinear', ['x', 's', 'z'], ['q']),
        node('DequantizeLinear', ['q', 's', 'z'], ['y']),
      ],
    },
    outcome,
  )
const quantisations: Chapter = [
  quantised('quantisation by a scale of one', 1, { finding: 'quantisation-offset' }),
  quantised('quantisation by a scale of zero', 0, { unbounded: /./ }),
  quantised('quantisation by a scale of NaN', Number.NaN, { unbounded: /./ }),
  quantised('quantisation by a scale below zero', -1, 'audited'),
  quantised('quantisation by an infinite scale', Infinity, { unbounded: /./ }),
  row(
    'quantisation by scales of the wrong number',
    {
      ...plain,
      initializers: { s: [1, 1, 1] },
      nodes: [
        node('DequantizeLinear', ['q', 's'], ['y'], { axis: 1 }),
        node('Cast', ['x'], ['q'], { to: 3 }),
      ],
    },
    shape(/DequantizeLinear/),
  ),
  row(
    'quantisation along an axis that is not there',
    {
      ...plain,
      initializers: { s: [1, 1] },
      nodes: [
        node('DequantizeLinear', ['q', 's'], ['y'], { axis: 7 }),
        node('Cast', ['x'], ['q'], { to: 3 }),
      ],
    },
    shape(/DequantizeLinear/),
  ),
]

export const attributes: Chapter = [
  ...forms,
  ...normalisations,
  ...products,
  ...convolutions,
  ...moves,
  ...equations,
  ...recurrences,
  ...quantisations,
]
