import { float, int64s, ints } from '../onnx-builder.ts'
import type { Draft, Drawn, Maker } from './random-graph.ts'
import { simple } from './random-parts.ts'

/** Normalisations and reductions. */

/** Reductions take their axes as an attribute, later as an input. */
function reduce(draft: Draft, x: Drawn, op: string): string {
  const all = x.shape.map((_, axis) => axis)
  const axes = all.filter(() => draft.chance(0.5))
  const chosen = axes.length === 0 ? [all[all.length - 1]] : axes
  const signed = chosen.map((axis) => (draft.chance(0.3) ? axis - all.length : axis))
  const byInput = draft.opset >= (op === 'ReduceSum' ? 13 : 18)
  const keepdims = draft.whole(0, 1)
  if (draft.chance(0.15)) return draft.add(op, [x.name], { keepdims })
  if (byInput) return draft.add(op, [x.name, draft.constant(int64s(signed))], { keepdims })
  return draft.add(op, [x.name], { axes: ints(draft.opset >= 11 ? signed : chosen), keepdims })
}

export const normalizations: Readonly<Record<string, Maker>> = {
  Softmax: simple(
    'Softmax',
    (draft) => ({ axis: draft.pick([0, 1, ...(draft.opset >= 11 ? [-1] : [])]) }),
    1,
    true,
  ),
  LogSoftmax: simple('LogSoftmax', (draft) => ({
    axis: draft.pick([0, 1, ...(draft.opset >= 11 ? [-1] : [])]),
  })),
  LayerNormalization: (draft, x) => {
    if (draft.opset < 17) return null
    const axis = draft.whole(0, x.shape.length - 1)
    const dims = x.shape.slice(axis)
    const inputs = [x.name, draft.numbers(dims), ...(draft.chance(0.5) ? [draft.numbers(dims)] : [])]
    const name = draft.add('LayerNormalization', inputs, {
      axis,
      epsilon: float(draft.pick([1e-5, 1e-2, 1e-9, 1])),
    })
    return { name, bounded: true }
  },
  InstanceNormalization: (draft, x) => {
    if (x.shape.length < 3) return null
    const channels = [x.shape[1]]
    const inputs = [x.name, draft.numbers(channels), draft.numbers(channels)]
    return {
      name: draft.add('InstanceNormalization', inputs, { epsilon: float(draft.pick([1e-5, 1e-2, 1])) }),
      bounded: true,
    }
  },
  BatchNormalization: (draft, x) => {
    if (x.shape.length < 2) return null
    const channels = [x.shape[1]]
    const inputs = [
      x.name,
      draft.numbers(channels),
      draft.numbers(channels),
      draft.numbers(channels),
      draft.numbers(channels, 0.5, 0.5),
    ]
    return { name: draft.add('BatchNormalization', inputs, { epsilon: float(draft.pick([1e-5, 1e-2])) }) }
  },
  LRN: (draft, x) =>
    x.shape.length < 3
      ? null
      : {
          name: draft.add('LRN', [x.name], {
            size: draft.whole(1, 4),
            alpha: float(draft.pick([1e-4, 1, 5])),
            beta: float(draft.pick([0.75, 2, 0.2])),
            bias: float(draft.pick([1, 0.3, 2])),
          }),
        },
  ReduceSum: (draft, x) => ({ name: reduce(draft, x, 'ReduceSum') }),
  ReduceMean: (draft, x) => ({ name: reduce(draft, x, 'ReduceMean'), bounded: x.bounded }),
  ReduceExtreme: (draft, x) => ({
    name: reduce(draft, x, draft.pick(['ReduceMax', 'ReduceMin'])),
    bounded: x.bounded,
  }),
  ReduceNorm: (draft, x) => ({
    name: reduce(draft, x, draft.pick(['ReduceL1', 'ReduceL2', 'ReduceLogSumExp'])),
  }),
  ReduceSumSquare: (draft, x) => ({ name: reduce(draft, x, 'ReduceSumSquare') }),
}
