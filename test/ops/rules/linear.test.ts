import { float, tensor } from '../../helpers/onnx-builder.ts'
import { type Case, describeCases, image, numbers } from '../../helpers/rule-cases.ts'

const cases: readonly Case[] = [
  {
    name: 'Gemm',
    op: 'Gemm',
    x: [1, 5],
    constants: { w: numbers([5, 4]), c: numbers([4]) },
    attributes: { alpha: float(-1.5) },
    tight: 0.999,
  },
  {
    name: 'Gemm with data in B and C',
    op: 'Gemm',
    x: [3, 4],
    more: { c: [1, 4] },
    constants: { a: numbers([2, 3]) },
    inputs: ['a', 'x', 'c'],
    attributes: { beta: float(2) },
    tight: 0.9,
  },
  { name: 'MatMul', op: 'MatMul', x: [2, 3, 5], constants: { w: numbers([5, 4]) }, tight: 0.999 },
  {
    name: 'MatMul, weights on the left',
    op: 'MatMul',
    x: [3, 5],
    constants: { w: numbers([4, 3]) },
    inputs: ['w', 'x'],
    tight: 0.999,
  },
  {
    name: 'MatMul, data broadcast over weights',
    op: 'MatMul',
    x: [3, 5],
    constants: { w: numbers([3, 5, 2]) },
    tight: 0.999,
  },
  {
    name: 'MatMul, one matrix per head',
    op: 'MatMul',
    x: [3, 2, 5],
    constants: { w: numbers([3, 5, 2]) },
    tight: 0.999,
  },
  {
    name: 'Conv',
    op: 'Conv',
    x: image,
    constants: { w: numbers([3, 2, 3, 3]), b: numbers([3]) },
    attributes: { pads: [1, 1, 1, 1], strides: [2, 1] },
    tight: 0.99,
  },
  {
    name: 'grouped Conv',
    op: 'Conv',
    x: image,
    constants: { w: numbers([4, 1, 2, 3]) },
    attributes: { group: 2, dilations: [2, 1] },
    tight: 0.99,
  },
  {
    name: 'ConvTranspose',
    op: 'ConvTranspose',
    x: [1, 2, 4, 4],
    constants: { w: numbers([2, 3, 3, 3]) },
    attributes: { strides: [2, 2], pads: [1, 0, 1, 0], output_padding: [1, 0] },
    tight: 0.99,
  },
  {
    name: 'BatchNormalization',
    op: 'BatchNormalization',
    x: image,
    constants: { g: tensor([2], [3, -5]), b: numbers([2]), m: numbers([2]), v: tensor([2], [0.5, 4]) },
    tight: 0.999,
  },
  {
    name: 'Einsum',
    op: 'Einsum',
    x: [2, 3, 4],
    constants: { w: numbers([4, 5]) },
    attributes: { equation: 'bij,jk->bik' },
    tight: 0.999,
  },
]

describeCases('linear maps', cases)
