import { int64s, ints, tensor } from '../onnx-builder.ts'
import type { Draft, Maker } from './random-graph.ts'
import { axisOf, broadcastable } from './random-parts.ts'

/** Operators that move, repeat, select and write elements. */

const bools = (count: number, draft: Draft) =>
  tensor(
    [count],
    Array.from({ length: count }, () => (draft.chance(0.5) ? 1 : 0)),
    'bool',
  )

export const moves: Readonly<Record<string, Maker>> = {
  Where: (draft, x) => {
    const dims = broadcastable(draft, x.shape)
    const size = dims.reduce((product, dim) => product * dim, 1)
    const condition = draft.constant({ ...bools(size, draft), dims })
    return { name: draft.add('Where', [condition, x.name, draft.other().name]) }
  },
  Expand: (draft, x) => ({
    name: draft.add('Expand', [x.name, draft.constant(int64s(broadcastable(draft, x.shape)))]),
    bounded: x.bounded,
  }),
  Tile: (draft, x) => ({
    name: draft.add('Tile', [x.name, draft.constant(int64s(x.shape.map(() => draft.pick([1, 1, 2, 3]))))]),
    bounded: x.bounded,
  }),
  Concat: (draft, x) => ({
    name: draft.add('Concat', [x.name, draft.other().name, x.name], { axis: axisOf(draft, x) }),
  }),
  SplitConcat: (draft, x) => {
    const axis = draft.whole(0, x.shape.length - 1)
    if (x.shape[axis] < 2) return null
    const parts = [1, x.shape[axis] - 1]
    const first =
      draft.opset >= 13
        ? draft.add('Split', [x.name, draft.constant(int64s(parts))], { axis }, 2)
        : draft.add('Split', [x.name], { axis, split: ints(parts) }, 2)
    const second = `v${Number(first.slice(1)) + 1}`
    return {
      name: draft.add(
        'Concat',
        draft.pick([
          [second, first],
          [first, first],
          [second, second],
        ]),
        { axis },
      ),
    }
  },
  Gather: (draft, x) => {
    const axis = axisOf(draft, x)
    const dim = x.shape.at(axis) as number
    const indices = Array.from({ length: draft.whole(1, 5) }, () => draft.whole(-dim, dim - 1))
    return {
      name: draft.add('Gather', [x.name, draft.constant(int64s(indices))], { axis }),
      bounded: x.bounded,
    }
  },
  GatherElements: (draft, x) => {
    if (draft.opset < 11) return null
    const axis = axisOf(draft, x)
    const dim = x.shape.at(axis) as number
    const size = x.shape.reduce((product, length) => product * length, 1)
    const indices = tensor(
      x.shape,
      Array.from({ length: size }, () => draft.whole(-dim, dim - 1)),
      'int64',
    )
    return {
      name: draft.add('GatherElements', [x.name, draft.constant(indices)], { axis }),
      bounded: x.bounded,
    }
  },
  GatherND: (draft, x) => {
    if (draft.opset < 11) return null
    const tuples = draft.whole(1, 4)
    const depth = draft.whole(1, Math.min(2, x.shape.length))
    const indices = Array.from({ length: tuples * depth }, (_, i) => draft.whole(0, x.shape[i % depth] - 1))
    return {
      name: draft.add('GatherND', [x.name, draft.constant(tensor([tuples, depth], indices, 'int64'))]),
    }
  },
  Slice: (draft, x) => {
    if (draft.opset < 10) return null
    const axis = axisOf(draft, x)
    const [start, end, step] = draft.pick([
      [0, 2, 1],
      [-1, -100, -1],
      [1, 100, 2],
      [0, 100, 2],
    ])
    const inputs = [start, end, axis, step].map((value) => draft.constant(int64s([value])))
    return { name: draft.add('Slice', [x.name, ...inputs]), bounded: x.bounded }
  },
  ScatterElements: (draft, x) => {
    if (draft.opset < 11) return null
    const axis = axisOf(draft, x)
    const dim = x.shape.at(axis) as number
    const size = x.shape.reduce((product, length) => product * length, 1)
    const indices = tensor(
      x.shape,
      Array.from({ length: size }, () => draft.whole(0, dim - 1)),
      'int64',
    )
    const other = draft.other()
    const reduction =
      draft.opset >= 18
        ? draft.pick(['add', 'max', 'min', 'none'])
        : draft.opset >= 16
          ? draft.pick(['add', 'none'])
          : null
    const data = draft.chance(0.5)
      ? [x.name, draft.constant(indices), other.name]
      : [draft.numbers(x.shape), draft.constant(indices), x.name]
    return { name: draft.add('ScatterElements', data, { axis, ...(reduction && { reduction }) }) }
  },
  Transpose: (draft, x) => {
    const perm = x.shape.map((_, axis) => axis).sort(() => draft.random() - 0.5)
    return { name: draft.add('Transpose', [x.name], { perm: ints(perm) }), bounded: x.bounded }
  },
  Flatten: (draft, x) => ({
    name: draft.add('Flatten', [x.name], { axis: draft.whole(0, x.shape.length) }),
    bounded: x.bounded,
  }),
  TopK: (draft, x) => {
    const axis = axisOf(draft, x)
    const k = draft.constant(int64s([draft.whole(1, x.shape.at(axis) as number)]))
    return {
      name: draft.add(
        'TopK',
        [x.name, k],
        { axis, ...(draft.opset >= 11 && { largest: draft.whole(0, 1) }) },
        2,
      ),
      bounded: x.bounded,
    }
  },
  Trilu: (draft, x) =>
    x.shape.length < 2 || draft.opset < 14
      ? null
      : { name: draft.add('Trilu', [x.name], { upper: draft.whole(0, 1) }) },
  Depth: (draft, x) => {
    if (x.shape.length !== 4) return null
    const op = x.shape[1] % 4 === 0 ? 'DepthToSpace' : 'SpaceToDepth'
    return {
      name: draft.add(op, [x.name], {
        blocksize: 2,
        ...(op === 'DepthToSpace' && draft.opset >= 11 && { mode: draft.pick(['DCR', 'CRD']) }),
      }),
    }
  },
}
