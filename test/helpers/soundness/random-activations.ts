import { float, tensor } from '../onnx-builder.ts'
import type { Maker } from './random-graph.ts'
import { simple } from './random-parts.ts'

/** Elementwise functions. */

const slopes = [0.01, 0.5, -0.7, 1.8, -2]

export const activations: Readonly<Record<string, Maker>> = {
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
  Quantized: (draft, x) => {
    const zero = draft.constant(tensor([], [draft.whole(0, 255)], 'uint8'))
    const scale = draft.numbers([], 0, draft.pick([0.1, 0.02]))
    const quantized = draft.add('QuantizeLinear', [x.name, scale, zero])
    return { name: draft.add('DequantizeLinear', [quantized, scale, zero]) }
  },
}
