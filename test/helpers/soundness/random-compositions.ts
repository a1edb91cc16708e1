import { float, int64s, ints, tensor } from '../onnx-builder.ts'
import type { Draft, Drawn, Maker } from './random-graph.ts'

/** Functions that exporters write with several operators, and look-alikes of them. */

const constants = [0, 1, -1, 0.5, 2, -0.3, 1.702, 10]

const number = (draft: Draft, value = draft.pick(constants)) =>
  draft.constant(tensor(draft.pick([[], [1]]), [value]))

/** scale·x + shift, written in one of several ways; x itself at times. */
function line(draft: Draft, x: string): string {
  const kind = draft.whole(0, 5)
  if (kind < 2) return x
  const scale = draft.pick([1, -1, 0.5, 3, -0.3, 1.702])
  const scaled =
    kind === 2
      ? x
      : draft.chance(0.5)
        ? draft.add('Mul', [number(draft, scale), x])
        : draft.add('Div', [x, number(draft, 1 / scale)])
  if (kind === 3) return scaled
  const shift = number(draft)
  return draft.pick([
    () => draft.add('Add', [scaled, shift]),
    () => draft.add('Sub', [shift, scaled]),
    () => draft.add('Sub', [scaled, shift]),
  ])()
}

function gate(draft: Draft, x: string): string {
  const kind = draft.pick(['Sigmoid', 'Tanh', 'Erf', 'HardSigmoid', 'Clip', 'Mish', 'Cubic'])
  if (kind === 'Mish')
    return draft.add('Tanh', [draft.add('Softplus', [draft.chance(0.8) ? x : line(draft, x)])])
  if (kind === 'Cubic') {
    const cube = draft.add('Mul', [
      draft.add('Mul', [x, draft.add('Mul', [x, x])]),
      number(draft, draft.pick([0.0447, 1, 3])),
    ])
    return draft.add('Tanh', [
      draft.add('Mul', [draft.add('Add', [x, cube]), number(draft, draft.pick([0.7978, -2, 5]))]),
    ])
  }
  const inner = line(draft, x)
  if (kind === 'HardSigmoid') {
    return draft.add(kind, [inner], {
      alpha: float(draft.pick([0.2, 1, -2])),
      beta: float(draft.pick([0.5, 0, 3])),
    })
  }
  if (kind !== 'Clip') return draft.add(kind, [inner])
  const [min, max] = draft.pick([
    [0, 6],
    [-1, 1],
    [2, 3],
    [-4, -3],
  ])
  if (draft.opset < 11) return draft.add('Clip', [inner], { min: float(min), max: float(max) })
  return draft.add('Clip', [inner, draft.constant(tensor([], [min])), draft.constant(tensor([], [max]))])
}

/** A reduction along axes, by attribute or by input. */
function along(draft: Draft, op: string, x: string, axes: readonly number[], keepdims = 1): string {
  if (draft.opset >= (op === 'ReduceSum' ? 13 : 18))
    return draft.add(op, [x, draft.constant(int64s(axes))], { keepdims })
  return draft.add(op, [x], { axes: ints(axes), keepdims })
}

function meanOf(draft: Draft, x: string, { shape }: Drawn, axes: readonly number[]): string {
  if (draft.chance(0.7)) return along(draft, 'ReduceMean', x, axes)
  const count = axes.reduce((product, axis) => product * shape[axis], 1)
  return draft.add('Div', [along(draft, 'ReduceSum', x, axes), number(draft, count)])
}

const square = (draft: Draft, x: string) =>
  draft.chance(0.5) ? draft.add('Mul', [x, x]) : draft.add('Pow', [x, number(draft, 2)])

function someAxes(draft: Draft, { shape }: Drawn): number[] {
  const all = shape.map((_, axis) => axis)
  const axes = all.filter(() => draft.chance(0.4))
  return axes.length > 0 ? axes : [all[all.length - 1]]
}

/** √(mean(d²) + ε) and what stands in for it. */
function rootOf(draft: Draft, d: string, x: Drawn, axes: readonly number[]): string {
  const epsilon = number(draft, draft.pick([1e-5, 1e-2, 0.5]))
  return draft.pick([
    () => draft.add('Sqrt', [draft.add('Add', [meanOf(draft, square(draft, d), x, axes), epsilon])]),
    () => draft.add('Add', [draft.add('Sqrt', [meanOf(draft, square(draft, d), x, axes)]), epsilon]),
    () => draft.add('Add', [along(draft, 'ReduceL2', d, axes), epsilon]),
    () => draft.add('Max', [along(draft, 'ReduceL2', d, axes), epsilon]),
    () => draft.add('Sqrt', [draft.add('Max', [along(draft, 'ReduceSumSquare', d, axes), epsilon])]),
    () =>
      draft.add('Pow', [
        draft.add('Add', [epsilon, meanOf(draft, square(draft, d), x, axes)]),
        number(draft, 0.5),
      ]),
  ])()
}

/** A transposed convolution, grouped where that goes, with a scale of its channels behind it. */
function turned(draft: Draft, { name, shape }: Drawn, out: number): string {
  const group = shape[1] % 2 === 0 && draft.chance(0.5) ? 2 : 1
  const spatial = shape.slice(2).map(() => 2)
  const layer = draft.add('ConvTranspose', [name, draft.numbers([shape[1], out, ...spatial])], { group })
  return draft.add('Mul', [layer, draft.numbers([1, out * group, ...spatial.map(() => 1)], 3)])
}

export const compositions: Readonly<Record<string, Maker>> = {
  WrittenGate: (draft, x) => {
    const outer = gate(draft, x.name)
    const gated = draft.chance(0.5) ? outer : line(draft, outer)
    const factor = draft.chance(0.5) ? x.name : line(draft, x.name)
    return { name: draft.add('Mul', draft.chance(0.5) ? [factor, gated] : [gated, factor]) }
  },
  WrittenNorm: (draft, x) => {
    const axes = someAxes(draft, x)
    const d = draft.chance(0.6)
      ? draft.add('Sub', [x.name, meanOf(draft, x.name, x, draft.chance(0.8) ? axes : someAxes(draft, x))])
      : x.name
    const root = rootOf(draft, d, x, axes)
    const gain = () => draft.numbers(x.shape.map((dim) => (draft.chance(0.5) ? dim : 1)))
    const name = draft.pick([
      () => draft.add('Div', [d, root]),
      () => draft.add('Mul', [d, draft.add('Reciprocal', [root])]),
      () => draft.add('Mul', [d, draft.add('Mul', [draft.add('Div', [number(draft, 1), root]), gain()])]),
    ])()
    return { name, bounded: true }
  },
  ShiftedNorm: (draft, x) => {
    const axes = someAxes(draft, x)
    const mean = meanOf(draft, x.name, x, axes)
    const squares = draft.add('Sub', [meanOf(draft, square(draft, x.name), x, axes), square(draft, mean)])
    const spread = draft.chance(0.5)
      ? squares
      : meanOf(draft, square(draft, draft.add('Sub', [x.name, mean])), x, axes)
    const root = draft.add('Sqrt', [draft.add('Add', [spread, number(draft, draft.pick([0.1, 1e-3]))])])
    const channels = x.shape.map((dim) => (draft.chance(0.5) ? dim : 1))
    const factor = draft.add('Mul', [draft.add('Reciprocal', [root]), draft.numbers(channels)])
    const offset = draft.add('Sub', [draft.numbers(channels), draft.add('Mul', [mean, factor])])
    return { name: draft.add('Add', [draft.add('Mul', [x.name, factor]), offset]) }
  },
  Deviation: (draft, x) => ({
    name: draft.add('Sub', [x.name, meanOf(draft, x.name, x, someAxes(draft, x))]),
  }),
  WrittenSoftmax: (draft, x) => {
    const axes = someAxes(draft, x)
    const level = draft.chance(0.5)
      ? draft.add('Sub', [
          x.name,
          along(draft, 'ReduceMax', x.name, draft.chance(0.8) ? axes : someAxes(draft, x)),
        ])
      : x.name
    const exponential = draft.add('Exp', [level])
    return {
      name: draft.add('Div', [exponential, along(draft, 'ReduceSum', exponential, axes)]),
      bounded: true,
    }
  },
  Logistic: (draft, x) => {
    const below = draft.add('Add', [
      draft.add('Mul', [draft.add('Exp', [line(draft, x.name)]), number(draft, 2)]),
      number(draft, draft.pick([1, 0.2])),
    ])
    return {
      name: draft.chance(0.5)
        ? draft.add('Reciprocal', [below])
        : draft.add('Div', [number(draft, 3), below]),
      bounded: true,
    }
  },
  LogarithmOfSum: (draft, x) => ({
    name: draft.add('Log', [
      draft.add('Add', [draft.add('Exp', [line(draft, x.name)]), number(draft, draft.pick([1, 0, 5]))]),
    ]),
  }),
  ScaledLayer: (draft, x) => {
    if (x.shape.length < 2) return null
    const axis = x.shape.length === 2 || draft.chance(0.5) ? x.shape.length - 1 : 1
    const perChannel = (dim: number) => x.shape.map((_, i) => (i === axis ? dim : 1))
    const before = draft.add('Mul', [x.name, draft.numbers(perChannel(x.shape[axis]), 3)])
    const out = draft.pick([x.shape[axis], 3])
    const isConv = axis === 1 && x.shape.length > 2
    if (isConv && draft.chance(0.4)) return { name: turned(draft, { ...x, name: before }, out) }
    const group = isConv && out === x.shape[1] && draft.chance(0.4) ? out : 1
    const layer = isConv
      ? draft.add(
          'Conv',
          [before, draft.numbers([out, x.shape[1] / group, ...x.shape.slice(2).map(() => 1)])],
          { group },
        )
      : draft.add('MatMul', [before, draft.numbers([x.shape[axis], out])])
    const shifted = draft.add('Add', [layer, draft.numbers(perChannel(out))])
    return {
      name: draft.chance(0.5)
        ? draft.add('Mul', [shifted, draft.numbers(perChannel(out), 3)])
        : draft.add('Div', [shifted, draft.numbers(perChannel(out), 1, 3)]),
    }
  },
  Recurrence: (draft, x) => {
    if (x.shape.length !== 3) return null
    const op = draft.pick(['RNN', 'GRU', 'LSTM'])
    const gates = { RNN: 1, GRU: 3, LSTM: 4 }[op] as number
    const direction = draft.pick(['forward', 'reverse', 'bidirectional'])
    const [both, hidden] = [direction === 'bidirectional' ? 2 : 1, draft.whole(1, 3)]
    const weights = draft.numbers([both, gates * hidden, x.shape[2]], draft.pick([1, 3]))
    const again = draft.numbers([both, gates * hidden, hidden], draft.pick([0.3, 2]))
    const bias = draft.chance(0.5) ? [draft.numbers([both, 2 * gates * hidden])] : ['']
    const state = draft.chance(0.4) ? ['', draft.numbers([both, x.shape[1], hidden], 2)] : []
    const name = draft.add(op, [x.name, weights, again, ...bias, ...state], {
      hidden_size: hidden,
      direction,
      ...(op === 'GRU' && { linear_before_reset: draft.whole(0, 1) }),
    })
    return { name, bounded: true }
  },
  QuantizedLayer: (draft, x) => {
    const type = draft.pick(['uint8', 'int8'] as const)
    const zero = () => draft.constant(tensor([], [draft.whole(0, 100)], type))
    const scale = (value: number) => draft.constant(tensor([], [value]))
    const [inputScale, outputScale, inputZero, outputZero] = [scale(0.05), scale(0.3), zero(), zero()]
    const quantized = draft.add('QuantizeLinear', [x.name, inputScale, inputZero])
    const isConv = x.shape.length > 2 && draft.chance(0.5)
    const dims = isConv ? [3, x.shape[1], ...x.shape.slice(2).map(() => 1)] : [x.shape[x.shape.length - 1], 3]
    const size = dims.reduce((product, dim) => product * dim, 1)
    const levels = Array.from({ length: size }, () => draft.whole(0, 127))
    const weights = draft.constant(tensor(dims, levels, type))
    const weightZero = draft.constant(tensor([], [draft.whole(0, 50)], type))
    if (draft.chance(0.4)) {
      const op = isConv ? 'ConvInteger' : 'MatMulInteger'
      if (isConv && type === 'int8') return null
      const product = draft.add(op, [quantized, weights, inputZero, weightZero])
      return { name: draft.add('Mul', [draft.add('Cast', [product], { to: 1 }), scale(0.02)]) }
    }
    const own = [quantized, inputScale, inputZero, weights, scale(0.02), weightZero, outputScale, outputZero]
    const product = draft.add(isConv ? 'QLinearConv' : 'QLinearMatMul', own)
    return { name: draft.add('DequantizeLinear', [product, outputScale, outputZero]) }
  },
  WrittenAttention: (draft, x) => {
    if (x.shape.length !== 3) return null
    const width = x.shape[2]
    const [query, key, value] = [0, 1, 2].map(() => draft.add('MatMul', [x.name, draft.numbers([width, 3])]))
    const scores = draft.add('MatMul', [query, draft.add('Transpose', [key], { perm: ints([0, 2, 1]) })])
    return { name: draft.add('MatMul', [draft.add('Softmax', [scores], { axis: 2 }), value]) }
  },
}
