import { int64s, ints, tensor } from '../onnx-builder.ts'
import type { Draft, Drawn, Maker } from './random-graph.ts'
import { axisOf } from './random-parts.ts'

/** Reading at positions, contractions and products of several tensors, transforms. */

const tanh = (draft: Draft, x: Drawn) => draft.add('Tanh', [x.name])
const sigmoid = (draft: Draft, x: Drawn) => draft.add('Sigmoid', [x.name])
const count = (dims: readonly number[]) => dims.reduce((product, dim) => product * dim, 1)

function sampling(draft: Draft, modes: readonly string[]) {
  const mode = draft.pick(modes)
  const names = draft.opset >= 20 ? mode : { linear: 'bilinear', nearest: 'nearest', cubic: 'bicubic' }[mode]
  return {
    mode: names as string,
    padding_mode: draft.pick(['zeros', 'border', 'reflection']),
    align_corners: draft.whole(0, 1),
  }
}

export const samplings: Readonly<Record<string, Maker>> = {
  GridSample: (draft, x) => {
    if (draft.opset < 16 || x.shape.length !== 4) return null
    const grid = draft.numbers([x.shape[0], draft.whole(1, 3), draft.whole(1, 3), 2], 1.4)
    return { name: draft.add('GridSample', [x.name, grid], sampling(draft, ['linear', 'nearest', 'cubic'])) }
  },
  GridSampleJoin: (draft, x) => {
    if (draft.opset < 16 || x.shape.length !== 4 || x.shape[3] < 2) return null
    const ends = [[0], [2], [3]].map((entries) => draft.constant(int64s(entries)))
    const grid = draft.add('Tanh', [draft.add('Slice', [x.name, ...ends])])
    return {
      name: draft.add('GridSample', [sigmoid(draft, x), grid], sampling(draft, ['linear'])),
      bounded: true,
    }
  },
  RoiAlign: (draft, x) => {
    if (x.shape.length !== 4) return null
    const [images, , height, width] = x.shape
    const corners = [0, 1].flatMap(() => {
      const [left, top] = [draft.random() * width, draft.random() * height]
      return [left, top, left + 0.4 + draft.random() * width, top + 0.4 + draft.random() * height]
    })
    const rois = draft.constant(tensor([2, 4], corners))
    const batch = draft.constant(int64s([draft.whole(0, images - 1), draft.whole(0, images - 1)]))
    const attributes = {
      output_height: draft.whole(1, 3),
      output_width: draft.whole(1, 2),
      sampling_ratio: draft.whole(0, 2),
      mode: draft.pick(['avg', 'avg', 'max']),
    }
    return { name: draft.add('RoiAlign', [x.name, rois, batch], attributes) }
  },
  EinsumJoin: (draft, x) => {
    if (draft.opset < 12) return null
    const letters = [...'abcde'].slice(0, x.shape.length)
    const own = letters.map((letter) => (draft.chance(0.3) ? letter.toUpperCase() : letter))
    const output = [...new Set([...letters, ...own])].filter(() => draft.chance(0.5))
    const equation = `${letters.join('')},${own.join('')}->${output.join('')}`
    return { name: draft.add('Einsum', [sigmoid(draft, x), tanh(draft, x)], { equation }) }
  },
  ReduceProd: (draft, x) =>
    draft.opset >= 18
      ? null
      : {
          name: draft.add('ReduceProd', [tanh(draft, x)], { axes: ints([axisOf(draft, x)]) }),
          bounded: true,
        },
  Det: (draft, x) => {
    const [rows, columns] = x.shape.slice(-2)
    if (draft.opset < 11 || x.shape.length < 3 || rows !== columns) return null
    return { name: draft.add('Det', [tanh(draft, x)]), bounded: true }
  },
  ScatterElements: (draft, x) => {
    if (draft.opset < 16) return null
    const axis = draft.whole(0, x.shape.length - 1)
    const positions = Array.from({ length: count(x.shape) }, () => draft.whole(0, x.shape[axis] - 1))
    const indices = draft.constant(tensor(x.shape, positions, 'int64'))
    const reduction = draft.pick(draft.opset >= 18 ? ['add', 'mul', 'max', 'min'] : ['add', 'mul'])
    return {
      name: draft.add('ScatterElements', [sigmoid(draft, x), indices, tanh(draft, x)], { axis, reduction }),
    }
  },
  ScatterND: (draft, x) => {
    if (draft.opset < 16) return null
    const rows = draft.whole(1, 4)
    const positions = Array.from({ length: rows }, () => draft.whole(0, x.shape[0] - 1))
    const updates = draft.add('Gather', [tanh(draft, x), draft.constant(int64s(positions))])
    const indices = draft.constant(tensor([rows, 1], positions.toReversed(), 'int64'))
    return { name: draft.add('ScatterND', [x.name, indices, updates], { reduction: 'add' }) }
  },
  GatherND: (draft, x) => {
    if (draft.opset < 12 || x.shape.length < 2) return null
    const tuples = draft.whole(1, 4)
    const positions = Array.from({ length: 2 * tuples }, (_, i) =>
      draft.whole(-x.shape[i % 2], x.shape[i % 2] - 1),
    )
    return { name: draft.add('GatherND', [x.name, draft.constant(tensor([tuples, 2], positions, 'int64'))]) }
  },
  ClipBetween: (draft, x) => {
    if (draft.opset < 12) return null
    const other = draft.other()
    const lo = draft.add('ReduceMin', [other.name], { keepdims: 0 })
    const hi = draft.add('Add', [lo, draft.numbers([], 0, 1)])
    return { name: draft.add('Clip', [x.name, lo, hi]) }
  },
  PReluJoin: (draft, x) => ({ name: draft.add('PRelu', [tanh(draft, x), sigmoid(draft, x)]), bounded: true }),
  PowJoin: (draft, x) => {
    const base = draft.add('Add', [sigmoid(draft, x), draft.numbers([1], 0, 0.4)])
    return { name: draft.add('Pow', [base, tanh(draft, x)]), bounded: true }
  },
  DFT: (draft, x) => {
    if (draft.opset < 17 || draft.opset >= 20 || x.shape.length < 3 || x.shape[x.shape.length - 1] > 2)
      return null
    return { name: draft.add('DFT', [x.name], { axis: 1, inverse: draft.whole(0, 1) }) }
  },
}
