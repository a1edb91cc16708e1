/** Networks that invite a bound that is too small, or a proof where there is none. */
import { float, int64s, type ModelSpec, node, scalar, subgraph, tensor } from '../../helpers/onnx-builder.ts'
import { about, type Chapter, malformed, norm1234, type Outcome, oneNode, plain, row, shape } from '../row.ts'

const none: Outcome = { unbounded: /./ }
const two = (op: string, more: Partial<ModelSpec> = {}): ModelSpec => ({
  inputs: { x: [1, 2], z: [1, 2] },
  outputs: ['y'],
  nodes: [node(op, ['x', 'z'], ['y'])],
  ...more,
})
const chain = (
  ...steps: readonly (readonly [string, readonly string[], string, Parameters<typeof node>[3]?])[]
) => steps.map(([op, inputs, output, attributes]) => node(op, inputs, [output], attributes))

/** A row of `length` ones: 9 less a zero point of 8, twice a byte, in blocks of 16. */
const nBits = (
  length: number,
  attributes: Parameters<typeof node>[3] = {},
  zeroPoints?: number,
): ModelSpec => {
  const packed = { w: tensor([1, 2, 8], Array(16).fill(0x99), 'uint8'), s: tensor([2], [1, 1]) }
  return {
    inputs: { x: [1, length] },
    outputs: ['y'],
    opsets: { 'com.microsoft': 1 },
    initializers: zeroPoints === undefined ? packed : { ...packed, z: tensor([1], [zeroPoints], 'uint8') },
    nodes: [
      node(
        'MatMulNBits',
        ['x', 'w', 's', ...(zeroPoints === undefined ? [] : ['z'])],
        ['y'],
        { K: length, N: 1, bits: 4, block_size: 16, ...attributes },
        { domain: 'com.microsoft' },
      ),
    ],
  }
}

export const proofs: Chapter = [
  row(
    'a sum that is broadcast',
    { inputs: { x: [1, 2], z: [4, 2] }, outputs: ['y'], nodes: [node('Add', ['x', 'z'], ['y'])] },
    { bound: [2.236, 3.01] },
  ),
  row('Expand to nine copies', oneNode('Expand', { s: int64s([9, 2]) }), { bound: about(3) }),
  row('Tile of nine copies', oneNode('Tile', { s: int64s([9, 1]) }), { bound: about(3) }),
  row(
    'Where with data that is broadcast',
    {
      ...plain,
      inputs: { x: [1, 2], z: [4, 2] },
      initializers: { c: tensor([1], [1], 'bool') },
      nodes: [node('Where', ['c', 'x', 'z'], ['y'])],
    },
    { bound: [2, 3.01] },
  ),
  row(
    'AveragePool that does not count its padding',
    {
      ...oneNode('AveragePool', {}, { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
      inputs: { x: [1, 1, 3, 3] },
    },
    { bound: [1.057, 3] },
  ),
  row('Softmax', oneNode('Softmax'), { bound: [0.5, 0.51] }),
  row('LogSoftmax of one', { ...oneNode('LogSoftmax'), inputs: { x: [4, 1] } }, { bound: [0, 0] }),
  row(
    'Softmax of version 11 over all axes',
    { ...oneNode('Softmax', {}, { axis: 1 }), opset: 11, inputs: { x: [1, 2, 2] } },
    { bound: [0.5, 0.51] },
  ),
  row('a product of data with itself', { ...plain, nodes: [node('Mul', ['x', 'x'], ['y'])] }, none),
  row('a product of two inputs', two('Mul'), none),
  row('a quotient of two inputs', two('Div'), none),
  row(
    'a power of data',
    { ...plain, initializers: { p: scalar(2) }, nodes: [node('Pow', ['x', 'p'], ['y'])] },
    none,
  ),
  row(
    'a gate',
    {
      ...plain,
      nodes: chain(['MatMul', ['x', 'w'], 'h'], ['Sigmoid', ['h'], 'g'], ['Mul', ['x', 'g'], 'y']),
    },
    none,
  ),
  row(
    'attention without a domain',
    {
      inputs: { x: [2, 2] },
      outputs: ['y'],
      nodes: chain(
        ['Transpose', ['x'], 't'],
        ['MatMul', ['x', 't'], 's'],
        ['Softmax', ['s'], 'p'],
        ['MatMul', ['p', 'x'], 'y'],
      ),
    },
    none,
  ),
  row(
    'attention on a domain',
    {
      inputs: { x: [2, 2] },
      outputs: ['y'],
      nodes: chain(
        ['Transpose', ['x'], 't'],
        ['MatMul', ['x', 't'], 's'],
        ['Softmax', ['s'], 'p'],
        ['MatMul', ['p', 'x'], 'y'],
      ),
    },
    { bound: [1, 100] },
    { args: ['--input-range', '-1,1'] },
  ),
  row(
    'Log behind Clip',
    {
      ...plain,
      initializers: { lo: scalar(1e-10), hi: scalar(Infinity) },
      nodes: chain(['Clip', ['x', 'lo', 'hi'], 'c'], ['Log', ['c'], 'y']),
    },
    { bound: [0.99e10, 1.01e10] },
  ),
  row('Sqrt of data', oneNode('Sqrt'), none),
  row('Exp of data', oneNode('Exp'), none),
  row('Reciprocal of data', oneNode('Reciprocal'), none),
  row(
    'a look-alike of GELU',
    {
      ...plain,
      initializers: { r: scalar(100), one: scalar(1), half: scalar(50) },
      nodes: chain(
        ['Mul', ['x', 'r'], 'a'],
        ['Erf', ['a'], 'e'],
        ['Add', ['e', 'one'], 's'],
        ['Mul', ['x', 's'], 'p'],
        ['Mul', ['p', 'half'], 'y'],
      ),
    },
    'audited',
  ),
  row('Round on the way', oneNode('Round'), 'audited'),
  row('Sign on the way', oneNode('Sign'), 'audited'),
  row(
    'ArgMax that reaches the output',
    {
      ...oneNode('ArgMax', {}, { axis: 1 }),
      nodes: chain(['ArgMax', ['x'], 'i', { axis: 1 }], ['Cast', ['i'], 'y', { to: 1 }]),
    },
    'audited',
  ),
  row(
    'ArgMax that reaches nothing',
    { ...plain, nodes: [...(plain.nodes ?? []), node('ArgMax', ['x'], ['i'], { axis: 1 })] },
    { bound: about(norm1234) },
  ),
  row(
    'NonZero that reaches the output',
    { ...plain, nodes: chain(['NonZero', ['x'], 'i'], ['Cast', ['i'], 'y', { to: 1 }]) },
    none,
  ),
  row(
    'random numbers',
    { ...plain, nodes: [node('RandomNormalLike', ['x'], ['r']), node('Add', ['x', 'r'], ['y'])] },
    none,
  ),
  row(
    'Multinomial',
    { ...plain, nodes: [node('Multinomial', ['x'], ['i']), node('Cast', ['i'], ['y'], { to: 1 })] },
    none,
  ),
  row(
    'If whose condition is data',
    {
      ...plain,
      inputs: { x: [1, 2], c: { type: 'bool', shape: [] } },
      nodes: [
        node('If', ['c'], ['y'], {
          then_branch: subgraph({ outputs: ['t'], nodes: [node('MatMul', ['x', 'w'], ['t'])] }),
          else_branch: subgraph({ outputs: ['e'], nodes: [node('Relu', ['x'], ['e'])] }),
        }),
      ],
    },
    { bound: [norm1234 * 0.999, Infinity] },
  ),
  row(
    'If whose condition is computed from floats',
    {
      ...plain,
      initializers: { z: scalar(0), ...plain.initializers },
      nodes: [
        node('ReduceSum', ['x'], ['s'], { keepdims: 0 }),
        node('Greater', ['s', 'z'], ['c']),
        node('If', ['c'], ['y'], {
          then_branch: subgraph({ outputs: ['t'], nodes: [node('MatMul', ['x', 'w'], ['t'])] }),
          else_branch: subgraph({ outputs: ['e'], nodes: [node('Relu', ['x'], ['e'])] }),
        }),
      ],
    },
    none,
  ),
  row(
    'If of a constant',
    {
      ...plain,
      initializers: { c: tensor([], [0], 'bool'), ...plain.initializers },
      nodes: [
        node('If', ['c'], ['y'], {
          then_branch: subgraph({ outputs: ['t'], nodes: [node('MatMul', ['x', 'w'], ['t'])] }),
          else_branch: subgraph({ outputs: ['e'], nodes: [node('Relu', ['x'], ['e'])] }),
        }),
      ],
    },
    { bound: about(1) },
  ),
  row(
    'FusedConv that adds data',
    {
      inputs: { x: [1, 1, 2, 2], z: [1, 1, 2, 2] },
      outputs: ['y'],
      opsets: { 'com.microsoft': 1 },
      initializers: { k: tensor([1, 1, 1, 1], [3]), b: [0] },
      nodes: [node('FusedConv', ['x', 'k', 'b', 'z'], ['y'], {}, { domain: 'com.microsoft' })],
    },
    { bound: [3.162, 4.1] },
  ),
  row(
    'a convolution as the layers of an operator that nobody knows',
    {
      ...plain,
      opsets: { own: 1 },
      nodes: chain(['MatMul', ['x', 'w'], 'h']).concat(
        node('Conv', ['h', 'w'], ['y'], {}, { domain: 'own' }),
      ),
    },
    none,
  ),
  row(
    'Clip of a lower end above the upper',
    {
      ...plain,
      initializers: { lo: scalar(5), hi: scalar(-5) },
      nodes: [node('Clip', ['x', 'lo', 'hi'], ['y'])],
    },
    { bound: [0, 1] },
  ),
  row(
    'Clip whose ends are data',
    { inputs: { x: [1, 2], hi: [] }, outputs: ['y'], nodes: [node('Clip', ['x', '', 'hi'], ['y'])] },
    { bound: [1, 2] },
  ),
  row('LeakyRelu of slope -100', oneNode('LeakyRelu', {}, { alpha: float(-100) }), { bound: about(100) }),
  row('Elu of infinite alpha', oneNode('Elu', {}, { alpha: float(Infinity) }), none),
  row('HardSigmoid of alpha 1e30', oneNode('HardSigmoid', {}, { alpha: float(1e30) }), {
    bound: [0.99e30, 1.01e30],
  }),
  row(
    'Cast to integers and back',
    { ...plain, nodes: chain(['Cast', ['x'], 'i', { to: 7 }], ['Cast', ['i'], 'y', { to: 1 }]) },
    'audited',
  ),
  row(
    'CumSum of eight',
    { ...oneNode('CumSum', { a: int64s(1) }), inputs: { x: [1, 8] } },
    { bound: [5.09, 8] },
  ),
  row(
    'a shape that depends on data',
    {
      ...plain,
      nodes: chain(
        ['NonZero', ['x'], 'i'],
        ['Shape', ['i'], 's'],
        ['Cast', ['s'], 'f', { to: 1 }],
        ['ReduceSum', ['f'], 'r', { keepdims: 0 }],
        ['Mul', ['x', 'r'], 'y'],
      ),
    },
    none,
  ),
  row(
    'a scatter to positions that are data',
    {
      inputs: { x: [4], i: { type: 'int64', shape: [2, 1] }, u: [2] },
      outputs: ['y'],
      nodes: [node('ScatterND', ['x', 'i', 'u'], ['y'])],
    },
    { bound: [1, 3] },
  ),
  row(
    'a scatter that adds to one place often',
    {
      inputs: { x: [4], u: [9] },
      outputs: ['y'],
      initializers: { i: tensor([9, 1], Array(9).fill(0), 'int64') },
      nodes: [node('ScatterND', ['x', 'i', 'u'], ['y'], { reduction: 'add' })],
    },
    { bound: [3.16, 10] },
  ),
  row('a gather of one element often', oneNode('Gather', { i: int64s(Array(9).fill(0)) }, { axis: 1 }), {
    bound: [3, 5],
  }),
  row('weights of 4 bits, the last block padded, no zero points', nBits(20), { bound: about(20 ** 0.5) }),
  row('weights of 4 bits with a zero point of 9', nBits(20, {}, 0x99), { bound: [0, 0] }),
  row('weights of 4 bits that are packed for another machine', nBits(20, { weight_prepacked: 1 }), none),
  row('weights of 4 bits in too few blocks', nBits(36), malformed(/MatMulNBits/)),
  row('weights of 4 bits in blocks of no size', nBits(20, { block_size: 0 }), shape(/block_size/)),
]
