import { float, tensor } from '../../helpers/onnx-builder.ts'
import { type Case, describeCases, image, vector } from '../../helpers/rule-cases.ts'

const unary = (op: string, tight: number, more: Partial<Case> = {}): Case => ({
  name: `${op} ${JSON.stringify(more.attributes ?? '')}`,
  op,
  x: vector,
  tight,
  ...more,
})

const cases: readonly Case[] = [
  ...[
    'Abs',
    'Neg',
    'Relu',
    'Sin',

    'Atan',
    'Tanh',
    'Softsign',
    'Erf',
    'Identity',
    'LeakyRelu',
    'Elu',
  ].map((op) => unary(op, 0.9, { scale: 0.3 })),
  unary('Sigmoid', 0.9, { scale: 0.3 }),
  unary('Cos', 0.9, { center: 1.57, scale: 0.1 }),
  unary('Softplus', 0.9, { center: 3 }),
  unary('Asinh', 0.9, { scale: 0.3 }),
  unary('Selu', 0.9, { center: -0.1, scale: 0.05, exact: 1.7580993473529816 }),
  unary('LeakyRelu', 0.9, { attributes: { alpha: float(-1.7) }, exact: 1.7 * (1 + 2e-8) }),
  unary('Elu', 0.9, { attributes: { alpha: float(2) }, center: -0.1, scale: 0.05, exact: 2 }),
  unary('Celu', 0.9, { attributes: { alpha: float(0.5) }, opset: 12 }),
  unary('HardSigmoid', 0.9, { attributes: { alpha: float(0.7) } }),
  unary('HardSwish', 0.9, { center: 2.9, scale: 0.05, exact: 1.5 }),
  unary('Mish', 0.99, { center: 1.49, scale: 0.05 }),
  unary('Gelu', 0.99, { center: 1.41, scale: 0.05, opset: 20 }),
  unary('Gelu', 0.99, { center: 1.41, scale: 0.05, opset: 20, attributes: { approximate: 'tanh' } }),
  unary('Exp', 0.9, { range: [-1, 1], scale: 0.9, center: 0 }),
  unary('Log', 0.3, { range: [0.5, 2], scale: 0.05, center: 0.6 }),
  unary('Sqrt', 0.3, { range: [0.5, 2], scale: 0.05, center: 0.6 }),
  unary('Reciprocal', 0.3, { range: [0.5, 2], scale: 0.05, center: 0.6 }),
  {
    name: 'Pow 3 in a range',
    op: 'Pow',
    x: vector,
    constants: { c: tensor([], [3]) },
    range: [-2, 2],
    tight: 0.3,
  },
  {
    name: 'Clip',
    op: 'Clip',
    x: vector,
    constants: { lo: tensor([], [-0.5]), hi: tensor([], [0.5]) },
    exact: 1,
    tight: 0.9,
  },
  {
    name: 'PRelu',
    op: 'PRelu',
    x: image,
    constants: { s: tensor([2, 1, 1], [3, -0.5]) },
    exact: 3,
    tight: 0.9,
  },
]

describeCases('elementwise functions', cases)
