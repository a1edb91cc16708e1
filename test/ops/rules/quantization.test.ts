import { describe, expect, it } from 'vitest'
import * as mag from '../../../src/core/magnitude.ts'
import { boundModel, constantOf } from '../../helpers/bounds.ts'
import { float, type Message, type ModelSpec, model, node, tensor } from '../../helpers/onnx-builder.ts'
import { generator } from '../../helpers/seeded.ts'
import { openNetwork, steepestSecants } from '../../helpers/slope.ts'

const random = generator(11)
const int8 = (dims: readonly number[]) =>
  tensor(
    dims,
    Array.from({ length: dims.reduce((size, dim) => size * dim, 1) }, () => Math.floor(255 * random()) - 127),
    'int8',
  )
const scalar = (value: number) => tensor([], [value])
const zero = (value: number, type: 'int8' | 'uint8' = 'int8') => tensor([], [value], type)

const shared: Record<string, Message> = {
  sx: scalar(0.02),
  zx: zero(3),
  sy: scalar(0.05),
  zy: zero(-2),
  sw: scalar(0.01),
  zw: zero(0),
}
const quantized = node('QuantizeLinear', ['x', 'sx', 'zx'], ['q'])
const real = (name: string) => node('DequantizeLinear', [name, 'sy', 'zy'], ['out'])

/** Quantised networks on x of the given shape, from float32 to float32. */
const cases: readonly {
  name: string
  x: readonly number[]
  nodes: readonly Message[]
  constants?: Record<string, Message>
  opsets?: Record<string, number>
  /** Set where L alone is so much larger than what happens that the offset does not show. */
  isLoose?: boolean
}[] = [
  { name: 'rounding', x: [1, 6], nodes: [quantized, node('DequantizeLinear', ['q', 'sx', 'zx'], ['out'])] },
  {
    name: 'rounding with one scale per channel',
    x: [1, 3, 2],
    nodes: [
      node('QuantizeLinear', ['x', 's', 'z'], ['q'], { axis: 1 }),
      node('DequantizeLinear', ['q', 's', 'z'], ['out'], { axis: 1 }),
    ],
    constants: { s: tensor([3], [0.01, 0.02, 0.03]), z: tensor([3], [0, 1, 2], 'int8') },
  },
  {
    name: 'QLinearConv',
    x: [1, 2, 5, 5],
    nodes: [
      quantized,
      node('QLinearConv', ['q', 'sx', 'zx', 'w', 'sw', 'zw', 'sy', 'zy'], ['p'], { pads: [1, 1, 1, 1] }),
      real('p'),
    ],
    constants: { w: int8([3, 2, 3, 3]) },
  },
  ...[0, 1].map((channels_last) => ({
    name: `QLinearConv of ONNX Runtime, channels ${channels_last === 0 ? 'second' : 'last'}`,
    x: channels_last === 0 ? [1, 2, 4, 5] : [1, 4, 5, 2],
    nodes: [
      quantized,
      node(
        'QLinearConv',
        ['q', 'sx', 'zx', 'w', 'sw', 'zw', 'sy', 'zy'],
        ['p'],
        { pads: [1, 1, 1, 1], channels_last },
        { domain: 'com.microsoft' },
      ),
      real('p'),
    ],
    constants: { w: int8([3, 2, 3, 3]) },
  })),
  {
    name: 'QLinearMatMul',
    x: [2, 4],
    nodes: [
      quantized,
      node('QLinearMatMul', ['q', 'sx', 'zx', 'w', 'sw', 'zw', 'sy', 'zy'], ['p']),
      real('p'),
    ],
    constants: { w: int8([4, 3]) },
  },
  {
    name: 'QGemm',
    x: [1, 4],
    nodes: [
      quantized,
      node(
        'QGemm',
        ['q', 'sx', 'zx', 'w', 'sw', 'zw', '', 'sy', 'zy'],
        ['p'],
        {},
        { domain: 'com.microsoft' },
      ),
      real('p'),
    ],
    constants: { w: int8([4, 3]) },
  },
  {
    name: 'QLinearAdd',
    x: [2, 4],
    nodes: [
      quantized,
      node(
        'QLinearAdd',
        ['q', 'sx', 'zx', 'q', 'sx', 'zx', 'sy', 'zy'],
        ['p'],
        {},
        { domain: 'com.microsoft' },
      ),
      real('p'),
    ],
  },
  {
    name: 'MatMulInteger',
    x: [2, 4],
    nodes: [
      quantized,
      node('MatMulInteger', ['q', 'w', 'zx', 'zw'], ['p']),
      node('Cast', ['p'], ['f'], { to: 1 }),
      node('Mul', ['f', 'sw'], ['out']),
    ],
    constants: { w: int8([4, 3]) },
  },
  ...(
    [
      ['QLinearMul', ['q', 'sx', 'zx', 'q', 'sx', 'zx', 'sy', 'zy'], {}],
      ['QLinearLeakyRelu', ['q', 'sx', 'zx', 'sy', 'zy'], { alpha: float(2) }],
      ['QLinearSigmoid', ['q', 'sx', 'zx', 'sy', 'zy'], {}],
      ['QLinearSoftmax', ['q', 'sx', 'zx', 'sy', 'zy'], { axis: -1, opset: 13 }],
      ['QLinearConcat', ['sy', 'zy', 'q', 'sx', 'zx', 'q', 'sx', 'zx'], { axis: 1 }],
      ['QLinearWhere', ['chosen', 'q', 'sx', 'zx', 'other', 'sw', 'zw', 'sy', 'zy'], {}],
      ['QLinearAveragePool', ['q', 'sx', 'zx', 'sy', 'zy'], { kernel_shape: [2, 2], pads: [1, 1, 0, 0] }],
      ['QLinearGlobalAveragePool', ['q', 'sx', 'zx', 'sy', 'zy'], { channels_last: 0 }],
    ] as const
  ).map(([op, inputs, attributes]) => ({
    name: op,
    isLoose: op === 'QLinearMul',
    x: [1, 2, 3, 3],
    nodes: [quantized, node(op, inputs, ['p'], attributes, { domain: 'com.microsoft' }), real('p')],
    constants: {
      chosen: tensor([3], [1, 0, 1], 'bool'),
      other: int8([1, 2, 3, 3]),
    },
  })),
  {
    name: 'MatMulIntegerToFloat',
    x: [2, 4],
    nodes: [
      quantized,
      node(
        'MatMulIntegerToFloat',
        ['q', 'w', 'sx', 'sw', 'zx', 'zw'],
        ['out'],
        {},
        { domain: 'com.microsoft' },
      ),
    ],
    constants: { w: int8([4, 3]) },
  },
  ...(
    [
      ['MatMulInteger', [2, 4], [4, 3], [3]],
      ['ConvInteger', [1, 2, 4, 4], [3, 2, 3, 3], [3, 1, 1]],
    ] as const
  ).map(([op, x, w, scales]) => ({
    name: `${op} of data that are rounded dynamically`,
    isLoose: true,
    x,
    nodes: [
      node('Clip', ['x', 'least', 'most'], ['c']),
      node('DynamicQuantizeLinear', ['c'], ['q', 's', 'z']),
      node(op, ['q', 'w', 'z', 'zw'], ['p']),
      node('Cast', ['p'], ['f'], { to: 1 }),
      node('Mul', ['s', 'each'], ['both']),
      node('Mul', ['f', 'both'], ['out']),
    ],
    constants: {
      w: int8(w),
      each: tensor(scales, [0.01, 0.02, 0.015]),
      least: scalar(-1),
      most: scalar(2),
    },
  })),
  {
    name: 'MatMulIntegerToFloat of data that are rounded dynamically',
    isLoose: true,
    x: [2, 4],
    nodes: [
      node('Clip', ['x', 'least', 'most'], ['c']),
      node('DynamicQuantizeLinear', ['c'], ['q', 's', 'z']),
      node(
        'MatMulIntegerToFloat',
        ['q', 'w', 's', 'sw', 'z', 'zw'],
        ['out'],
        {},
        { domain: 'com.microsoft' },
      ),
    ],
    constants: { w: int8([4, 3]), least: scalar(-1), most: scalar(2) },
  },
  {
    name: 'DynamicQuantizeMatMul',
    isLoose: true,
    x: [2, 4],
    nodes: [
      node('Clip', ['x', 'least', 'most'], ['c']),
      node('DynamicQuantizeMatMul', ['c', 'w', 'sw', 'zw'], ['out'], {}, { domain: 'com.microsoft' }),
    ],
    constants: { w: int8([4, 3]), least: scalar(-1), most: scalar(2) },
  },
  {
    name: 'MatMulNBits that may round its data',
    isLoose: true,
    x: [2, 32],
    nodes: [
      node('Clip', ['x', 'least', 'most'], ['c']),
      node(
        'MatMulNBits',
        ['c', 'codes', 'scales'],
        ['out'],
        { K: 32, N: 3, bits: 4, block_size: 16, accuracy_level: 4 },
        { domain: 'com.microsoft' },
      ),
    ],
    constants: {
      codes: tensor(
        [3, 2, 8],
        Array.from({ length: 48 }, () => Math.floor(256 * random())),
        'uint8',
      ),
      scales: tensor([6], [0.1, 0.2, 0.15, 0.1, 0.05, 0.3]),
      least: scalar(-1),
      most: scalar(2),
    },
  },
  ...['forward', 'bidirectional'].map((direction) => {
    const both = direction === 'bidirectional' ? 2 : 1
    const perDirection = (value: number) => tensor([both], new Array<number>(both).fill(value))
    return {
      name: `DynamicQuantizeLSTM, ${direction}`,
      isLoose: true,
      x: [3, 1, 2],
      nodes: [
        node('Clip', ['x', 'least', 'most'], ['c']),
        node(
          'DynamicQuantizeLSTM',
          ['c', 'w', 'r', 'b', '', '', '', '', 'each', 'zeros', 'each', 'zeros'],
          ['out'],
          { hidden_size: 3, direction },
          { domain: 'com.microsoft' },
        ),
      ],
      constants: {
        w: int8([both, 2, 12]),
        r: int8([both, 3, 12]),
        b: tensor([both, 24], new Float32Array(24 * both).fill(0.1)),
        each: perDirection(0.01),
        zeros: tensor([both], new Array<number>(both).fill(0), 'int8'),
        least: scalar(-1),
        most: scalar(2),
      },
    }
  }),
]

const specOf = ({ x, nodes, constants }: (typeof cases)[number]): ModelSpec => ({
  opset: 19,
  opsets: { 'com.microsoft': 1 },
  inputs: { x },
  outputs: { out: { type: 'float32', shape: null } },
  initializers: { ...shared, ...constants },
  nodes,
})

describe('bounds of quantised operators', () => {
  it.each(cases)('$name: no pair is apart by more than L·d + δ, and the offset is needed', async (one) => {
    const spec = specOf(one)
    const { best } = await boundModel(spec)
    const bound = constantOf(best.joint)
    const offset = mag.toNumber(best.joint.offset.value)
    expect(bound).toBeLessThan(Infinity)
    const network = await openNetwork(model(spec), { x: one.x })
    const secants = [
      ...(await steepestSecants(network, { seed: 1, points: 12, scale: 1, jacobian: false })),
      ...(await steepestSecants(network, { seed: 2, points: 40, scale: 0.02, jacobian: false })),
    ]
    await network.release()
    for (const { difference, distance } of secants) {
      expect(difference).toBeLessThanOrEqual(bound * distance * (1 + 1e-5) + offset + 1e-6)
    }
    const shows = secants.some(({ difference, distance }) => difference > bound * distance)
    if (one.isLoose !== true) expect(shows).toBe(true)
  })

  it('refuses look-alikes of a dynamic product', async () => {
    const chain = (scale: string, zero: string) => ({
      inputs: { x: [2, 4] },
      outputs: { out: { type: 'float32', shape: null } } as const,
      initializers: { ...shared, w: int8([4, 3]) },
      nodes: [
        node('DynamicQuantizeLinear', ['x'], ['q', 's', 'z']),
        node('DynamicQuantizeLinear', ['doubled'], ['q2', 's2', 'z2']),
        node('Add', ['x', 'x'], ['doubled']),
        node('MatMulInteger', ['q', 'w', zero, 'zw'], ['p']),
        node('Cast', ['p'], ['f'], { to: 1 }),
        node('Mul', [scale, 'sw'], ['both']),
        node('Mul', ['f', 'both'], ['out']),
      ],
    })
    const inputRanges = new Map([['x', { lo: -1, hi: 1 }]])
    const boundOf = async (scale: string, zero: string) =>
      constantOf((await boundModel(chain(scale, zero), { inputRanges })).best.joint)
    expect(await boundOf('s', 'z')).toBeLessThan(Infinity)
    expect(await boundOf('s2', 'z')).toBe(Infinity)
    expect(await boundOf('s', 'z2')).toBe(Infinity)
  })

  it('refuses scales that are computed from data', async () => {
    const { refusal } = await boundModel({
      inputs: { x: [1, 4] },
      outputs: ['out'],
      nodes: [
        node('DynamicQuantizeLinear', ['x'], ['q', 's', 'z']),
        node('DequantizeLinear', ['q', 's', 'z'], ['out']),
      ],
    })
    expect(refusal?.reason).toMatch(/range of its data/)
  })
})
