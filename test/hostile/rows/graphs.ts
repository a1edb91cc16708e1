/** Graphs: order, cycles, inputs and outputs, declared shapes, size. */
import {
  int64s,
  type ModelSpec,
  node,
  type ShapeSpec,
  scalar,
  subgraph,
  tensor,
} from '../../helpers/onnx-builder.ts'
import { about, type Chapter, limit, malformed, norm1234, oneNode, plain, row, shape } from '../row.ts'

const relu = (input: string, output: string) => node('Relu', [input], [output])
const matmul = node('MatMul', ['x', 'w'], ['y'])

const order: Chapter = [
  row(
    'nodes out of order',
    { ...plain, nodes: [relu('h', 'y'), node('MatMul', ['x', 'w'], ['h'])] },
    { finding: 'unsorted-nodes', bound: about(norm1234) },
  ),
  row(
    'a node that reads what it writes',
    { ...plain, nodes: [node('Add', ['x', 'y'], ['y'])] },
    malformed(/cycle/),
  ),
  row(
    'a cycle of two',
    { ...plain, nodes: [node('Add', ['x', 'b'], ['a']), relu('a', 'b'), relu('a', 'y')] },
    malformed(/cycle/),
  ),
  row(
    'a cycle that leads to no output',
    { ...plain, nodes: [matmul, relu('a', 'b'), relu('b', 'a')] },
    malformed(/cycle/),
  ),
  row(
    'a cycle of 10,000',
    {
      ...plain,
      nodes: [matmul, ...Array.from({ length: 10_000 }, (_, i) => relu(`v${i}`, `v${(i + 1) % 10_000}`))],
    },
    malformed(/cycle/),
  ),
  row(
    'a body that reads what its owner writes',
    {
      ...plain,
      initializers: { c: tensor([], [1], 'bool') },
      nodes: [
        node('If', ['c'], ['y'], {
          then_branch: subgraph({ outputs: ['t'], nodes: [relu('y', 't')] }),
          else_branch: subgraph({ outputs: ['e'], nodes: [relu('x', 'e')] }),
        }),
      ],
    },
    malformed(/cycle/),
  ),
]

const rowOfTwo = { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 1 }, { dimValue: 2 }] } } }

const ends: Chapter = [
  row('an output that is an initializer', { ...plain, outputs: ['w'], nodes: [] }, { bound: [0, 0] }),
  row('an output that is an input', { ...plain, outputs: ['x'], nodes: [] }, { bound: about(1) }),
  row(
    'an output that no input reaches',
    { ...plain, nodes: [node('Identity', ['w'], ['y'])] },
    { bound: [0, 0] },
  ),
  row('no outputs', { ...plain, outputs: [] }, malformed(/no outputs/)),
  row(
    'no inputs',
    { ...plain, inputs: {}, nodes: [node('Identity', ['w'], ['y'])] },
    { finding: 'no-audited-input' },
  ),
  row(
    'a string input',
    { ...plain, inputs: { x: [1, 2], s: { type: 'string', shape: [1] } } },
    { bound: about(norm1234) },
  ),
  row(
    'a string input alone',
    { ...plain, inputs: { s: { type: 'string', shape: [1] } }, nodes: [node('Identity', ['s'], ['y'])] },
    { finding: 'no-audited-input' },
  ),
  row(
    'a float and an integer input',
    { ...plain, inputs: { x: [1, 2], n: { type: 'int64', shape: [1] } } },
    { bound: about(norm1234) },
  ),
  row(
    'two float inputs',
    {
      ...plain,
      inputs: { x: [1, 2], z: [1, 2] },
      nodes: [node('MatMul', ['x', 'w'], ['h']), node('Add', ['h', 'z'], ['y'])],
    },
    { bound: about(Math.hypot(norm1234, 1)) },
  ),
  row(
    'a sequence input',
    {
      ...plain,
      inputs: { s: { proto: { sequenceType: { elemType: rowOfTwo } } } },
      initializers: { i: int64s(0) },
      nodes: [node('SequenceAt', ['s', 'i'], ['y'])],
    },
    { unbounded: /no floating-point|no floa|sequence/ },
  ),
  row(
    'an optional input',
    {
      ...plain,
      inputs: { s: { proto: { optionalType: { elemType: rowOfTwo } } } },
      nodes: [node('OptionalGetElement', ['s'], ['y'])],
    },
    { unbounded: /./ },
  ),
  row(
    'a map input',
    {
      ...plain,
      inputs: {
        x: [1, 2],
        s: { proto: { mapType: { keyType: 7, valueType: { tensorType: { elemType: 1 } } } } },
      },
    },
    { bound: about(norm1234) },
  ),
  row('an input of no type', { ...plain, inputs: ['x'] }, { unbounded: /./ }),
  row(
    'an input of element type 0',
    {
      ...plain,
      inputs: {
        x: { proto: { tensorType: { elemType: 0, shape: { dim: [{ dimValue: 1 }, { dimValue: 2 }] } } } },
      },
    },
    { unbounded: /./ },
  ),
  row(
    'an input of element type 77',
    { ...plain, inputs: { x: { proto: { tensorType: { elemType: 77 } } } } },
    malformed(/77 is no element type/),
  ),
  row(
    'a weight that is an input too',
    { ...plain, inputs: { x: [1, 2], w: [2, 2] } },
    { finding: 'overridable-initializer', bound: about(norm1234) },
  ),
  row(
    'a weight that is an input too, in the first format',
    { ...plain, irVersion: 3, opset: 8, inputs: { x: [1, 2], w: [2, 2] } },
    { bound: about(norm1234) },
  ),
  row(
    'a weight that an input is declared smaller than',
    { ...plain, inputs: { x: [1, 2], w: [1, 1] } },
    shape(/'?w'?/),
  ),
  row(
    'a weight that is an input',
    { ...plain, inputs: { x: [1, 2], w: [2, 2] }, initializers: {} },
    { unbounded: /MatMul/ },
  ),
]

const declared = (spec: Partial<ModelSpec>): ModelSpec => ({ ...plain, ...spec })
const conv = (input: ShapeSpec): ModelSpec => ({
  inputs: { x: input },
  outputs: ['y'],
  initializers: { w: tensor([1, 1, 3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9]) },
  nodes: [node('Conv', ['x', 'w'], ['y'])],
})
const shapes: Chapter = [
  row('an output that is declared smaller', declared({ outputs: { y: [1, 1] } }), shape(/y/)),
  row('an output that is declared of another rank', declared({ outputs: { y: [2] } }), shape(/y/)),
  row(
    'an output that is declared of another type',
    declared({ outputs: { y: { type: 'int64', shape: [1, 2] } } }),
    malformed(/y/),
  ),
  row(
    'a value that is declared smaller',
    declared({ valueInfo: { h: [1, 1] }, nodes: [node('MatMul', ['x', 'w'], ['h']), relu('h', 'y')] }),
    shape(/h/),
  ),
  row('an initializer that is declared larger', declared({ valueInfo: { w: [200, 200] } }), shape(/w/)),
  row('a value that is declared twice', declared({ valueInfo: ['y'], outputs: { y: [1, 7] } }), shape(/y/)),
  row('an input of dim -1', conv([1, 1, -1, 8]), { finding: 'any-size' }),
  row('an input of dim -2', conv([1, 1, -2, 8]), malformed(/dimension -2/)),
  row('an input of dim 0', conv([1, 1, 0, 8]), shape(/Conv/)),
  row('an input that is smaller than the kernel', conv([1, 1, 2, 2]), shape(/Conv/)),
  row(
    'an input of no shape',
    { ...plain, inputs: { x: { type: 'float32', shape: null } } },
    { bound: about(norm1234) },
  ),
  row('an input of symbols', { ...plain, inputs: { x: ['batch', 'features'] } }, { bound: about(norm1234) }),
  row('an input that contradicts the weight', { ...plain, inputs: { x: [1, 3] } }, shape(/MatMul/)),
  row('an input of 2^40 elements', { ...plain, inputs: { x: [2 ** 39, 2] } }, { bound: about(norm1234) }),
  row(
    'an input of 2^52 by 2^52',
    { ...oneNode('Relu'), inputs: { x: [2 ** 52, 2 ** 52] } },
    { bound: about(1) },
  ),
  row(
    'a dim of 2^63 - 1',
    {
      ...oneNode('Relu'),
      more: {
        input: [
          {
            name: 'x',
            type: { tensorType: { elemType: 1, shape: { dim: [{ dimValue: String(2n ** 63n - 1n) }] } } },
          },
        ],
      },
    },
    { refused: 'shape', says: /./ },
  ),
  row(
    'one symbol for two sizes',
    { ...plain, inputs: { x: ['n', 2], z: ['n', 3] } },
    { bound: about(norm1234) },
  ),
  row(
    '1,000 dims of an input',
    { ...oneNode('Relu'), inputs: { x: Array(1000).fill(1) } },
    limit(/1000 dim/),
  ),
]

const chain = (length: number, name: (i: number) => string): ModelSpec => ({
  ...plain,
  nodes: [
    node('MatMul', ['x', 'w'], [name(0)]),
    ...Array.from({ length }, (_, i) => relu(name(i), name(i + 1))),
    node('Identity', [name(length)], ['y']),
  ],
})
const diamonds = (count: number): ModelSpec => ({
  ...plain,
  initializers: { half: scalar(0.5), ...plain.initializers },
  nodes: [
    node('MatMul', ['x', 'w'], ['v0']),
    ...Array.from({ length: count }, (_, i) => [
      relu(`v${i}`, `l${i}`),
      node('Tanh', [`v${i}`], [`r${i}`]),
      node('Add', [`l${i}`, `r${i}`], [`s${i}`]),
      node('Mul', [`s${i}`, 'half'], [`v${i + 1}`]),
    ]).flat(),
    node('Identity', [`v${count}`], ['y']),
  ],
})
const long = 'n'.repeat(200)
const split = (count: number): ModelSpec => ({
  ...plain,
  inputs: { x: [count] },
  nodes: [
    node('Split', ['x'], ['y', ...Array.from({ length: count - 1 }, (_, i) => `y${i}`)], {
      axis: 0,
      num_outputs: count,
    }),
  ],
})
const sizes: Chapter = [
  row(
    'a chain of 100,000 nodes',
    chain(100_000, (i) => `v${i}`),
    { bound: about(norm1234) },
    { isHeavy: true },
  ),
  row(
    '10,000 nodes of long names',
    chain(10_000, (i) => `${long}${i}`),
    { bound: about(norm1234) },
    { isHeavy: true },
  ),
  row('a chain of 30 diamonds', diamonds(30), { bound: [norm1234 * 0.999, norm1234 * 1.01] }),
  row(
    'a chain of 2,000 diamonds',
    diamonds(2000),
    { bound: [norm1234 * 0.999, norm1234 * 1.01] },
    { isHeavy: true },
  ),
  row(
    'doublings 5,000 times',
    {
      ...plain,
      nodes: [
        node('MatMul', ['x', 'w'], ['v0']),
        ...Array.from({ length: 5000 }, (_, i) => node('Add', [`v${i}`, `v${i}`], [`v${i + 1}`])),
        node('Identity', ['v5000'], ['y']),
      ],
    },
    { exponent: 1505.8 },
    { isHeavy: true },
  ),
  row(
    'a node of 100,000 inputs',
    { ...plain, nodes: [node('Sum', Array(100_000).fill('x'), ['y'])] },
    limit(/more than 10000 inputs.*--limit operands/),
    { isHeavy: true },
  ),
  row(
    'a node of 10,000 inputs',
    { ...plain, nodes: [node('Sum', Array(10_000).fill('x'), ['y'])] },
    { bound: about(10_000) },
    { isHeavy: true },
  ),
  row(
    'a node of 100,000 outputs',
    split(100_000),
    limit(/more than 10000 inputs or outputs.*--limit operands/),
    { isHeavy: true },
  ),
  row('a node of 10,000 outputs', split(10_000), { bound: about(1) }, { isHeavy: true }),
  row(
    'a node of 20,000 attributes',
    {
      ...plain,
      nodes: [
        node(
          'MatMul',
          ['x', 'w'],
          ['y'],
          Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`a${i}`, 1])),
        ),
      ],
    },
    malformed(/attribute/),
  ),
  row(
    '2,000 outputs',
    {
      ...plain,
      outputs: ['y', ...Array.from({ length: 2000 }, (_, i) => `y${i}`)],
      nodes: [matmul, ...Array.from({ length: 2000 }, (_, i) => relu('y', `y${i}`))],
    },
    { bound: [norm1234, norm1234 * 100] },
    { isHeavy: true },
  ),
]

const apart: Chapter = [
  row(
    'training information',
    {
      ...plain,
      moreModel: {
        trainingInfo: [{ initialization: {}, algorithm: {}, updateBinding: [{ key: 'w', value: 'y' }] }],
      },
    },
    { finding: 'training-info', bound: about(norm1234) },
  ),
  row(
    'training information that would replace the weights',
    {
      ...plain,
      moreModel: {
        trainingInfo: [
          {
            algorithm: { node: [node('Constant', [], ['w'], { value: tensor([2, 2], [1000, 0, 0, 1000]) })] },
          },
        ],
      },
    },
    { finding: 'training-info', bound: about(norm1234) },
  ),
  row(
    'quantisation notes on what is not there',
    {
      ...plain,
      more: {
        quantizationAnnotation: [
          { tensorName: 'nothing', quantParameterTensorNames: [{ key: 'SCALE_TENSOR', value: 'nothing' }] },
        ],
      },
    },
    { bound: about(norm1234) },
  ),
  row(
    'a device configuration',
    { ...plain, moreModel: { configuration: [{ name: 'c', numDevices: 2 ** 30 }] } },
    { finding: 'device-configuration', bound: about(norm1234) },
  ),
  row(
    'metadata of strange keys',
    {
      ...plain,
      moreModel: {
        metadataProps: [
          { key: '__proto__', value: 'x' },
          { key: '__proto__', value: 'y' },
          { key: '', value: '' },
        ],
      },
    },
    { bound: about(norm1234) },
  ),
]

/** If inside If, each of a constant condition. */
function nestedIfs(depth: number): ModelSpec {
  let inner = [node('Identity', ['x'], [`o${depth}`])]
  for (let i = depth - 1; i >= 0; i--) {
    const branch = () => subgraph({ name: `g${i}`, outputs: [`o${i + 1}`], nodes: inner })
    inner = [
      node('If', ['c'], [`o${i}`], {
        then_branch: branch(),
        else_branch: subgraph({ outputs: ['e'], nodes: [relu('x', 'e')] }),
      }),
    ]
  }
  return { ...plain, outputs: ['o0'], initializers: { c: tensor([], [1], 'bool') }, nodes: inner }
}
const nested: Chapter = [
  row('20 bodies inside one another', nestedIfs(20), { bound: about(1) }),
  row(
    'a body whose input has a stored value',
    {
      ...plain,
      initializers: { n: int64s(1), c: tensor([], [1], 'bool') },
      nodes: [
        node('Loop', ['n', 'c', 'x'], ['y'], {
          body: subgraph({
            inputs: ['i', 'cc', 'v'],
            outputs: ['cc', 'r'],
            initializers: { v: [5, 5] },
            nodes: [relu('v', 'r')],
          }),
        }),
      ],
    },
    malformed(/stored value/),
  ),
  row(
    'a body that hides a name',
    {
      ...plain,
      initializers: { c: tensor([], [1], 'bool'), ...plain.initializers },
      nodes: [
        node('If', ['c'], ['y'], {
          then_branch: subgraph({
            outputs: ['r'],
            initializers: { w: tensor([2, 2], [9, 9, 9, 9]) },
            nodes: [node('MatMul', ['x', 'w'], ['r'])],
          }),
          else_branch: subgraph({ outputs: ['e'], nodes: [relu('x', 'e')] }),
        }),
      ],
    },
    malformed(/'w'/),
  ),
  row(
    'a graph where no operator has one',
    {
      ...plain,
      nodes: [node('Relu', ['x'], ['y'], { body: subgraph({ outputs: ['r'], nodes: [relu('x', 'r')] }) })],
    },
    malformed(/attribute 'body'/),
  ),
]

export const graphs: Chapter = [...order, ...ends, ...shapes, ...sizes, ...apart, ...nested]
