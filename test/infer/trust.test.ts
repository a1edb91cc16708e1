import { describe, expect, it } from 'vitest'
import { boundModel } from '../helpers/bounds.ts'
import { float, type ModelSpec, node, scalar, tensor } from '../helpers/onnx-builder.ts'

const reasonOf = async (spec: ModelSpec) => (await boundModel(spec)).best.joint.refusal?.reason ?? null
const w = tensor([2, 2], [1, 2, 3, 4])
const plain = { inputs: { x: [1, 2] }, outputs: ['y'] }

describe('constants that are no numbers', () => {
  it.each<[string, readonly number[]]>([
    ['a bias of NaN', [Number.NaN, 0]],
    ['an infinite bias', [0, -Infinity]],
  ])('leave no bound: %s', async (_, b) => {
    const nodes = [node('Gemm', ['x', 'w', 'b'], ['h']), node('MatMul', ['h', 'w'], ['y'])]
    expect(await reasonOf({ ...plain, initializers: { w, b }, nodes })).toMatch(/not finite/)
    expect(await reasonOf({ ...plain, initializers: { w, b: [1, 2] }, nodes })).toBeNull()
  })

  it('leave no bound where they are added, folded or not', async () => {
    const nodes = [node('Neg', ['c'], ['d']), node('Add', ['x', 'd'], ['h']), node('Relu', ['h'], ['y'])]
    expect(await reasonOf({ ...plain, initializers: { c: [1, Number.NaN] }, nodes })).toMatch(/not finite/)
    expect(await reasonOf({ ...plain, initializers: { c: [1, 2] }, nodes })).toBeNull()
  })

  it('may be infinite where they mask', async () => {
    const nodes = [node('Add', ['x', 'mask'], ['h']), node('Softmax', ['h'], ['y'])]
    expect(await reasonOf({ ...plain, initializers: { mask: [0, -Infinity] }, nodes })).toBeNull()
  })
})

describe('attributes that are no numbers', () => {
  it('leave no bound, whatever they scale', async () => {
    const nodes = [node('Gemm', ['x', 'w', 'b'], ['y'], { beta: float(Number.NaN) })]
    const spec = { ...plain, initializers: { w, b: [1, 2] }, nodes }
    expect(await reasonOf(spec)).toMatch(/attribute that is not a number/)
  })
})

describe('operators of versions that are too new', () => {
  it('prove nothing, also where two layers would be one', async () => {
    const nodes = [node('MatMul', ['x', 'w'], ['h']), node('MatMul', ['h', 'w'], ['y'])]
    const spec = { ...plain, initializers: { w, half: scalar(0.5) }, nodes }
    expect(await reasonOf(spec)).toBeNull()
    expect(await reasonOf({ ...spec, opset: 999 })).toMatch(/./)
  })
})
