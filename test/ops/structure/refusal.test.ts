import { describe, expect, it } from 'vitest'
import type { Shape } from '../../../src/core/tensor.ts'
import {
  type Input,
  inferOnly,
  int,
  int64Of,
  ints,
  type NodeSpec,
  Refused,
  run,
  tensorOf,
  text,
} from '../../helpers/operator-bench.ts'

const of = (shape: Shape): Input => ({ type: 'float32', shape })
const x34 = of([3, 4])

/** Nodes that contradict the standard or themselves, with a part of the reason that must be given. */
const refused: readonly [string, NodeSpec, readonly Input[], RegExp][] = [
  ['Reshape with -1 twice', { op: 'Reshape' }, [x34, int64Of([-1, -1])], /more than once/],
  ['Reshape to another size', { op: 'Reshape' }, [x34, int64Of([5, 2])], /does not reshape/],
  ['Reshape that does not divide', { op: 'Reshape' }, [x34, int64Of([5, -1])], /does not reshape/],
  [
    'Reshape copying an axis that is not there',
    { op: 'Reshape' },
    [x34, int64Of([3, 4, 0])],
    /copies axis 2/,
  ],
  ['Reshape to -2', { op: 'Reshape' }, [x34, int64Of([-2, 6])], /no dimension/],
  ['Reshape by a matrix', { op: 'Reshape' }, [x34, { type: 'int64', shape: [2, 1] }], /rank 1/],
  ['Reshape to a million axes', { op: 'Reshape' }, [x34, { type: 'int64', shape: [1e6] }], /limit/],
  [
    'Transpose repeating an axis',
    { op: 'Transpose', attributes: { perm: ints([0, 0]) } },
    [x34],
    /no permutation/,
  ],
  [
    'Transpose of too few axes',
    { op: 'Transpose', attributes: { perm: ints([0]) } },
    [x34],
    /no permutation/,
  ],
  [
    'Transpose of an axis beyond',
    { op: 'Transpose', attributes: { perm: ints([0, 2]) } },
    [x34],
    /no permutation/,
  ],
  ['Flatten beyond the rank', { op: 'Flatten', attributes: { axis: int(3) } }, [x34], /out of range/],
  ['Squeeze of a longer axis', { op: 'Squeeze' }, [x34, int64Of([0])], /not 1/],
  ['Squeeze repeating an axis', { op: 'Squeeze' }, [of([1, 3]), int64Of([0, -2])], /repeat/],
  ['Unsqueeze beyond the rank', { op: 'Unsqueeze' }, [x34, int64Of([4])], /out of range/],
  [
    'Slice with step 0',
    { op: 'Slice' },
    [x34, int64Of([0]), int64Of([1]), int64Of([0]), int64Of([0])],
    /step/,
  ],
  [
    'Slice repeating an axis',
    { op: 'Slice' },
    [x34, int64Of([0, 0]), int64Of([1, 1]), int64Of([0, -2])],
    /repeat/,
  ],
  ['Slice with lists of two lengths', { op: 'Slice' }, [x34, int64Of([0, 0]), int64Of([1])], /length/],
  [
    'Slice of more axes than there are',
    { op: 'Slice' },
    [x34, int64Of([0, 0, 0]), int64Of([1, 1, 1])],
    /rank 2/,
  ],
  ['Split sizes that do not sum', { op: 'Split', outputs: 2 }, [x34, int64Of([1, 1])], /do not sum/],
  ['Split sizes below 0', { op: 'Split', outputs: 2 }, [x34, int64Of([-1, 4])], /at least 0/],
  [
    'Split with more sizes than outputs',
    { op: 'Split', outputs: 2 },
    [x34, int64Of([1, 1, 1])],
    /3 sizes for 2/,
  ],
  [
    'Split into unequal parts before opset 18',
    { op: 'Split', version: 13, outputs: 2 },
    [x34],
    /equal parts/,
  ],
  [
    'Split into more parts than there is to give',
    { op: 'Split', outputs: 4, attributes: { num_outputs: int(4) } },
    [of([5])],
    /4 parts of 2/,
  ],
  ['Concat of two ranks', { op: 'Concat', attributes: { axis: int(0) } }, [x34, of([3])], /rank/],
  [
    'Concat of sides that differ',
    { op: 'Concat', attributes: { axis: int(0) } },
    [x34, of([3, 5])],
    /differ/,
  ],
  ['Concat without an axis', { op: 'Concat' }, [x34, x34], /axis is missing/],
  ['Expand that does not broadcast', { op: 'Expand' }, [x34, int64Of([3, 5])], /broadcast/],
  ['Expand to a negative dim', { op: 'Expand' }, [x34, int64Of([-3, 4])], /negative/],
  ['Tile with too few repeats', { op: 'Tile' }, [x34, int64Of([2])], /repeats/],
  ['Pad with an odd number of pads', { op: 'Pad' }, [x34, int64Of([1, 1, 1])], /pads/],
  ['Pad that crops everything and more', { op: 'Pad' }, [x34, int64Of([-2, 0, -2, 0])], /below 0/],
  [
    'Gather beyond the rank',
    { op: 'Gather', attributes: { axis: int(2) } },
    [x34, int64Of([0])],
    /out of range/,
  ],
  ['GatherElements of two ranks', { op: 'GatherElements' }, [x34, int64Of([0])], /rank/],
  ['GatherND with long tuples', { op: 'GatherND' }, [x34, { type: 'int64', shape: [5, 3] }], /tuples/],
  [
    'Where that does not broadcast',
    { op: 'Where' },
    [{ type: 'bool', shape: [3] }, x34, of([3, 4])],
    /broadcast/,
  ],
  ['TopK of too many', { op: 'TopK', outputs: 2 }, [x34, int64Of([5])], /k 5/],
  ['Range without progress', { op: 'Range' }, [int64Of(0), int64Of(4), int64Of(0)], /delta/],
  ['ConstantOfShape below 0', { op: 'ConstantOfShape' }, [int64Of([2, -1])], /negative/],
  ['ReduceSum over an axis twice', { op: 'ReduceSum' }, [x34, int64Of([1, -1])], /repeat/],
  ['Resize by a negative scale', { op: 'Resize' }, [x34, null, tensorOf([2], [1, -1])], /positive/],
  ['Resize to too few sizes', { op: 'Resize' }, [x34, null, null, int64Of([5])], /sizes/],
  ['Equal of two types', { op: 'Equal' }, [x34, { type: 'int64', shape: [4] }], /types/],
  ['Cast to no type', { op: 'Cast', attributes: { to: int(99) } }, [x34], /99/],
  ['Constant without a value', { op: 'Constant' }, [], /one attribute/],
  [
    'Constant with two values',
    { op: 'Constant', attributes: { value_int: int(1), value_ints: ints([1]) } },
    [],
    /2 do/,
  ],
  [
    'DepthToSpace that does not divide',
    { op: 'DepthToSpace', attributes: { blocksize: int(2) } },
    [of([1, 6, 2, 2])],
    /divide/,
  ],
  [
    'DepthToSpace with block 0',
    { op: 'DepthToSpace', attributes: { blocksize: int(0) } },
    [of([1, 4, 2, 2])],
    /blocksize/,
  ],
  ['SequenceMap without a body', { op: 'SequenceMap' }, [x34], /body/],
]

describe('nodes that contradict the standard', () => {
  it.each(refused)('%s', (_, spec, inputs, reason) => {
    expect(() => inferOnly(spec, inputs)).toThrow(Refused)
    expect(() => inferOnly(spec, inputs)).toThrow(reason)
  })
})

describe('indices that point outside', () => {
  const data = tensorOf([3], [1, 2, 3])
  it.each([
    ['Gather', [data, int64Of([3])]],
    ['Gather', [data, int64Of([-4])]],
    ['GatherElements', [data, int64Of([3])]],
    ['GatherND', [data, int64Of([[3]].flat())]],
    ['ScatterElements', [data, int64Of([5]), tensorOf([1], [0])]],
    ['ScatterND', [data, tensorOf([1, 1], [3], 'int64'), tensorOf([1], [0])]],
  ] as const)('%s', (op, inputs) => {
    expect(() => run({ op }, inputs)).toThrow(/out of range/)
  })

  it('refuses modes and reductions that do not exist', () => {
    const pads = int64Of([1, 1])
    expect(() => run({ op: 'Pad', attributes: { mode: text('mirror') } }, [data, pads])).toThrow(
      /mode 'mirror'/,
    )
    const scatter = { op: 'ScatterElements', attributes: { reduction: text('xor') } }
    expect(() => run(scatter, [data, int64Of([0]), tensorOf([1], [0])])).toThrow(/reduction 'xor'/)
  })
})
