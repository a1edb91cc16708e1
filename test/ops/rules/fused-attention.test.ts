import { describe, expect, it } from 'vitest'
import * as mag from '../../../src/core/magnitude.ts'
import { bestOf, boundModel, constantOf } from '../../helpers/bounds.ts'
import { int64s, type ModelSpec, model, node, tensor } from '../../helpers/onnx-builder.ts'
import { type Case, describeCases, numbers } from '../../helpers/rule-cases.ts'
import { generator } from '../../helpers/seeded.ts'
import { openNetwork, steepest, steepestSecants } from '../../helpers/slope.ts'

const range = [-2, 2] as const
const domain = 'com.microsoft'
const any = { out: { type: 'float32', shape: null } } as const
const int32s = (...values: number[]) => tensor([values.length], values, 'int32')
const angles = Array.from({ length: 32 }, (_, i) => Math.floor(i / 8) / 2 ** (i % 8))
const rotations = {
  cosines: tensor([4, 8], angles.map(Math.cos)),
  sines: tensor([4, 8], angles.map(Math.sin)),
}

describeCases('fused attention', [
  {
    name: 'GroupQueryAttention',
    op: 'GroupQueryAttention',
    domain,
    x: [1, 3, 16],
    more: { k: [1, 3, 8], v: [1, 3, 8] },
    constants: { ends: int32s(2), total: tensor([], [3], 'int32') },
    inputs: ['x', 'k', 'v', '', '', 'ends', 'total'],
    attributes: { num_heads: 2, kv_num_heads: 1 },
    range,
    tight: 0.01,
  },
  {
    name: 'GroupQueryAttention of one packed tensor that it rotates',
    op: 'GroupQueryAttention',
    domain,
    x: [1, 3, 64],
    constants: { ends: int32s(2), total: tensor([], [3], 'int32'), ...rotations },
    inputs: ['x', '', '', '', '', 'ends', 'total', 'cosines', 'sines'],
    attributes: { num_heads: 2, kv_num_heads: 1, do_rotary: 1 },
    range,
    tight: 0.01,
  },
] satisfies readonly Case[])

describe('attention by blocks and of packed heads', () => {
  const halves = { k: [1, 4, 8], v: [1, 4, 8] }
  const sparse: ModelSpec = {
    opset: 18,
    opsets: { [domain]: 1 },
    inputs: { x: [1, 4, 16], ...halves },
    outputs: any,
    initializers: {
      pastKeys: tensor([1, 1, 16, 8], new Float32Array(128)),
      pastValues: tensor([1, 1, 16, 8], new Float32Array(128)),
      blockRows: tensor([1, 2], [0, 1], 'int32'),
      blockColumns: tensor([1, 1], [0], 'int32'),
      total: tensor([1], [4], 'int32'),
      lengths: int32s(4),
    },
    nodes: [
      node(
        'SparseAttention',
        ['x', 'k', 'v', 'pastKeys', 'pastValues', 'blockRows', 'blockColumns', 'total', 'lengths'],
        ['out', 'presentKeys', 'presentValues'],
        { num_heads: 2, kv_num_heads: 1, sparse_block_size: 16 },
        { domain },
      ),
    ],
  }
  /** All keys lie in the one block, which is kept. */
  const grouped: ModelSpec = {
    ...sparse,
    initializers: { ends: int32s(3), all: tensor([], [4], 'int32') },
    nodes: [
      node(
        'GroupQueryAttention',
        ['x', 'k', 'v', '', '', 'ends', 'all'],
        ['out'],
        { num_heads: 2, kv_num_heads: 1 },
        { domain },
      ),
    ],
  }
  const packed: ModelSpec = {
    opset: 18,
    opsets: { [domain]: 1 },
    inputs: { x: [1, 3, 2, 3, 2] },
    outputs: any,
    nodes: [node('MultiHeadAttention', ['x'], ['out'], { num_heads: 2 }, { domain })],
  }
  const apart: ModelSpec = {
    ...packed,
    initializers: { shape: int64s([1, 3, 4]) },
    nodes: [
      node('Split', ['x'], ['a', 'b', 'c'], { axis: 3, num_outputs: 3 }),
      ...['a', 'b', 'c'].map((part) => node('Reshape', [part, 'shape'], [`${part} heads`])),
      node('MultiHeadAttention', ['a heads', 'b heads', 'c heads'], ['out'], { num_heads: 2 }, { domain }),
    ],
  }

  it.each([
    ['SparseAttention', sparse, grouped],
    ['MultiHeadAttention of one packed tensor', packed, apart],
  ])('holds for %s', async (_, spec, executed) => {
    const inputs = spec.inputs as Record<string, readonly number[]>
    const inputRanges = new Map(Object.keys(inputs).map((name) => [name, { lo: -2, hi: 2 }]))
    const bound = bestOf(await boundModel(spec, { inputRanges }))
    const network = await openNetwork(model(executed), inputs, { outputs: ['out'] })
    const secants = await steepestSecants(network, { seed: 5, points: 4, scale: 1.5 })
    await network.release()
    const inside = secants.filter(({ distance }) => distance < 1)
    expect(steepest(inside)).toBeLessThanOrEqual(bound)
    expect(steepest(inside)).toBeGreaterThan(bound / 200)
  })
})

describe('attention to the past of several beams', () => {
  it('has no rule, as beams may share a past', async () => {
    const spec = (beams: string): ModelSpec => ({
      opset: 18,
      opsets: { [domain]: 1 },
      inputs: { x: [2, 1, 4], past: [2, 2, 3, 2] },
      initializers: {
        k: tensor([2, 1, 4], new Float32Array(8)),
        order: tensor([2, 1, 4], new Int32Array(8), 'int32'),
      },
      outputs: any,
      nodes: [
        node(
          'MultiHeadAttention',
          ['x', 'k', 'k', '', '', '', 'past', 'past', '', beams],
          ['out'],
          { num_heads: 2 },
          { domain },
        ),
      ],
    })
    const inputRanges = new Map(['x', 'past'].map((name) => [name, { lo: -1, hi: 1 }]))
    expect(bestOf(await boundModel(spec(''), { inputRanges }))).toBeLessThan(Infinity)
    const { refusal } = (await boundModel(spec('order'), { inputRanges })).best.joint
    expect(refusal?.reason).toContain('an order that repeats it')
  })
})

describe('attention of sequences without padding', () => {
  // three tokens of one sequence and two of another
  const [tokens, width] = [5, 4]
  const lengths = { places: tensor([2, 3], [0, 1, 2, 3, 4, 5], 'int32'), ends: int32s(0, 3, 5) }
  const kept = (row: number, column: number) => row < 3 === column < 3
  const mask = tensor(
    [1, 1, tokens, tokens],
    Array.from({ length: tokens * tokens }, (_, i) =>
      kept(Math.floor(i / tokens), i % tokens) ? 0 : -10000,
    ),
  )
  const weights = { w: numbers([width, 3 * width]), b: numbers([3 * width]) }
  const inputRanges = new Map([['x', { lo: -1, hi: 1 }]])

  /** What padding, projecting and masking by hand gives. */
  const written: ModelSpec = {
    opset: 18,
    inputs: { x: [tokens, width] },
    outputs: any,
    initializers: { ...weights, mask, first: int64s([0]), shape: int64s([tokens, width]) },
    nodes: [
      node('MatMul', ['x', 'w'], ['projected']),
      node('Unsqueeze', ['projected', 'first'], ['batch']),
      node('Split', ['batch'], ['q', 'k', 'v'], { axis: 2, num_outputs: 3 }),
      node('MultiHeadAttention', ['q', 'k', 'v', 'b', '', 'mask'], ['y'], { num_heads: 2 }, { domain }),
      node('Reshape', ['y', 'shape'], ['out']),
    ],
  }

  const packed: readonly (readonly [string, ModelSpec])[] = [
    [
      'PackedAttention',
      {
        ...written,
        initializers: { ...weights, ...lengths },
        nodes: [
          node('PackedAttention', ['x', 'w', 'b', 'places', 'ends'], ['out'], { num_heads: 2 }, { domain }),
        ],
      },
    ],
    [
      'PackedMultiHeadAttention',
      {
        ...written,
        initializers: { ...weights, ...lengths },
        nodes: [
          node('MatMul', ['x', 'w'], ['projected']),
          node('Split', ['projected'], ['q', 'k', 'v'], { axis: 1, num_outputs: 3 }),
          node(
            'PackedMultiHeadAttention',
            ['q', 'k', 'v', 'b', 'places', 'ends'],
            ['out'],
            { num_heads: 2 },
            { domain },
          ),
        ],
      },
    ],
  ]

  it.each(packed)('holds for %s: no secant of attention with a mask is steeper', async (_, spec) => {
    const bound = bestOf(await boundModel(spec, { inputRanges }))
    const network = await openNetwork(model(written), { x: [tokens, width] })
    const secants = await steepestSecants(network, { seed: 5, points: 4, scale: 0.8 })
    await network.release()
    const inside = secants.filter(({ distance }) => distance < 0.4)
    expect(steepest(inside)).toBeLessThanOrEqual(bound)
    expect(steepest(inside)).toBeGreaterThan(bound / 200)
  })

  it('loses nothing where padding is taken off and put on again, and refuses lengths that vary', async () => {
    const spec: ModelSpec = {
      inputs: { x: [2, 3, width] },
      outputs: any,
      opsets: { [domain]: 1 },
      initializers: { lengths: int32s(3, 2) },
      nodes: [
        node('RemovePadding', ['x', 'lengths'], ['t', 'places', 'ends', 'most'], {}, { domain }),
        node('RestorePadding', ['t', 'places'], ['out'], {}, { domain }),
      ],
    }
    expect(bestOf(await boundModel(spec))).toBe(1)
    const moving: ModelSpec = {
      ...spec,
      initializers: {},
      nodes: [
        node('ArgMax', ['x'], ['m'], { axis: 1 }),
        node('ArgMax', ['m'], ['n'], { axis: 1, keepdims: 0 }),
        node('Cast', ['n'], ['lengths'], { to: 6 }),
        ...spec.nodes!,
      ],
    }
    expect(bestOf(await boundModel(moving))).toBe(Infinity)
  })
})

describe('attention of quantised data', () => {
  const random = generator(17)
  const codes = (dims: readonly number[]) =>
    tensor(
      dims,
      Array.from(
        { length: dims.reduce((size, dim) => size * dim, 1) },
        () => Math.floor(255 * random()) - 127,
      ),
      'int8',
    )
  const scalar = (value: number) => tensor([], [value])

  it.each([
    ['one scale', scalar(0.004), tensor([], [0], 'int8')],
    [
      'a scale for each column',
      tensor(
        [12],
        Array.from({ length: 12 }, (_, i) => 0.001 * (1 + i)),
      ),
      tensor([12], new Array<number>(12).fill(0), 'int8'),
    ],
  ])('holds with %s of the weights: no pair is apart by more than L·d + δ', async (_, sw, zw) => {
    const spec: ModelSpec = {
      opset: 18,
      opsets: { [domain]: 1 },
      inputs: { x: [1, 3, 4] },
      outputs: any,
      initializers: {
        w: codes([4, 12]),
        b: numbers([12]),
        sx: scalar(0.02),
        zx: tensor([], [128], 'uint8'),
        sw,
        zw,
      },
      nodes: [
        node('QuantizeLinear', ['x', 'sx', 'zx'], ['q']),
        node(
          'QAttention',
          ['q', 'w', 'b', 'sx', 'sw', '', 'zx', 'zw'],
          ['out'],
          { num_heads: 2 },
          { domain },
        ),
      ],
    }
    const { joint } = (await boundModel(spec)).best
    const [bound, offset] = [constantOf(joint), mag.toNumber(joint.offset.value)]
    expect(bound).toBeLessThan(Infinity)
    const network = await openNetwork(model(spec), { x: [1, 3, 4] })
    const secants = [
      ...(await steepestSecants(network, { seed: 1, points: 8, scale: 2, jacobian: false })),
      ...(await steepestSecants(network, { seed: 2, points: 8, scale: 0.02, jacobian: false })),
    ]
    await network.release()
    for (const { difference, distance } of secants)
      expect(difference).toBeLessThanOrEqual(bound * distance * (1 + 1e-5) + offset)
    expect(Math.max(...secants.map(({ difference }) => difference))).toBeGreaterThan(0)
  })
})
