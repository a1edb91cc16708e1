import { describe, expect, it } from 'vitest'
import { bestOf, boundModel } from '../../helpers/bounds.ts'
import { type AttributeValue, node, tensor } from '../../helpers/onnx-builder.ts'
import { type Case, describeCases, numbers } from '../../helpers/rule-cases.ts'

const domain = 'com.microsoft'

describeCases('fused operators that onnxruntime runs', [
  {
    name: 'CDist',
    op: 'CDist',
    domain,
    x: [2, 3],
    more: { b: [4, 3] },
    attributes: { metric: 'euclidean' },
    tight: 0.3,
  },
  {
    name: 'CDist of squares',
    op: 'CDist',
    domain,
    x: [2, 3],
    more: { b: [4, 3] },
    attributes: { metric: 'sqeuclidean' },
    range: [-1.5, 1.5],
    scale: 0.5,
    tight: 0.05,
  },
  {
    name: 'FastGelu with a bias',
    op: 'FastGelu',
    domain,
    x: [2, 3],
    constants: { b: numbers([3]) },
    tight: 0.8,
  },
  { name: 'BiasGelu', op: 'BiasGelu', domain, x: [2, 3], constants: { b: numbers([3]) }, tight: 0.8 },
  {
    name: 'FusedConv with an activation and a residual',
    op: 'FusedConv',
    domain,
    x: [1, 2, 4, 4],
    constants: { w: numbers([2, 2, 3, 3]), b: numbers([2]) },
    more: { z: [1, 2, 4, 4] },
    inputs: ['x', 'w', 'b', 'z'],
    attributes: { activation: 'Relu', pads: [1, 1, 1, 1] },
    tight: 0.3,
  },
  ...(['Sigmoid', 'Tanh', 'LeakyRelu', 'HardSigmoid', 'Clip'] as const).map(
    (activation): Case => ({
      name: `FusedConv with ${activation}`,
      op: 'FusedConv',
      domain,
      x: [1, 2, 4],
      constants: { w: numbers([2, 2, 3]) },
      attributes: {
        activation,
        pads: [1, 1],
        ...(activation === 'LeakyRelu' ? { activation_params: [1.5] } : {}),
        ...(activation === 'Clip' ? { activation_params: [-0.5, 0.75] } : {}),
        ...(activation === 'HardSigmoid' ? { activation_params: [0.25, 0.5001] } : {}),
      },
      scale: 0.3,
      tight: 0.3,
    }),
  ),
  { name: 'QuickGelu', op: 'QuickGelu', domain, x: [2, 3], exact: 1.099839320128867, tight: 0.8 },
  {
    name: 'FusedMatMul of two tensors, turned and scaled',
    op: 'FusedMatMul',
    domain,
    x: [2, 3, 2],
    more: { b: [2, 4, 3] },
    attributes: { transA: 1, transB: 1, alpha: 0.5 },
    range: [-1.5, 1.5],
    tight: 0.1,
  },
] satisfies readonly Case[])

describe('fused operators by closed forms', () => {
  const boundOf = async (
    op: string,
    inputs: Record<string, readonly number[]>,
    attributes: Record<string, AttributeValue> = {},
    range?: number,
  ) => {
    const given = Object.keys(inputs).filter((name) => !name.startsWith('bias'))
    const bias = Object.keys(inputs).filter((name) => name.startsWith('bias'))
    const bounds = await boundModel(
      {
        inputs: Object.fromEntries(given.map((name) => [name, inputs[name]])),
        outputs: { y: { type: 'float32', shape: null } },
        initializers: Object.fromEntries(
          bias.map((name) => {
            const size = inputs[name].reduce((product, dim) => product * dim, 1)
            return [name, tensor(inputs[name], new Float32Array(size).fill(0.5))]
          }),
        ),
        nodes: [node(op, Object.keys(inputs), ['y'], attributes, { domain })],
      },
      range === undefined
        ? {}
        : { inputRanges: new Map(given.map((name) => [name, { lo: -range, hi: range }])) },
    )
    return bestOf(bounds)
  }

  it('halve by a softmax what is added before it', async () => {
    expect(await boundOf('BiasSoftmax', { x: [1, 2, 4], bias: [1, 1, 4] })).toBe(0.5)
    // the bias is repeated for two rows, and independent of x: ½·√(1 + 2)
    expect(await boundOf('BiasSoftmax', { x: [1, 2, 4], b: [1, 1, 4] })).toBeCloseTo(Math.sqrt(3) / 2, 9)
  })

  it('add residuals', async () => {
    expect(await boundOf('BiasAdd', { x: [1, 4, 8], bias: [8], skip: [1, 4, 8] })).toBeCloseTo(Math.SQRT2, 9)
    expect(await boundOf('BiasDropout', { x: [1, 4, 8], bias: [8] })).toBe(1)
  })

  it('gate halves where their data are bounded', async () => {
    expect(await boundOf('BiasSplitGelu', { x: [1, 4, 8], bias: [8] })).toBe(Infinity)
    const found = await boundOf('BiasSplitGelu', { x: [1, 4, 8], bias: [8] }, {}, 1)
    // at a = b = 1.5: GELU(1.5) beside 1.5·GELU′(1.5)
    const normal = 0.9331927987311419
    const slope = normal + (1.5 * Math.exp(-1.125)) / Math.sqrt(2 * Math.PI)
    expect(found).toBeGreaterThanOrEqual(1.5 * Math.hypot(normal, slope))
    expect(found).toBeLessThanOrEqual(1.5 * Math.hypot(1, 1.1289042) * (1 + 1e-6))
  })

  it('multiply complex numbers by as much as they are long', async () => {
    // |z| ≤ √2·2 on both sides, of two independent inputs
    expect(await boundOf('ComplexMul', { x: [1, 2], w: [1, 2] }, {}, 2)).toBeCloseTo(4, 9)
    expect(await boundOf('ComplexMulConj', { x: [1, 2], w: [1, 2] })).toBe(Infinity)
  })

  it('normalise sums with skips that are repeated over all places', async () => {
    const plain = { x: [1, 2, 2, 4], biasG: [4], biasB: [4], skip: [1, 2, 2, 4] }
    const attributes = { epsilon: 0.25, groups: 2, activation: 0, channels_last: 1 }
    // γ/√ε = 1 times √2 for two independent summands; √5 where each element of the skip is read at four places
    expect(await boundOf('SkipGroupNorm', plain, attributes)).toBeCloseTo(Math.SQRT2, 6)
    const repeated = { ...plain, skip: [1, 1, 1, 4] }
    expect(await boundOf('SkipGroupNorm', repeated, attributes)).toBeCloseTo(Math.sqrt(5), 6)
    const silent = await boundOf('SkipGroupNorm', plain, { ...attributes, activation: 1 })
    expect(silent).toBeCloseTo(1.0998393 * Math.SQRT2, 6)
  })
})
