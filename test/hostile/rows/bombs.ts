/** Small files that ask for much: constants, loops, expansions. */
import {
  int64s,
  type Message,
  type ModelSpec,
  node,
  scalar,
  subgraph,
  tensor,
} from '../../helpers/onnx-builder.ts'
import { about, type Chapter, type Outcome, plain, type Row, row } from '../row.ts'

const long = (value: bigint | number): Message => ({ dims: [], dataType: 7, int64Data: [String(value)] })

/** y = x + Σc for a constant c that these nodes make: what is folded must be computed. */
function added(
  name: string,
  nodes: readonly Message[],
  initializers: ModelSpec['initializers'],
  outcome: Outcome = tooMuch,
): Row {
  const all = [
    ...nodes,
    node('ReduceSum', ['c'], ['total'], { keepdims: 0 }),
    node('Cast', ['total'], ['f'], { to: 1 }),
    node('Clip', ['x', 'f'], ['h']),
    node('Reshape', ['h', 'flat'], ['y']),
  ]
  return row(name, { ...plain, initializers: { flat: int64s([-1]), ...initializers }, nodes: all }, outcome)
}
const tooMuch: Outcome = { oneOf: [{ refused: 'limit', says: /--limit folded/ }, { bound: about(1) }] }
const many = 2 ** 40

const constants: Chapter = [
  added('ConstantOfShape of 2^40', [node('ConstantOfShape', ['n'], ['c'])], { n: int64s([many]) }),
  added(
    'ConstantOfShape of 2^62 by 2^62',
    [node('ConstantOfShape', ['n'], ['c'])],
    { n: { dims: [2], dataType: 7, int64Data: [String(2n ** 62n), String(2n ** 62n)] } },
    { refused: 'shape', says: /ConstantOfShape/ },
  ),
  added(
    'ConstantOfShape of -1',
    [node('ConstantOfShape', ['n'], ['c'])],
    { n: int64s([-1]) },
    { refused: 'shape', says: /ConstantOfShape/ },
  ),
  added('Range of 2^40', [node('Range', ['a', 'b', 'd'], ['c'])], { a: long(0), b: long(many), d: long(1) }),
  added(
    'Range of step 0',
    [node('Range', ['a', 'b', 'd'], ['c'])],
    { a: long(0), b: long(5), d: long(0) },
    { refused: 'shape', says: /Range/ },
  ),
  added(
    'Range of NaN',
    [node('Range', ['a', 'b', 'd'], ['c'])],
    { a: scalar(0), b: scalar(Number.NaN), d: scalar(1) },
    'audited',
  ),
  added(
    'Range of a step of 1e-30',
    [node('Range', ['a', 'b', 'd'], ['c'])],
    {
      a: scalar(0),
      b: scalar(1),
      d: scalar(1e-30),
    },
    { refused: 'shape', says: /Range/ },
  ),
  added('Tile by 2^40', [node('Tile', ['v', 'n'], ['c'])], { v: [1], n: int64s([many]) }),
  added('Expand to 2^40', [node('Expand', ['v', 'n'], ['c'])], { v: [1], n: int64s([many]) }),
  added('EyeLike of 2^20 by 2^20', [node('ConstantOfShape', ['n'], ['v']), node('EyeLike', ['v'], ['c'])], {
    n: int64s([2 ** 20, 2 ** 20]),
  }),
  added('OneHot of depth 2^40', [node('OneHot', ['i', 'd', 'v'], ['c'])], {
    i: int64s([1]),
    d: long(many),
    v: [0, 1],
  }),
  added('Pad by 2^40', [node('Pad', ['v', 'p'], ['c'])], { v: [1], p: int64s([0, many]) }),
  added('Resize by 2^30', [node('Resize', ['v', '', 's'], ['c'])], { v: [1], s: [2 ** 30] }),
  added(
    'a chain of doublings by Concat',
    [
      ...Array.from({ length: 45 }, (_, i) => node('Concat', [`c${i}`, `c${i}`], [`c${i + 1}`], { axis: 0 })),
      node('Identity', ['c45'], ['c']),
    ],
    { c0: [1] },
  ),
  added(
    'a chain of doublings by Tile',
    [
      ...Array.from({ length: 45 }, (_, i) => node('Tile', [`c${i}`, 'two'], [`c${i + 1}`])),
      node('Identity', ['c45'], ['c']),
    ],
    { c0: [1], two: int64s([2]) },
  ),
  added(
    'a product of 2^20 by 2^20',
    [
      node('ConstantOfShape', ['a'], ['l']),
      node('ConstantOfShape', ['b'], ['r']),
      node('MatMul', ['l', 'r'], ['c']),
    ],
    { a: int64s([2 ** 20, 1]), b: int64s([1, 2 ** 20]) },
  ),
  added(
    'a broadcast of 2^20 by 2^20',
    [
      node('ConstantOfShape', ['a'], ['l']),
      node('ConstantOfShape', ['b'], ['r']),
      node('Add', ['l', 'r'], ['c']),
    ],
    { a: int64s([2 ** 20, 1]), b: int64s([1, 2 ** 20]) },
  ),
  added(
    '300 constants of 2^26',
    [
      ...Array.from({ length: 300 }, (_, i) => node('ConstantOfShape', ['n'], [`v${i}`])),
      node(
        'Sum',
        Array.from({ length: 300 }, (_, i) => `v${i}`),
        ['c'],
      ),
    ],
    { n: int64s([2 ** 26]) },
  ),
  added(
    'Einsum of 2^60 products',
    [
      node('ConstantOfShape', ['n'], ['v']),
      node('Einsum', ['v', 'v', 'v'], ['c'], { equation: 'ab,cd,ef->abcdef' }),
    ],
    { n: int64s([2 ** 10, 2 ** 10]) },
  ),
  added(
    'a product that is small, of 2^39 steps',
    [node('ConstantOfShape', ['n'], ['v']), node('MatMul', ['v', 'v'], ['c'])],
    { n: int64s([2 ** 13, 2 ** 13]) },
  ),
  added(
    'a convolution of 2^40 steps',
    [
      node('ConstantOfShape', ['n'], ['v']),
      node('ConstantOfShape', ['m'], ['k']),
      node('Conv', ['v', 'k'], ['c']),
    ],
    { n: int64s([1, 1, 2 ** 11, 2 ** 11]), m: int64s([1, 1, 2 ** 10, 2 ** 10]) },
  ),
]

const loop = (trips: Message, nodes: readonly Message[], more: Partial<ModelSpec> = {}): ModelSpec => ({
  ...plain,
  initializers: { n: trips, t: tensor([], [1], 'bool'), ...plain.initializers },
  nodes: [
    node('Loop', ['n', 't', 'x'], ['y'], {
      body: subgraph({
        inputs: { i: { type: 'int64', shape: [] }, c: { type: 'bool', shape: [] }, v: [1, 2] },
        outputs: ['k', 'r'],
        nodes: [node('Identity', ['c'], ['k']), ...nodes],
      }),
    }),
  ],
  ...more,
})
const inLoop = (depth: number, result = 'r'): Message[] =>
  depth === 0
    ? [node('Relu', ['v'], [result])]
    : [
        node('Loop', ['n', 't', 'v'], [result], {
          body: subgraph({
            inputs: {
              [`i${depth}`]: { type: 'int64', shape: [] },
              [`c${depth}`]: { type: 'bool', shape: [] },
              v: [1, 2],
            },
            outputs: [`k${depth}`, `r${depth}`],
            nodes: [node('Identity', [`c${depth}`], [`k${depth}`]), ...inLoop(depth - 1, `r${depth}`)],
          }),
        }),
      ]

const loops: Chapter = [
  row('a loop of three steps', loop(long(3), [node('Relu', ['v'], ['r'])]), { bound: about(1) }),
  row('a loop of no steps', loop(long(0), [node('MatMul', ['v', 'w'], ['r'])]), { bound: about(1) }),
  row('a loop of -5 steps', loop(long(-5), [node('MatMul', ['v', 'w'], ['r'])]), { bound: about(1) }),
  row('a loop of 2^62 steps', loop(long(2n ** 62n), [node('Relu', ['v'], ['r'])]), {
    unbounded: /too often|steps/,
  }),
  row('a loop of 2^63 - 1 steps', loop(long(2n ** 63n - 1n), [node('Relu', ['v'], ['r'])]), {
    unbounded: /too often|steps/,
  }),
  row('a loop of 200 steps that doubles', loop(long(200), [node('Add', ['v', 'v'], ['r'])]), 'audited'),
  row(
    'a loop of steps that are data',
    {
      ...loop(long(1), [node('Relu', ['v'], ['r'])], {
        inputs: { x: [1, 2], n: { type: 'int64', shape: [] } },
      }),
      initializers: { t: tensor([], [1], 'bool') },
    },
    { unbounded: /number of times/ },
  ),
  row('four loops of 10^4 steps inside one another', loop(long(10_000), inLoop(3)), {
    unbounded: /too often/,
  }),
  row(
    '20 loops of 2 steps inside one another',
    loop(long(2), inLoop(19)),
    { unbounded: /too often/ },
    { isHeavy: true },
  ),
  row(
    'a scan over a symbol',
    {
      ...plain,
      inputs: { x: ['time', 2] },
      nodes: [
        node('Scan', ['x'], ['y'], {
          num_scan_inputs: 1,
          body: subgraph({ inputs: { v: [2] }, outputs: ['r'], nodes: [node('Relu', ['v'], ['r'])] }),
        }),
      ],
    },
    'audited',
  ),
  row(
    'a scan of 2^50 steps',
    {
      ...plain,
      inputs: { x: [2 ** 50, 2] },
      nodes: [
        node('Scan', ['x'], ['y'], {
          num_scan_inputs: 1,
          body: subgraph({ inputs: { v: [2] }, outputs: ['r'], nodes: [node('Relu', ['v'], ['r'])] }),
        }),
      ],
    },
    { unbounded: /too often/ },
  ),
]

export const bombs: Chapter = [...constants, ...loops]
