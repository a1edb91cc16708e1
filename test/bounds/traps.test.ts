import { describe, expect, it } from 'vitest'
import { bestOf, boundModel } from '../helpers/bounds.ts'
import { expectExact } from '../helpers/linear-case.ts'
import { float, int64s, type Message, type ModelSpec, node, tensor } from '../helpers/onnx-builder.ts'

/** What a rule gets wrong that looks at weights alone, or at names alone. */

const any = { y: { type: 'float32', shape: null } } as const
const ramp = (dims: readonly number[]) =>
  tensor(
    dims,
    Array.from({ length: dims.reduce((product, dim) => product * dim, 1) }, (_, i) => Math.sin(2 * i + 1)),
  )

async function boundOf(
  spec: ModelSpec,
  range?: number,
  inputs: readonly string[] | null = null,
): Promise<number> {
  const names = Object.keys(spec.inputs ?? {})
  const inputRanges = new Map(names.map((name) => [name, { lo: -(range ?? 0), hi: range ?? 0 }]))
  return bestOf(await boundModel(spec, { inputs, ...(range === undefined ? {} : { inputRanges }) }))
}

describe('factors that are no weights', () => {
  it('scale both parts of a Gemm, and its bias is repeated', async () => {
    const gemm = (bias: readonly number[]): ModelSpec => ({
      inputs: { x: [3, 2], c: bias },
      outputs: any,
      initializers: { w: tensor([2, 4], [3, 0, 0, 0, 0, 1, 0, 0]) },
      nodes: [node('Gemm', ['x', 'w', 'c'], ['y'], { alpha: float(-2), beta: float(0.5) })],
    })
    expect(await boundOf(gemm([4]), undefined, ['x'])).toBeCloseTo(6, 6)
    expect(await boundOf(gemm([3, 1]), undefined, ['c'])).toBeCloseTo(0.5 * Math.sqrt(4), 6)
    expect(await boundOf(gemm([4]), undefined, ['c'])).toBeCloseTo(0.5 * Math.sqrt(3), 6)
    expect(await boundOf(gemm([1]), undefined, ['c'])).toBeCloseTo(0.5 * Math.sqrt(12), 6)
    // both together: 6 along the first column, and ½ along all four
    const both = await boundOf(gemm([3, 1]))
    expect(both).toBeGreaterThan(Math.sqrt(36.25))
    expect(both).toBeLessThanOrEqual(Math.sqrt(36 + 0.25 * 4) * (1 + 1e-6))
  })

  it.each([
    ['one matrix for all leading axes', [2, 3, 4], [4, 5]],
    ['a matrix for each of a batch', [2, 3, 4], [2, 4, 5]],
    ['a batch of matrices for one operand', [3, 4], [2, 4, 5]],
    ['a vector', [4], [4, 5]],
    ['vectors on both sides', [4], [4]],
  ])('of a MatMul with %s come to the norm of the whole map', async (_, x, w) => {
    await expectExact({ op: 'MatMul', x, inputs: ['x', 'w'], constants: { w: ramp(w) } })
  })

  it('of averages at the rim exceed 1', async () => {
    const spec: ModelSpec = {
      inputs: { x: [1, 1, 3, 3] },
      outputs: any,
      nodes: [node('AveragePool', ['x'], ['y'], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] })],
    }
    expect(await boundOf(spec)).toBeCloseTo(1.057, 3)
  })

  it('of empty axes are those of all axes, or of none', async () => {
    const sum = (noop: number): ModelSpec => ({
      inputs: { x: [2, 8] },
      outputs: any,
      initializers: { a: int64s([]) },
      nodes: [node('ReduceSum', ['x', 'a'], ['y'], { noop_with_empty_axes: noop })],
    })
    expect(await boundOf(sum(0))).toBeCloseTo(4, 9)
    expect(await boundOf(sum(1))).toBe(1)
  })
})

describe('outputs of one node', () => {
  it('of a LayerNormalization have constants of their own', async () => {
    const spec = (output: 'mean' | 'inverse'): ModelSpec => ({
      inputs: { x: [1, 4] },
      outputs: { [output]: { type: 'float32', shape: null } },
      initializers: { g: tensor([4], [1, 2, 3, 4]) },
      nodes: [node('LayerNormalization', ['x', 'g'], ['y', 'mean', 'inverse'], { epsilon: float(0.25) })],
    })
    expect(await boundOf(spec('mean'))).toBeCloseTo(0.5, 9)
    // σ/(σ² + ε)^(3/2) is largest at σ² = ε/2
    const slope = Math.sqrt(0.125) / 0.375 ** 1.5 / 2
    expect(await boundOf(spec('inverse'))).toBeCloseTo(slope, 6)
  })

  it('of a MaxUnpool follow its data where positions are constant, and jump where they are not', async () => {
    const spec = (positions: Message | null): ModelSpec => ({
      inputs: { x: [1, 1, 2, 2] },
      outputs: any,
      initializers: positions === null ? {} : { i: positions },
      nodes: [
        ...(positions === null
          ? [node('ArgMax', ['x'], ['m'], { axis: 3 }), node('Expand', ['m', 's'], ['i'])]
          : []),
        node('MaxUnpool', ['x', 'i'], ['y'], { kernel_shape: [2, 2], strides: [2, 2] }),
      ],
    })
    expect(await boundOf(spec(tensor([1, 1, 2, 2], [0, 3, 8, 11], 'int64')))).toBe(1)
    const moving = spec(null)
    expect(await boundOf({ ...moving, initializers: { s: int64s([1, 1, 2, 2]) } })).toBe(Infinity)
  })
})

describe('products that are written as something else', () => {
  it('of scattered updates need bounds of both, and no element twice', async () => {
    const scatter = (positions: readonly number[]): ModelSpec => ({
      inputs: { x: [4], u: [2] },
      outputs: any,
      initializers: { i: int64s(positions) },
      nodes: [node('ScatterElements', ['x', 'i', 'u'], ['y'], { reduction: 'mul' })],
    })
    expect(await boundOf(scatter([0, 2]))).toBe(Infinity)
    // sup|u| = sup|x| = 3 for independent operands
    expect(await boundOf(scatter([0, 2]), 3)).toBeCloseTo(Math.sqrt(18), 9)
    expect(await boundOf(scatter([2, 2]), 3)).toBe(Infinity)
  })

  it('of a graph input that stands for weights are bilinear', async () => {
    const spec: ModelSpec = {
      inputs: { x: [2, 3], w: [3, 2] },
      outputs: any,
      nodes: [node('MatMul', ['x', 'w'], ['y'])],
    }
    expect(await boundOf(spec)).toBe(Infinity)
    expect(await boundOf(spec, 1)).toBeLessThan(10)
  })
})

describe('rounding to few bits', () => {
  it('jumps where a runtime rounds the data of a product', async () => {
    const spec = (accuracy_level: number): ModelSpec => ({
      inputs: { x: [1, 16] },
      outputs: any,
      opsets: { 'com.microsoft': 1 },
      initializers: {
        w: tensor([2, 1, 8], new Array<number>(16).fill(0x79), 'uint8'),
        s: tensor([2], [0.5, 0.25]),
      },
      nodes: [
        node(
          'MatMulNBits',
          ['x', 'w', 's'],
          ['y'],
          { K: 16, N: 2, bits: 4, block_size: 16, accuracy_level },
          { domain: 'com.microsoft' },
        ),
      ],
    })
    expect(await boundOf(spec(0))).toBeLessThan(Infinity)
    expect(await boundOf(spec(4))).toBe(Infinity)
  })

  it('to floating-point numbers has no constant', async () => {
    const spec: ModelSpec = {
      opset: 21,
      inputs: { x: [4] },
      outputs: any,
      initializers: { s: tensor([], [0.5]), z: { dims: [], dataType: 17, int32Data: [0] } },
      nodes: [
        node('QuantizeLinear', ['x', 's', 'z'], ['q']),
        node('DequantizeLinear', ['q', 's', 'z'], ['y']),
      ],
    }
    expect(await boundOf(spec)).toBe(Infinity)
  })
})

describe('operators without a rule', () => {
  it('are refused by the reason that their declaration gives', async () => {
    const spec: ModelSpec = {
      inputs: { x: [2, 2] },
      outputs: any,
      opsets: { 'com.microsoft': 1 },
      nodes: [node('Inverse', ['x'], ['y'], {}, { domain: 'com.microsoft' })],
    }
    const { refusal } = await boundModel(spec)
    expect(refusal).toMatchObject({ op: 'Inverse' })
    expect(refusal?.reason).toMatch(/not Lipschitz near singular/)
  })

  it('change nothing where they read constants alone', async () => {
    const spec: ModelSpec = {
      inputs: { x: [2, 2] },
      outputs: any,
      opsets: { 'com.microsoft': 1 },
      initializers: { c: tensor([2, 2], [2, 0, 0, 2]) },
      nodes: [node('Inverse', ['c'], ['i'], {}, { domain: 'com.microsoft' }), node('Add', ['x', 'i'], ['y'])],
    }
    expect(await boundOf(spec)).toBe(1)
  })
})
