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

  it('does not forget windows of MaxPool that hold nothing but padding', async () => {
    const { best } = await boundModel({
      inputs: { x: [1, 1, 1] },
      outputs: ['y'],
      nodes: [
        node('Sigmoid', ['x'], ['gate']),
        node('MaxPool', ['gate'], ['y'], { kernel_shape: [2], dilations: [2], pads: [1, 1] }),
      ],
    })
    expect(best.joint.range.lo).toBe(-Infinity)
  })

  it('does not trust that data of an unknown size is as long as the slopes of PRelu', async () => {
    const slopes = (inputs: ModelSpec['inputs']) => ({
      inputs,
      outputs: ['y'],
      initializers: { slopes: tensor([1, 6], [1, 2, 1, 2, 1, 2]) },
      nodes: [node('PRelu', ['x', 'slopes'], ['y'])],
    })
    expect(await refusalOf(slopes({ x: [1, null] }))).toMatch(/broadcasting/)
    expect(await refusalOf(slopes({ x: [1, 6] }))).toBeNull()
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

describe('look-alikes of what exporters write', () => {
  const constants = { big: scalar(1e30), middle: scalar(1e13), one: scalar(1) }

  it('does not lose a shift that larger constants hide', async () => {
    // x·clip(x + 10¹³, 0, 1): the slope at the kink is near 10¹³
    const hidden = {
      inputs: { x: [3] },
      outputs: ['y'],
      initializers: { ...constants, zero: scalar(0) },
      nodes: [
        node('Add', ['x', 'big'], ['a']),
        node('Add', ['a', 'middle'], ['b']),
        node('Sub', ['b', 'big'], ['c']),
        node('Clip', ['c', 'zero', 'one'], ['gate']),
        node('Mul', ['x', 'gate'], ['y']),
      ],
    }
    expect(bestOf(await boundModel(hidden))).toBeGreaterThan(1e13)
  })

  it('does not take a pole for a logistic function', async () => {
    // 1/(eˣ + b) with b = 1 − 10¹³, which rounding takes for 1 − 0
    const pole = {
      inputs: { x: [3] },
      outputs: ['y'],
      initializers: constants,
      nodes: [
        node('Exp', ['x'], ['e']),
        node('Sub', ['e', 'middle'], ['a']),
        node('Add', ['a', 'big'], ['b']),
        node('Sub', ['b', 'big'], ['c']),
        node('Add', ['c', 'one'], ['d']),
        node('Reciprocal', ['d'], ['y']),
      ],
    }
    expect(await refusalOf(pole)).not.toBeNull()
  })

  it.each([
    [
      'Mul of Sigmoid of another tensor',
      [node('Sigmoid', ['other'], ['gate']), node('Mul', ['x', 'gate'], ['y'])],
    ],
    ['Mul of x with x', [node('Mul', ['x', 'x'], ['y'])]],
    [
      'Mul of Sigmoid behind a layer',
      [
        node('MatMul', ['x', 'w'], ['z']),
        node('Sigmoid', ['z'], ['gate']),
        node('Mul', ['x', 'gate'], ['y']),
      ],
    ],
    [
      'x times the tanh of x²',
      [node('Mul', ['x', 'x'], ['s']), node('Tanh', ['s'], ['gate']), node('Mul', ['x', 'gate'], ['y'])],
    ],
    [
      'x times tanh of the softplus of 2x',
      [
        node('Add', ['x', 'x'], ['t']),
        node('Softplus', ['t'], ['s']),
        node('Tanh', ['s'], ['gate']),
        node('Mul', ['x', 'gate'], ['y']),
      ],
    ],
    ['x over its length', [node('ReduceL2', ['x'], ['length']), node('Div', ['x', 'length'], ['y'])]],
    [
      'a sum of exponentials of another tensor below',
      [
        node('Exp', ['x'], ['e']),
        node('Exp', ['other'], ['o']),
        node('ReduceSum', ['o'], ['s']),
        node('Div', ['e', 's'], ['y']),
      ],
    ],
    [
      'log behind a clip that reaches far down',
      [node('Clip', ['x', 'tiny', 'inf'], ['c']), node('Mul', ['c', 'x'], ['y'])],
    ],
  ])('%s has no bound on an unbounded domain', async (_, nodes) => {
    const spec = {
      inputs: { x: [3, 3], other: [3, 3] },
      outputs: ['y'],
      initializers: {
        w: tensor([3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        tiny: scalar(1e-10),
        inf: scalar(Infinity),
      },
      nodes,
    }
    expect(await refusalOf(spec)).not.toBeNull()
  })

  it.each([
    ['the wrong axis', 0, 1, 1e-30],
    ['the same axis', 1, 1, 1e-6],
  ])(
    'bounds a written normalisation with the mean along %s by its own epsilon',
    async (_, meanAxis, spreadAxis, epsilon) => {
      const bound = bestOf(
        await boundModel({
          opset: 17,
          inputs: { x: [4, 4] },
          outputs: ['y'],
          initializers: { epsilon: scalar(epsilon) },
          nodes: [
            node('ReduceMean', ['x'], ['mean'], { axes: [meanAxis] }),
            node('Sub', ['x', 'mean'], ['d']),
            node('Mul', ['d', 'd'], ['squares']),
            node('ReduceMean', ['squares'], ['spread'], { axes: [spreadAxis] }),
            node('Add', ['spread', 'epsilon'], ['kept']),
            node('Sqrt', ['kept'], ['root']),
            node('Div', ['d', 'root'], ['y']),
          ],
        }),
      )
      expect(bound).toBeGreaterThanOrEqual((1 - 1e-7) / Math.sqrt(epsilon))
    },
  )
})
