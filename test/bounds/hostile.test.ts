import { describe, expect, it } from 'vitest'
import { bestOf, boundModel } from '../helpers/bounds.ts'
import { float, type ModelSpec, node, scalar, tensor } from '../helpers/onnx-builder.ts'

const refusalOf = async (spec: ModelSpec) => (await boundModel(spec)).best.joint.refusal?.reason ?? null

describe('graphs that invite a bound that is too small', () => {
  it('follows ranges through Shrink, which leaves the interval that it is given', async () => {
    // log(s − 1) for s = 3 + σ(x): the slope is ¼/2 where s = 3
    const { best } = await boundModel({
      inputs: { x: [1, 4] },
      outputs: ['y'],
      initializers: { three: scalar(3) },
      nodes: [
        node('Sigmoid', ['x'], ['gate']),
        node('Add', ['gate', 'three'], ['shifted']),
        node('Shrink', ['shifted'], ['shrunk'], { lambd: float(1), bias: float(1) }),
        node('Log', ['shrunk'], ['y']),
      ],
    })
    expect(best.joint.range.lo).toBeLessThanOrEqual(Math.log(2))
    expect(bestOf({ best } as Awaited<ReturnType<typeof boundModel>>)).toBeGreaterThanOrEqual(0.125)
  })

  it('finds no bound where an attribute is no number', async () => {
    for (const op of ['Elu', 'LeakyRelu', 'HardSigmoid', 'ThresholdedRelu', 'Celu']) {
      const nodes = [node(op, ['x'], ['y'], { alpha: float(Number.NaN) })]
      expect(await refusalOf({ inputs: { x: [4] }, outputs: ['y'], nodes }), op).not.toBeNull()
    }
    const swallowed = [node('Gemm', ['x', 'w'], ['y'], { alpha: float(Number.NaN) })]
    const gemm = { inputs: { x: [1, 2] }, outputs: ['y'], initializers: { w: tensor([2, 2], [1, 2, 3, 4]) } }
    expect(await refusalOf({ ...gemm, nodes: swallowed })).not.toBeNull()
  })

  const zero = tensor([], [128], 'uint8')

  it('refuses zero points that are computed from data', async () => {
    const quantizedTwice = {
      inputs: { x: [4], other: [1] },
      outputs: ['y'],
      initializers: { scale: scalar(0.1), fine: scalar(1e-3), zero },
      nodes: [
        node('QuantizeLinear', ['other', 'fine', 'zero'], ['listed']),
        node('Squeeze', ['listed'], ['moving']),
        node('QuantizeLinear', ['x', 'scale', 'moving'], ['q']),
        node('DequantizeLinear', ['q', 'scale', 'zero'], ['y']),
      ],
    }
    expect(await refusalOf(quantizedTwice)).toMatch(/zero points that are computed from data/)
  })

  it('does not take noise for a constant', async () => {
    const noisy = {
      inputs: { x: [4] },
      outputs: ['y'],
      initializers: { ones: [1, 1, 1, 1], half: scalar(0.5), on: tensor([], [1], 'bool') },
      nodes: [node('Dropout', ['ones', 'half', 'on'], ['noise']), node('Add', ['x', 'noise'], ['y'])],
    }
    expect(await refusalOf(noisy)).toMatch(/random/)
    expect(
      await refusalOf({
        ...noisy,
        nodes: [node('Dropout', ['ones', 'half'], ['n']), node('Add', ['x', 'n'], ['y'])],
      }),
    ).toBeNull()
  })
})
