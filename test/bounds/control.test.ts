import { describeExpectations, type Expectation } from '../helpers/expectation.ts'
import { int64s, node, subgraph, tensor } from '../helpers/onnx-builder.ts'

const control: readonly Expectation[] = [
  [
    'If by a number that is computed from data',
    {
      inputs: { x: [1] },
      initializers: { zero: [0], flat: int64s([]) },
      nodes: [
        node('Greater', ['x', 'zero'], ['positive']),
        node('Reshape', ['positive', 'flat'], ['condition']),
        node('If', ['condition'], ['y'], {
          then_branch: subgraph({ outputs: ['t'], nodes: [node('Identity', ['x'], ['t'])] }),
          else_branch: subgraph({ outputs: ['e'], nodes: [node('Neg', ['x'], ['e'])] }),
        }),
      ],
    },
    null,
  ],
  [
    'Loop as long as data says',
    {
      inputs: { x: [1] },
      initializers: { trips: int64s(4), on: tensor([], [1], 'bool'), ten: [10], flat: int64s([]) },
      nodes: [
        node('Loop', ['trips', 'on', 'x'], ['y'], {
          body: subgraph({
            inputs: {
              i: { type: 'int64', shape: [] },
              c: { type: 'bool', shape: [] },
              r: { type: 'float32', shape: [1] },
            },
            outputs: ['next', 'r2'],
            nodes: [
              node('Add', ['r', 'r'], ['r2']),
              node('Less', ['r2', 'ten'], ['small']),
              node('Reshape', ['small', 'flat'], ['next']),
            ],
          }),
        }),
      ],
    },
    null,
  ],
  [
    'Loop of 2⁶² steps',
    {
      inputs: { x: [1] },
      initializers: { trips: int64s(2 ** 62), on: tensor([], [1], 'bool') },
      nodes: [
        node('Loop', ['trips', 'on', 'x'], ['y'], {
          body: subgraph({
            inputs: {
              i: { type: 'int64', shape: [] },
              c: { type: 'bool', shape: [] },
              r: { type: 'float32', shape: [1] },
            },
            outputs: ['c2', 'r2'],
            nodes: [node('Identity', ['c'], ['c2']), node('Add', ['r', 'r'], ['r2'])],
          }),
        }),
      ],
    },
    null,
  ],
  [
    'Loop whose values grow in size with each step',
    {
      inputs: { x: [1] },
      initializers: { trips: int64s(3), on: tensor([], [1], 'bool'), start: [1, 1] },
      nodes: [
        node('Loop', ['trips', 'on', 'start', 'x'], ['grown', 'y'], {
          body: subgraph({
            inputs: {
              i: { type: 'int64', shape: [] },
              c: { type: 'bool', shape: [] },
              a: { type: 'float32', shape: [2] },
              r: { type: 'float32', shape: [1] },
            },
            outputs: ['c2', 'a2', 'r2'],
            nodes: [
              node('Identity', ['c'], ['c2']),
              node('Concat', ['a', 'a'], ['a2'], { axis: 0 }),
              node('Shape', ['a2'], ['size']),
              node('Expand', ['r', 'size'], ['e']),
              node('ReduceSum', ['e'], ['r2'], { keepdims: 1 }),
            ],
          }),
        }),
      ],
    },
    null,
  ],
]

describeExpectations({ 'control flow': control })
