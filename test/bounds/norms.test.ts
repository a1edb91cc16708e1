import { describe, expect, it } from 'vitest'
import {
  both,
  boundOf,
  type Case,
  describeCurved,
  describeLinear,
  numbers,
  one,
  specOf,
} from '../helpers/norm-cases.ts'
import { float, int64s, node, tensor } from '../helpers/onnx-builder.ts'

const linear: readonly Case[] = [
  {
    name: 'Gemm',
    x: [1, 5],
    nodes: one('Gemm', ['x', 'w', 'b'], { transB: 1, alpha: float(-2) }),
    constants: { w: numbers(3, 5), b: numbers(3) },
  },
  {
    name: 'Gemm on columns',
    x: [5, 2],
    nodes: one('Gemm', ['w', 'x'], { transA: 1 }),
    constants: { w: numbers(5, 3) },
  },
  { name: 'MatMul on rows', x: [2, 5], nodes: one('MatMul', ['x', 'w']), constants: { w: numbers(5, 3) } },
  {
    name: 'MatMul with a stack',
    x: [1, 2, 3],
    nodes: one('MatMul', ['x', 'w']),
    constants: { w: numbers(4, 3, 2) },
  },
  {
    name: 'MatMul with a matrix for each',
    x: [2, 2, 3],
    nodes: one('MatMul', ['x', 'w']),
    constants: { w: numbers(2, 3, 2) },
  },
  { name: 'Conv', x: [1, 2, 5, 4], nodes: one('Conv', ['x', 'w']), constants: { w: numbers(3, 2, 3, 2) } },
  {
    name: 'Conv with padding and strides',
    x: [1, 4, 6, 5],
    nodes: one('Conv', ['x', 'w'], { group: 2, strides: [2, 3], pads: [1, 1, 1, 1] }),
    constants: { w: numbers(6, 2, 3, 3) },
  },
  {
    name: 'Conv wider than its input',
    x: [1, 1, 2],
    nodes: one('Conv', ['x', 'w'], { pads: [3, 3] }),
    constants: { w: numbers(2, 1, 5) },
  },
  {
    name: 'Conv with dilation',
    x: [1, 1, 7],
    nodes: one('Conv', ['x', 'w'], { dilations: [3], pads: [2, 4] }),
    constants: { w: numbers(2, 1, 3) },
  },
  {
    name: 'ConvTranspose',
    x: [1, 4, 3, 3],
    nodes: one('ConvTranspose', ['x', 'w'], { group: 2, strides: [2, 2], pads: [1, 0, 1, 1] }),
    constants: { w: numbers(4, 2, 3, 3) },
  },
  {
    name: 'BatchNormalization',
    x: [1, 3, 4],
    nodes: one('BatchNormalization', ['x', 'g', 'b', 'm', 'v']),
    constants: { g: numbers(3), b: numbers(3), m: numbers(3), v: [0.5, 2, 1] },
  },
  {
    name: 'Conv and BatchNormalization as one',
    x: [1, 2, 5],
    nodes: [node('Conv', ['x', 'w'], ['h']), node('BatchNormalization', ['h', 'g', 'b', 'm', 'v'], ['y'])],
    constants: { w: numbers(3, 2, 2), g: numbers(3), b: numbers(3), m: numbers(3), v: [0.5, 2, 1] },
  },
  {
    name: 'AveragePool',
    x: [1, 1, 5, 5],
    nodes: one('AveragePool', ['x'], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
  },
  {
    name: 'AveragePool that counts its padding',
    x: [1, 2, 7],
    nodes: one('AveragePool', ['x'], { kernel_shape: [3], strides: [2], pads: [1, 1], count_include_pad: 1 }),
  },
  { name: 'GlobalAveragePool', x: [1, 2, 3, 3], nodes: one('GlobalAveragePool', ['x']) },
  { name: 'ReduceSum', x: [2, 3], nodes: one('ReduceSum', ['x', 'a']), constants: { a: int64s([1]) } },
  { name: 'ReduceMean', x: [2, 3, 2], nodes: one('ReduceMean', ['x'], { axes: [1] }), opset: 13 },
  { name: 'Expand', x: [2, 1], nodes: one('Expand', ['x', 's']), constants: { s: int64s([2, 3]) } },
  { name: 'Tile', x: [1, 3], nodes: one('Tile', ['x', 't']), constants: { t: int64s([2, 2]) } },
  {
    name: 'Gather of repeated rows',
    x: [4, 2],
    nodes: one('Gather', ['x', 'i']),
    constants: { i: int64s([3, 0, 3, 3]) },
  },
  {
    name: 'Pad by mirrors',
    x: [1, 6],
    nodes: one('Pad', ['x', 'p'], { mode: 'reflect' }),
    constants: { p: int64s([0, 2, 0, 3]) },
  },
  { name: 'a broadcast sum', x: [1, 3], nodes: one('Add', ['x', 'c']), constants: { c: numbers(4, 3) } },
  {
    name: 'Split and Concat',
    x: [1, 6],
    nodes: [
      node('Split', ['x'], ['a', 'b'], { axis: 1, num_outputs: 2 }),
      node('Concat', ['b', 'a'], ['y'], { axis: 1 }),
    ],
  },
  {
    name: 'the sum of parts',
    x: [1, 6],
    nodes: [node('Split', ['x'], ['a', 'b'], { axis: 1, num_outputs: 2 }), node('Add', ['b', 'a'], ['y'])],
  },
  {
    name: 'one path twice, side by side',
    x: [1, 4],
    nodes: [node('Neg', ['x'], ['n']), node('Concat', ['x', 'n'], ['y'], { axis: 1 })],
  },
  {
    name: 'Where by a mask that repeats',
    x: [1, 3],
    nodes: [node('Mul', ['x', 'two'], ['t']), node('Where', ['mask', 'x', 't'], ['y'])],
    constants: { two: [2], mask: tensor([2, 3], [1, 0, 1, 0, 0, 1], 'bool') },
    loose: 3,
  },
  {
    name: 'updates that add up',
    x: [1, 4],
    nodes: [
      node('Flatten', ['x'], ['u'], { axis: 0 }),
      node('Reshape', ['u', 'flat'], ['updates']),
      node('ScatterElements', ['zeros', 'places', 'updates'], ['y'], { reduction: 'add' }),
    ],
    constants: { flat: int64s([4]), zeros: tensor([3], [0, 0, 0]), places: int64s([1, 0, 1, 1]) },
  },
  {
    name: 'updates that replace',
    x: [4],
    nodes: one('ScatterElements', ['zeros', 'places', 'x']),
    constants: { zeros: tensor([6], [0, 0, 0, 0, 0, 0]), places: int64s([1, 0, 5, 3]) },
  },
  { name: 'CumSum', x: [2, 5], nodes: one('CumSum', ['x', 'a']), constants: { a: tensor([], [1], 'int64') } },
  {
    name: 'CumSum without the element itself',
    x: [5],
    nodes: one('CumSum', ['x', 'a'], { exclusive: 1, reverse: 1 }),
    constants: { a: tensor([], [0], 'int64') },
  },
  { name: 'a constant factor', x: [2, 3], nodes: one('Mul', ['x', 'c']), constants: { c: [2] } },
]

describeLinear('bounds in ℓ∞ and ℓ1 are the norm of the matrix itself', linear)

describe('bounds in ℓ∞ and ℓ1', () => {
  it('count inputs together by the norm of all their elements', () => {
    const two: Case = { name: '', x: [1, 3], more: { z: [1, 3] }, nodes: one('Add', ['x', 'z']) }
    expect(boundOf(specOf(two), 'linf').value).toBe(2)
    expect(boundOf(specOf(two), 'l1').value).toBe(1)
    const beside = specOf({ ...two, nodes: one('Concat', ['x', 'z'], { axis: 1 }) })
    for (const norm of both) expect(boundOf(beside, norm).value).toBe(1)
  })

  it('add up or count what further operands that vary do to all elements', () => {
    const slopes = (...s: number[]) =>
      specOf({ name: '', x: [1, 4], more: { s }, nodes: one('PRelu', ['x', 's']) })
    // x = −1 and s = ±1 everywhere: the slope moves each element by as much as the data do
    expect(boundOf(slopes(4), 'linf', [-1, 1]).value).toBeCloseTo(2, 9)
    // one slope for four elements
    expect(boundOf(slopes(1), 'linf', [-1, 1]).value).toBeCloseTo(2, 9)
    expect(boundOf(slopes(1), 'l1', [-1, 1]).value).toBeCloseTo(4, 9)

    const clip = specOf({ name: '', x: [1, 4], more: { s: [] }, nodes: one('Clip', ['x', 's']) })
    expect(boundOf(clip, 'l1').value).toBeCloseTo(4, 9)
    expect(boundOf(clip, 'linf').value).toBeCloseTo(1, 9)

    const power = (...s: number[]) =>
      specOf({ name: '', x: [1, 4], more: { s }, nodes: one('Pow', ['x', 's']) })
    // y·x^(y−1) + x^y·ln x at x = y = 2
    expect(boundOf(power(4), 'linf', [1, 2]).value).toBeCloseTo(4 + 4 * Math.log(2), 9)
    expect(boundOf(power(1), 'l1', [1, 2]).value).toBeCloseTo(16 * Math.log(2), 9)
  })

  it('refuse what has a constant in ℓ2 alone, and say so', () => {
    const determinant = specOf({ name: '', x: [2, 2], nodes: one('Det', ['x']) })
    expect(boundOf(determinant, 'linf', [-1, 1]).refusal?.reason).toBe(
      'has a constant in ℓ2 alone, none in ℓ∞',
    )
  })

  it('refuse products of two tensors that vary without bounds', () => {
    const product = specOf({ name: '', x: [3, 3], nodes: one('MatMul', ['x', 'x']) })
    expect(boundOf(product, 'l1').refusal?.reason).toContain('--input-range')
    // each entry is a sum of three products of two factors within 1
    expect(boundOf(product, 'linf', [-1, 1]).value).toBeCloseTo(6, 9)
  })
})

const curved: Case[] = [
  { name: 'Softmax', x: [1, 4], nodes: one('Softmax', ['x']) },
  { name: 'LogSoftmax', x: [1, 5], nodes: one('LogSoftmax', ['x']) },
  { name: 'LogSoftmax of two', x: [2, 2], nodes: one('LogSoftmax', ['x']) },
  {
    name: 'MaxPool',
    x: [1, 1, 6, 6],
    nodes: one('MaxPool', ['x'], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
  },
  {
    name: 'a product of two paths',
    x: [1, 5],
    nodes: [node('Sin', ['x'], ['s']), node('Mul', ['x', 's'], ['y'])],
    range: [-2, 2],
  },
  {
    name: 'a gate for each channel',
    x: [1, 3, 4],
    nodes: [
      node('GlobalAveragePool', ['x'], ['m']),
      node('Sigmoid', ['m'], ['g']),
      node('Mul', ['x', 'g'], ['y']),
    ],
    range: [-2, 2],
  },
  {
    name: 'a quotient',
    x: [1, 4],
    nodes: [node('Exp', ['x'], ['e']), node('Div', ['x', 'e'], ['y'])],
    range: [-1, 1],
  },
  {
    name: 'the largest of two',
    x: [1, 4],
    nodes: [node('Neg', ['x'], ['n']), node('Max', ['x', 'n'], ['y'])],
  },
  { name: 'norms of groups', x: [3, 4], nodes: one('ReduceL2', ['x'], { axes: [1] }), opset: 13 },
  { name: 'SiLU', x: [1, 6], nodes: [node('Sigmoid', ['x'], ['s']), node('Mul', ['x', 's'], ['y'])] },
  {
    name: 'limits that vary',
    x: [1, 5],
    nodes: [node('ReduceMean', ['x'], ['m'], { keepdims: 0 }), node('Clip', ['x', 'm'], ['y'])],
  },
  {
    name: 'slopes that vary',
    x: [1, 5],
    nodes: [node('ReduceMean', ['x'], ['m']), node('PRelu', ['x', 'm'], ['y'])],
    range: [-2, 2],
  },
  {
    name: 'powers that vary',
    x: [1, 4],
    nodes: [node('ReduceMean', ['x'], ['m']), node('Pow', ['x', 'm'], ['y'])],
    range: [1, 2],
  },
  {
    name: 'a small network',
    x: [1, 2, 6, 6],
    nodes: [
      node('Conv', ['x', 'w'], ['c'], { pads: [1, 1, 1, 1] }),
      node('Relu', ['c'], ['r']),
      node('Add', ['r', 'x'], ['a']),
      node('MaxPool', ['a'], ['p'], { kernel_shape: [2, 2], strides: [2, 2] }),
      node('Flatten', ['p'], ['f']),
      node('Gemm', ['f', 'v'], ['g']),
      node('Softmax', ['g'], ['y']),
    ],
    constants: { w: numbers(2, 2, 3, 3), v: numbers(18, 4) },
  },
]

curved.push(
  {
    name: 'a product of a group',
    x: [2, 3],
    nodes: one('ReduceProd', ['x'], { axes: [1] }),
    opset: 13,
    range: [-2, 2],
  },
  {
    name: 'running products',
    x: [4],
    nodes: one('CumProd', ['x', 'a']),
    constants: { a: tensor([], [0], 'int64') },
    range: [-2, 2],
    opset: 26,
  },
  {
    name: 'the logarithm of a sum',
    x: [2, 3],
    nodes: one('ReduceLogSum', ['x'], { axes: [1] }),
    opset: 13,
    range: [0.5, 2],
  },
)

describeCurved('no pair of points is further apart than claimed', curved)
