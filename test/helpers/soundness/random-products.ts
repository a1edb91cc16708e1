import { float, ints, tensor } from '../onnx-builder.ts'
import type { Maker } from './random-graph.ts'
import { axisOf } from './random-parts.ts'

/** Products with constant matrices and of two tensors, and sums. */

export const products: Readonly<Record<string, Maker>> = {
  Gemm: (draft, x) => {
    if (x.shape.length !== 2) return null
    const [rows, columns] = x.shape
    const [transA, transB, out] = [draft.whole(0, 1), draft.whole(0, 1), draft.whole(1, 4)]
    const [m, k] = transA === 1 ? [columns, rows] : [rows, columns]
    const weights = draft.numbers(transB === 1 ? [out, k] : [k, out])
    const bias = draft.pick([
      [],
      [draft.other().name],
      [draft.numbers(draft.pick([[out], [m, 1], [1], [m, out]]))],
    ])
    const attributes = {
      transA,
      transB,
      alpha: float(draft.pick([1, -2, 0.3])),
      beta: float(draft.pick([1, 3, -0.5])),
    }
    return { name: draft.add('Gemm', [x.name, weights, ...bias], attributes) }
  },
  GemmLeft: (draft, x) => {
    if (x.shape.length !== 2) return null
    const [transA, transB, out] = [draft.whole(0, 1), draft.whole(0, 1), draft.whole(1, 4)]
    const k = transB === 1 ? x.shape[1] : x.shape[0]
    const weights = draft.numbers(transA === 1 ? [k, out] : [out, k])
    return { name: draft.add('Gemm', [weights, x.name], { transA, transB, alpha: float(-1.5) }) }
  },
  MatMul: (draft, x) => {
    const k = x.shape[x.shape.length - 1]
    const batch = draft.pick([
      [],
      [],
      x.shape.slice(0, -2),
      x.shape.slice(0, -2).map((dim) => (dim === 1 ? 2 : 1)),
      [3],
    ])
    return {
      name: draft.add('MatMul', [
        x.name,
        draft.numbers(draft.chance(0.1) ? [k] : [...batch, k, draft.whole(1, 4)]),
      ]),
    }
  },
  MatMulLeft: (draft, x) => {
    const k = x.shape.length < 2 ? x.shape[0] : x.shape[x.shape.length - 2]
    const batch = draft.pick([
      [],
      [],
      x.shape.slice(0, -2),
      x.shape.slice(0, -2).map((dim) => (dim === 1 ? 2 : 1)),
      [3],
    ])
    return {
      name: draft.add('MatMul', [
        draft.numbers(draft.chance(0.1) ? [k] : [...batch, draft.whole(1, 4), k]),
        x.name,
      ]),
    }
  },
  MatMulJoin: (draft, x) => {
    if (x.shape.length < 2) return null
    const order = x.shape.map((_, axis) => axis)
    const swapped = [...order.slice(0, -2), order.length - 1, order.length - 2]
    const [left, right] = [draft.add('Sigmoid', [x.name]), draft.add('Tanh', [draft.other().name])]
    const turned = draft.chance(0.7) ? draft.add('Transpose', [right], { perm: ints(swapped) }) : right
    return { name: draft.add('MatMul', draft.chance(0.5) ? [left, turned] : [turned, left]), bounded: true }
  },
  CumSum: (draft, x) => {
    if (draft.opset < 11) return null
    const axis = draft.constant(tensor([], [axisOf(draft, x)], 'int64'))
    return {
      name: draft.add('CumSum', [x.name, axis], { exclusive: draft.whole(0, 1), reverse: draft.whole(0, 1) }),
    }
  },
  Einsum: (draft, x) => {
    if (draft.opset < 12) return null
    const letters = [...'abcde'].slice(0, x.shape.length)
    const size = (label: string) => x.shape[letters.indexOf(label)] ?? 3
    const weights = [...letters.filter(() => draft.chance(0.5)), ...(draft.chance(0.6) ? ['z'] : [])]
    if (weights.length === 0) return null
    const output = [...letters, 'z'].filter((label) =>
      label === 'z' ? weights.includes('z') : draft.chance(0.6) || !weights.includes(label),
    )
    const shuffled = draft.chance(0.5) ? [...weights].reverse() : weights
    const c = draft.numbers(shuffled.map(size))
    return {
      name: draft.add('Einsum', [x.name, c], {
        equation: `${letters.join('')},${shuffled.join('')}->${output.join('')}`,
      }),
    }
  },
  EinsumAlone: (draft, x) => {
    if (draft.opset < 12 || x.shape.length < 2) return null
    const letters = [...'abcde'].slice(0, x.shape.length)
    const kept = letters.filter(() => draft.chance(0.6)).reverse()
    return { name: draft.add('Einsum', [x.name], { equation: `${letters.join('')}->${kept.join('')}` }) }
  },
}
