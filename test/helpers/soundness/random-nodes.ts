import { float, int64s, ints, tensor } from '../onnx-builder.ts'
import { compositions } from './random-compositions.ts'
import type { Draft, Drawn, Maker } from './random-graph.ts'

const bools = (count: number, draft: Draft) =>
  tensor(
    [count],
    Array.from({ length: count }, () => (draft.chance(0.5) ? 1 : 0)),
    'bool',
  )

/** A shape that broadcasts with the given one: axes of 1, fewer or more axes. */
function broadcastable(draft: Draft, shape: readonly number[]): number[] {
  const dims = shape.map((dim) => {
    if (dim === 1) return draft.pick([1, 1, 2, 3])
    return draft.chance(0.6) ? dim : 1
  })
  if (draft.chance(0.2)) dims.unshift(2)
  return draft.chance(0.3) ? dims.slice(draft.whole(0, dims.length)) : dims
}

const spatial = (x: Drawn) => x.shape.slice(2)
const axisOf = (draft: Draft, x: Drawn) => {
  const axis = draft.whole(0, x.shape.length - 1)
  return draft.chance(0.3) ? axis - x.shape.length : axis
}

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

interface Window {
  readonly kernel: number[]
  readonly strides: number[]
  readonly dilations: number[]
  readonly pads: number[]
}

function windowOf(draft: Draft, x: Drawn, dilated: boolean): Window {
  const size = spatial(x)
  const kernel = size.map((dim) => draft.whole(1, Math.min(3, dim + 1)))
  const strides = size.map(() => draft.whole(1, 3))
  const dilations = size.map(() => (dilated && draft.chance(0.4) ? 2 : 1))
  const pad = (i: number) => draft.whole(0, Math.max(0, Math.min(2, kernel[i] - 1)))
  const pads = [...size.map((_, i) => pad(i)), ...size.map((_, i) => pad(i))]
  return { kernel, strides, dilations, pads }
}

const pool =
  (op: string): Maker =>
  (draft, x) => {
    if (x.shape.length < 3) return null
    const dilated = op === 'MaxPool' ? draft.opset >= 10 : draft.opset >= 19 && op === 'AveragePool'
    const { kernel, strides, dilations, pads } = windowOf(draft, x, dilated)
    const auto = draft.chance(0.2)
    const name = draft.add(op, [x.name], {
      kernel_shape: ints(kernel),
      strides: ints(strides),
      ...(dilated && { dilations: ints(dilations) }),
      ...(auto ? { auto_pad: draft.pick(['SAME_UPPER', 'SAME_LOWER', 'VALID']) } : { pads: ints(pads) }),
      ...(op !== 'LpPool' && draft.opset >= 10 && { ceil_mode: draft.whole(0, 1) }),
      ...(op === 'AveragePool' && { count_include_pad: draft.whole(0, 1) }),
      ...(op === 'LpPool' && { p: draft.pick([1, 2, 3]) }),
    })
    return { name, bounded: x.bounded }
  }

const convolution =
  (op: string): Maker =>
  (draft, x) => {
    if (x.shape.length < 3) return null
    const { kernel, strides, dilations, pads } = windowOf(draft, x, true)
    const channels = x.shape[1]
    const group = channels % 2 === 0 && draft.chance(0.4) ? draft.pick([2, channels]) : 1
    const out = draft.pick([1, 2, 3])
    const weights = op === 'Conv' ? [out * group, channels / group, ...kernel] : [channels, out, ...kernel]
    const auto = draft.chance(0.2)
    const growing = op === 'ConvTranspose' && draft.chance(0.3)
    return {
      name: draft.add(op, [x.name, draft.numbers(weights)], {
        strides: ints(strides),
        dilations: ints(dilations),
        group,
        ...(auto ? { auto_pad: draft.pick(['SAME_UPPER', 'SAME_LOWER', 'VALID']) } : { pads: ints(pads) }),
        ...(growing && { output_padding: ints(strides.map((stride) => draft.whole(0, stride - 1))) }),
      }),
    }
  }

const binary =
  (op: string): Maker =>
  (draft, x) => {
    const center = op === 'Div' ? draft.pick([2, -3]) : 0
    const c = draft.numbers(broadcastable(draft, x.shape), 1, center)
    const pair = op !== 'Div' && draft.chance(0.5) ? [c, x.name] : [x.name, c]
    return { name: draft.add(op, pair), bounded: x.bounded }
  }

const join =
  (op: string): Maker =>
  (draft, x) => {
    const other = draft.other()
    return {
      name: draft.add(op, draft.chance(0.5) ? [x.name, other.name] : [other.name, x.name]),
      bounded: x.bounded && other.bounded,
    }
  }

const simple =
  (
    op: string,
    attributes: (draft: Draft) => Parameters<Draft['add']>[2] = () => ({}),
    since = 1,
    bounded = false,
  ): Maker =>
  (draft, x) =>
    draft.opset < since
      ? null
      : { name: draft.add(op, [x.name], attributes(draft)), bounded: bounded || x.bounded }

const slopes = [0.01, 0.5, -0.7, 1.8, -2]

/** By what they are called in a description; several are patterns of more than one node. */
export const makers: Readonly<Record<string, Maker>> = {
  Add: binary('Add'),
  Sub: binary('Sub'),
  Mul: binary('Mul'),
  Div: binary('Div'),
  MaxConstant: binary('Max'),
  MinConstant: binary('Min'),
  AddJoin: join('Add'),
  SubJoin: join('Sub'),
  MaxJoin: join('Max'),
  MinJoin: join('Min'),
  MeanJoin: join('Mean'),
  SumJoin: join('Sum'),
  MulJoin: (draft, x) => (x.bounded ? join('Mul')(draft, x) : null),
  Square: (draft, x) => ({ name: draft.add('Mul', [x.name, x.name]), bounded: x.bounded }),
  Gate: (draft, x) => ({
    name: draft.add('Mul', [x.name, draft.add(draft.pick(['Sigmoid', 'HardSigmoid']), [x.name])]),
  }),
  Ratio: (draft, x) => {
    const gate = draft.add('Sigmoid', [draft.other().name])
    return { name: draft.add('Div', [x.name, draft.add('Add', [gate, draft.numbers([1], 0, 0.5)])]) }
  },
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
  MaxPool: pool('MaxPool'),
  AveragePool: pool('AveragePool'),
  LpPool: pool('LpPool'),
  GlobalPool: (draft, x) =>
    x.shape.length < 3
      ? null
      : { name: draft.add(draft.pick(['GlobalAveragePool', 'GlobalMaxPool', 'GlobalLpPool']), [x.name]) },
  Conv: convolution('Conv'),
  ConvTranspose: convolution('ConvTranspose'),
  Pad: (draft, x) => {
    const mode = draft.pick(['constant', 'edge', 'reflect', ...(draft.opset >= 19 ? ['wrap'] : [])])
    const pad = (dim: number) =>
      draft.whole(draft.chance(0.2) ? -Math.min(1, dim - 1) : 0, Math.max(0, Math.min(3, dim - 1)))
    const pads = [...x.shape.map(pad), ...x.shape.map(pad)]
    if (draft.opset < 11) return { name: draft.add('Pad', [x.name], { pads: ints(pads), mode }) }
    return { name: draft.add('Pad', [x.name, draft.constant(int64s(pads))], { mode }) }
  },
  Resize: (draft, x) => {
    if (x.shape.length < 3) return null
    const scales = x.shape.map((_, axis) => (axis < 2 ? 1 : draft.pick([1, 2, 3, 0.5, 0.6, 1.3, 1.7, 2.5])))
    const mode = draft.pick([
      'nearest',
      'linear',
      ...(x.shape.length === 4 && draft.opset >= 11 ? ['cubic'] : []),
    ])
    const message = draft.constant(tensor([scales.length], scales))
    if (draft.opset < 11) return { name: draft.add('Resize', [x.name, message], { mode }) }
    const roi = draft.constant(tensor([0], []))
    const bySizes = draft.chance(0.4)
    const sizes = bySizes
      ? draft.constant(
          int64s(x.shape.map((dim, i) => (i < 2 ? dim : Math.max(1, Math.floor(dim * scales[i]))))),
        )
      : ''
    return {
      name: draft.add(
        'Resize',
        bySizes
          ? [x.name, roi, draft.opset < 13 ? draft.constant(tensor([0], [])) : '', sizes]
          : [x.name, roi, message],
        {
          mode,
          coordinate_transformation_mode: draft.pick([
            'half_pixel',
            'pytorch_half_pixel',
            'align_corners',
            'asymmetric',
            ...(mode === 'nearest' && draft.opset < 13 ? ['tf_half_pixel_for_nn'] : []),
            ...(draft.opset >= 19 ? ['half_pixel_symmetric'] : []),
          ]),
          ...(mode === 'nearest' && {
            nearest_mode: draft.pick(['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil']),
          }),
          ...(mode === 'cubic' && {
            cubic_coeff_a: float(draft.pick([-0.75, -0.5])),
            exclude_outside: draft.whole(0, 1),
          }),
          ...(draft.opset >= 18 &&
            bySizes &&
            draft.chance(0.4) && {
              keep_aspect_ratio_policy: draft.pick(['not_larger', 'not_smaller', 'stretch']),
            }),
        },
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
  MeanVariance: (draft, x) =>
    x.shape.length === 4 ? { name: draft.add('MeanVarianceNormalization', [x.name]) } : null,
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
  Relu: simple('Relu'),
  LeakyRelu: simple('LeakyRelu', (draft) => ({ alpha: float(draft.pick(slopes)) })),
  Elu: simple('Elu', (draft) => ({ alpha: float(draft.pick([1, 0.3, 2.5])) })),
  Selu: simple('Selu'),
  Celu: simple('Celu', (draft) => ({ alpha: float(draft.pick([1, 0.3, 2.5])) }), 12),
  HardSigmoid: simple(
    'HardSigmoid',
    (draft) => ({ alpha: float(draft.pick([0.2, 1, -0.4])), beta: float(draft.pick([0.5, 2, -1])) }),
    1,
    true,
  ),
  Squash: (draft, x) => ({
    name: draft.add(draft.pick(['Sigmoid', 'Tanh', 'Sin', 'Cos', 'Erf', 'Softsign']), [x.name]),
    bounded: true,
  }),
  Smooth: (draft, x) => ({
    name: draft.add(draft.pick(['Softplus', 'Abs', 'Neg', 'Atan', 'Asinh']), [x.name]),
  }),
  HardSwish: simple('HardSwish', undefined, 14),
  Mish: simple('Mish', undefined, 18),
  Gelu: simple('Gelu', (draft) => ({ approximate: draft.pick(['none', 'tanh']) }), 20),
  PRelu: (draft, x) => ({
    name: draft.add('PRelu', [
      x.name,
      draft.numbers(
        x.shape.map((dim) => (draft.chance(0.5) ? dim : 1)),
        2,
      ),
    ]),
  }),
  Clip: (draft, x) => {
    if (draft.opset < 11)
      return { name: draft.add('Clip', [x.name], { min: float(-0.4), max: float(1.2) }), bounded: true }
    return {
      name: draft.add('Clip', [
        x.name,
        draft.numbers([], 0, -0.5),
        draft.numbers([], 0, draft.pick([1, 2, -0.7])),
      ]),
      bounded: true,
    }
  },
  Shrink: simple('Shrink', (draft) => {
    const lambd = draft.pick([0, 0.5, 2])
    return { lambd: float(lambd), bias: float(lambd) }
  }),
  Ranged: (draft, x) => {
    const op = draft.pick([
      'Exp',
      'Log',
      'Sqrt',
      'Reciprocal',
      'Tan',
      'Sinh',
      'Cosh',
      'Asin',
      'Acos',
      'Atanh',
      'Acosh',
    ])
    const inner = draft.add('Mul', [
      draft.add('Sigmoid', [x.name]),
      draft.numbers([1], 0, draft.pick([0.5, 0.8])),
    ])
    const shift = op === 'Acosh' ? 1.2 : 0.1
    return { name: draft.add(op, [draft.add('Add', [inner, draft.numbers([1], 0, shift)])]), bounded: true }
  },
  Power: (draft, x) => {
    const inner = draft.add('Tanh', [x.name])
    const exponent = draft.pick([2, 3, 1, 0, 0.5, 1.5, -1, -2])
    const base =
      exponent === Math.round(exponent) && exponent >= 0
        ? inner
        : draft.add('Add', [inner, draft.numbers([1], 0, 1.3)])
    return {
      name: draft.add('Pow', [base, draft.constant(tensor(draft.pick([[], [1]]), [exponent]))]),
      bounded: true,
    }
  },
  ShrinkLog: (draft, x) => {
    const positive = draft.add('Add', [draft.add('Sigmoid', [x.name]), draft.numbers([1], 0, 3)])
    return {
      name: draft.add('Log', [draft.add('Shrink', [positive], { lambd: float(1), bias: float(1) })]),
      bounded: true,
    }
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
  Upsample: (draft, x) =>
    draft.opset !== 10 || x.shape.length !== 4
      ? null
      : {
          name: draft.add(
            'Resize',
            [x.name, draft.constant(tensor([4], [1, 1, draft.pick([2, 0.5, 1.4]), draft.pick([3, 0.7])]))],
            { mode: draft.pick(['nearest', 'linear']) },
          ),
        },
  Listed: (draft, x) => ({ name: draft.add('Mul', [x.name, draft.numbers(x.shape)]) }),
  ...compositions,
  Quantized: (draft, x) => {
    const zero = draft.constant(tensor([], [draft.whole(0, 255)], 'uint8'))
    const scale = draft.numbers([], 0, draft.pick([0.1, 0.02]))
    const quantized = draft.add('QuantizeLinear', [x.name, scale, zero])
    return { name: draft.add('DequantizeLinear', [quantized, scale, zero]) }
  },
}
