import { tensor } from '../../helpers/onnx-builder.ts'
import { type Case, describeCases, numbers, vector } from '../../helpers/rule-cases.ts'

const cases: readonly Case[] = [
  {
    name: 'Add a constant, x repeated',
    op: 'Add',
    x: [1, 4],
    constants: { c: numbers([3, 4]) },
    exact: Math.sqrt(3),
    tight: 0.999,
  },
  {
    name: 'Mul by a constant, x repeated',
    op: 'Mul',
    x: [1, 4],
    constants: { c: numbers([3, 4]) },
    tight: 0.999,
  },
  {
    name: 'Mul by a scalar',
    op: 'Mul',
    x: vector,
    constants: { c: tensor([], [-3]) },
    exact: 3,
    tight: 0.999,
  },
  {
    name: 'Div by a constant',
    op: 'Div',
    x: vector,
    constants: {
      c: tensor(
        [12],
        Array.from({ length: 12 }, (_, i) => i - 3.5),
      ),
    },
    exact: 2,
    tight: 0.999,
  },
  { name: 'Add, one operand repeated', op: 'Add', x: [1, 4], more: { y: [3, 1] }, tight: 0.7 },
  { name: 'Sum of three', op: 'Sum', x: [1, 4], more: { y: [3, 4], z: [4] }, tight: 0.7 },
  { name: 'Mean of three', op: 'Mean', x: [1, 4], more: { y: [3, 4], z: [4] }, tight: 0.7 },
  { name: 'Max', op: 'Max', x: [3, 4], more: { y: [1, 4] }, tight: 0.5 },
  {
    name: 'Min with a constant',
    op: 'Min',
    x: [3, 4],
    constants: { c: numbers([3, 4]) },
    exact: 1,
    tight: 0.9,
  },
  {
    name: 'Where',
    op: 'Where',
    x: [1, 4],
    more: { y: [3, 4] },
    constants: { c: tensor([3, 4], [1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0], 'bool') },
    inputs: ['c', 'x', 'y'],
    tight: 0.5,
  },
  {
    name: 'Mul of two in a range',
    op: 'Mul',
    x: [3, 4],
    more: { y: [1, 4] },
    range: [-2, 2],
    scale: 1.9,
    tight: 0.3,
  },
  {
    name: 'Div of two in a range',
    op: 'Div',
    x: [3, 4],
    more: { y: [1, 4] },
    range: [0.5, 2],
    scale: 0.05,
    center: 0.6,
    tight: 0.05,
  },
  {
    name: 'MatMul of two in a range',
    op: 'MatMul',
    x: [2, 3, 4],
    more: { y: [4, 2] },
    range: [-1, 1],
    scale: 0.9,
    tight: 0.1,
  },
  ...(
    [
      ['bij,bjk->bik', [2, 3, 4], [2, 4, 2]],
      ['bhqd,bhkd->bhqk', [1, 2, 3, 2], [1, 2, 4, 2]],
      ['ij,jk->', [3, 2], [2, 3]],
      ['...ij,jk->...k', [2, 3, 2], [2, 3]],
      ['ii,j->ij', [3, 3], [2]],
    ] as const
  ).map(
    ([equation, x, y]): Case => ({
      name: `Einsum ${equation} of two in a range`,
      op: 'Einsum',
      x,
      more: { y },
      attributes: { equation },
      range: [-1, 1],
      scale: 0.9,
      tight: 0.05,
    }),
  ),
  ...(
    [
      ['ii->', [3, 3], Math.sqrt(3)],
      ['ij->j', [4, 3], 2],
      ['ii->i', [3, 3], 1],
      ['ijk->ki', [2, 3, 2], Math.sqrt(3)],
    ] as const
  ).map(
    ([equation, x, exact]): Case => ({
      name: `Einsum ${equation}`,
      op: 'Einsum',
      x,
      attributes: { equation },
      exact,
      tight: 0.9,
    }),
  ),
  {
    name: 'Clip between limits that vary',
    op: 'Clip',
    x: [3, 2],
    more: { lo: [], hi: [] },
    tight: 0.3,
  },
  {
    name: 'PRelu with slopes that vary in a range',
    op: 'PRelu',
    x: [2, 3],
    more: { s: [3] },
    range: [-1.5, 1.5],
    tight: 0.2,
  },
  ...['Sub', 'Concat'].map(
    (op): Case => ({
      name: op,
      op,
      x: [3, 4],
      more: { y: [3, 4] },
      attributes: op === 'Concat' ? { axis: 1 } : {},
      tight: 0.9,
    }),
  ),
]

describeCases('arithmetic', cases)
