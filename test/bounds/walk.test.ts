import { describe, expect, it } from 'vitest'
import { bestOf, boundModel, constantOf, rungOf } from '../helpers/bounds.ts'
import { float, int64s, type Message, node, subgraph, tensor } from '../helpers/onnx-builder.ts'

const eye = (scale: number, size = 2) =>
  tensor(
    [size, size],
    Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? scale : 0)),
  )

const dense = (x: string, w: string, y: string): Message =>
  node('MatMul', [x, w], [y], {}, { name: `dense_${w}` })

describe('paths', () => {
  it('multiply along a chain and add where they join', async () => {
    const bounds = await boundModel({
      inputs: { x: [1, 2] },
      outputs: ['y'],
      initializers: { a: eye(3), b: eye(5) },
      nodes: [
        dense('x', 'a', 'h'),
        node('Relu', ['h'], ['r']),
        dense('r', 'b', 'g'),
        node('Add', ['x', 'g'], ['y']),
      ],
    })
    expect(bestOf(bounds)).toBeCloseTo(16, 5)
    expect(bounds.elasticities?.get('dense_a')).toBeCloseTo(15 / 16, 6)
    expect(bounds.elasticities?.get('dense_b')).toBeCloseTo(15 / 16, 6)
  })

  it('join by root-sum-square where they come from different inputs', async () => {
    const bounds = await boundModel({
      inputs: { x: [1, 2], z: [1, 2] },
      outputs: ['sum', 'both'],
      initializers: { a: eye(3), b: eye(4) },
      nodes: [
        dense('x', 'a', 'h'),
        dense('z', 'b', 'g'),
        node('Add', ['h', 'g'], ['sum']),
        node('Concat', ['h', 'g'], ['both'], { axis: 1 }),
      ],
    })
    const [sum, both] = bounds.best.outputs.map(constantOf)
    expect(sum).toBeCloseTo(5, 5)
    expect(both).toBeCloseTo(4, 5)
    expect(rungOf(bounds, 'spectral-product')).toMatchObject({ refusal: null })
    expect(constantOf(bounds.ladder[1].outputs[0])).toBeCloseTo(7, 5)
    expect(constantOf(bounds.ladder[1].outputs[1])).toBeCloseTo(5, 5)
  })

  it('vary only with the audited inputs', async () => {
    const spec = {
      inputs: { x: [1, 2], z: [1, 2] },
      outputs: ['y'],
      initializers: { a: eye(3) },
      nodes: [dense('x', 'a', 'h'), node('Add', ['h', 'z'], ['y'])],
    }
    expect(bestOf(await boundModel(spec, { inputs: ['x'] }))).toBeCloseTo(3, 5)
    expect(bestOf(await boundModel(spec, { inputs: ['z'] }))).toBe(1)
    await expect(boundModel(spec, { inputs: ['w'] })).rejects.toThrow(/no input 'w'/)
    await expect(boundModel(spec, { outputs: ['h'] })).rejects.toThrow(/no output 'h'/)
  })

  it('hold integer inputs fixed', async () => {
    const bounds = await boundModel({
      inputs: { x: [1, 4], at: { type: 'int64', shape: [2] } },
      outputs: ['y'],
      nodes: [node('Gather', ['x', 'at'], ['y'], { axis: 1 })],
    })
    expect(bestOf(bounds)).toBeCloseTo(Math.SQRT2, 6)
    expect(bounds.selected.held.map((input) => input.name)).toEqual(['at'])
  })
})

describe('what has no bound', () => {
  it('is named by the first node on the way and its reason', async () => {
    const bounds = await boundModel({
      inputs: { x: [1, 2] },
      outputs: ['y', 'z'],
      nodes: [
        node('Sign', ['x'], ['s'], {}, { name: 'jump' }),
        node('Relu', ['s'], ['r']),
        node('Exp', ['r'], ['y'], {}, { name: 'later' }),
        node('Relu', ['x'], ['z']),
      ],
    })
    expect(bounds.refusal).toEqual({ node: 'jump', op: 'Sign', reason: 'is discontinuous' })
    expect(bounds.best.outputs.map(constantOf)).toEqual([Infinity, 1])
    expect(bounds.elasticities).toBeNull()
  })

  it('does not matter where nothing varies', async () => {
    const bounds = await boundModel({
      inputs: { x: [1, 2], n: { type: 'int64', shape: [2] } },
      outputs: ['y'],
      nodes: [
        node('Cast', ['n'], ['f'], { to: 1 }),
        node('Sign', ['f'], ['s']),
        node('Clip', ['s', 'lo', 'hi'], ['c']),
        node('Mul', ['x', 'c'], ['y']),
      ],
      initializers: { lo: tensor([], [-1]), hi: tensor([], [3]) },
    })
    expect(bestOf(bounds)).toBe(3)
  })

  it.each([
    ['Mul', [node('Mul', ['x', 'x'], ['y'])], /both depend on the input/],
    ['Pow', [node('Pow', ['x', 'two'], ['y'])], /no proven bounds to the power 2/],
    ['RandomNormalLike', [node('RandomNormalLike', ['c'], ['r']), node('Add', ['x', 'r'], ['y'])], /random/],
    [
      'training BatchNormalization',
      [node('BatchNormalization', ['x', 'c', 'c', 'c', 'c'], ['y'], { training_mode: 1 })],
      /training/,
    ],
    [
      'an unknown operator on constants',
      [node('Secret', ['c'], ['s'], {}, { domain: 'custom' }), node('Add', ['x', 's'], ['y'])],
      /not known/,
    ],
    [
      'Where on data',
      [node('Greater', ['x', 'c'], ['g']), node('Where', ['g', 'x', 'c'], ['y'])],
      /discontinuous/,
    ],
    [
      'LayerNormalization without epsilon',
      [node('LayerNormalization', ['x', 'c'], ['y'], { epsilon: float(-1) })],
      /epsilon/,
    ],
    ['Div by data', [node('Div', ['c', 'x'], ['y'])], /near 0/],
    ['NaN in a factor', [node('Gemm', ['x', 'w', 'x'], ['y'], { beta: Number.NaN })], /not a number/],
    ['NaN in an attribute', [node('LeakyRelu', ['x'], ['y'], { alpha: Number.NaN })], /not a number/],
  ] as const)('%s', async (_, nodes, reason) => {
    const { refusal, best } = await boundModel({
      opset: 17,
      opsets: { custom: 1 },
      inputs: { x: [1, 2] },
      outputs: ['y'],
      initializers: { c: tensor([2], [1, 2]), two: tensor([], [2]), w: eye(1) },
      nodes,
    })
    expect(constantOf(best.joint)).toBe(Infinity)
    expect(refusal?.reason).toMatch(reason)
  })

  it.each([Number.NaN, Infinity])('a weight of %s', async (weight) => {
    const { refusal } = await boundModel({
      inputs: { x: [1, 2] },
      outputs: ['y'],
      initializers: { w: tensor([2, 1], [1, weight]) },
      nodes: [dense('x', 'w', 'y')],
    })
    expect(refusal).toMatchObject({ node: 'dense_w', reason: expect.stringMatching(/not finite/) })
  })
})

describe('branches', () => {
  const branch = (scale: string) =>
    subgraph({ nodes: [node('MatMul', ['x', scale], [`out_${scale}`])], outputs: [`out_${scale}`] })
  const spec = (condition: Message | null) => ({
    inputs: { x: [1, 2], ...(condition === null ? { flag: { type: 'bool' as const, shape: [] } } : {}) },
    outputs: ['y'],
    initializers: { a: eye(3), b: eye(5), ...(condition === null ? {} : { flag: condition }) },
    nodes: [node('If', ['flag'], ['y'], { then_branch: branch('a'), else_branch: branch('b') })],
  })

  it('count alone where they are taken', async () => {
    expect(bestOf(await boundModel(spec(tensor([], [1], 'bool'))))).toBeCloseTo(3, 5)
    expect(bestOf(await boundModel(spec(tensor([], [0], 'bool'))))).toBeCloseTo(5, 5)
  })

  it('count with the worse where the condition is an input', async () => {
    expect(bestOf(await boundModel(spec(null)))).toBeCloseTo(5, 5)
  })

  it('jump where the condition is computed from data', async () => {
    const bounds = await boundModel({
      ...spec(null),
      inputs: { x: [1, 2] },
      nodes: [
        node('ReduceSum', ['x'], ['s'], { keepdims: 0 }),
        node('Greater', ['s', 'zero'], ['flag']),
        ...spec(null).nodes,
      ],
      initializers: { a: eye(3), b: eye(5), zero: tensor([], [0]) },
    })
    expect(bounds.refusal).toMatchObject({ op: 'Greater' })
  })

  it('read values from outside: a loop that does counts as varying', async () => {
    const body = subgraph({
      inputs: { i: { type: 'int64', shape: [] }, go: { type: 'bool', shape: [] } },
      outputs: ['go', 'double'],
      nodes: [node('Add', ['x', 'x'], ['double'])],
    })
    const bounds = await boundModel({
      inputs: { x: [1, 2] },
      outputs: ['y'],
      initializers: { trips: int64s(3), start: tensor([], [1], 'bool') },
      nodes: [node('Loop', ['trips', 'start'], ['y'], { body }, { name: 'loop' })],
    })
    expect(bestOf(bounds)).toBeCloseTo(2 * Math.sqrt(3), 9)
  })
})

describe('size', () => {
  it('does not matter: 20,000 layers in a chain and 2⁴⁰ paths', async () => {
    const chain = Array.from({ length: 20_000 }, (_, i) =>
      node('Relu', [i === 0 ? 'x' : `h${i - 1}`], [`h${i}`]),
    )
    expect(bestOf(await boundModel({ inputs: { x: [1, 2] }, outputs: ['h19999'], nodes: chain }))).toBe(1)
    const diamonds = Array.from({ length: 40 }, (_, i) => node('Add', [`h${i}`, `h${i}`], [`h${i + 1}`]))
    expect(bestOf(await boundModel({ inputs: { h0: [1, 2] }, outputs: ['h40'], nodes: diamonds }))).toBe(
      2 ** 40,
    )
  })
})
