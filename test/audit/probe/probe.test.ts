import { describe, expect, it } from 'vitest'
import { distributionOf } from '../../../src/audit/probe/gradient.ts'
import { type ProbeOptions, probe } from '../../../src/audit/probe/probe.ts'
import type {
  CertifiedRadius,
  GradientStatistic,
  PointReport,
} from '../../../src/audit/probe/probe-result.ts'
import { createNetwork } from '../../../src/calculus/network.ts'
import { traceAt } from '../../../src/calculus/trace.ts'
import { createRandom, gaussianVector } from '../../../src/core/random.ts'
import { readModel } from '../../../src/graph/read-model.ts'
import { inferModel } from '../../../src/infer/infer.ts'
import { type Message, model, node, subgraph, tensor, writeTemporary } from '../../helpers/onnx-builder.ts'
import { generator } from '../../helpers/seeded.ts'

function open(spec: {
  inputs?: Record<string, readonly number[]>
  nodes: Message[]
  initializers?: Record<string, Message>
}) {
  const bytes = model({ inputs: { x: [1, 3] }, outputs: { y: { type: 'float32', shape: null } }, ...spec })
  return inferModel(readModel(writeTemporary(bytes)))
}

const at = (...elements: number[]): ProbeOptions['around'] => ({
  name: 'p.npy',
  elements: new Map([['x', { dims: [1, elements.length], data: Float64Array.from(elements) }]]),
})

const weights = tensor([3, 3], Float32Array.of(1, 0, 0, 0, 2, 0, 0, 0, 3))
const linear = { nodes: [node('MatMul', ['x', 'w'], ['y'])], initializers: { w: weights } }

async function pointOf(typed: ReturnType<typeof open>, options: ProbeOptions): Promise<PointReport> {
  const { result } = await probe(typed, { threads: 1, effort: 'fast', ...options })
  return result.point as PointReport
}

describe('certified radii', () => {
  it('are margin over the distance of rows for a linear classifier', async () => {
    const radius = (await pointOf(open(linear), { around: at(0, 0, 1) })).certifiedRadius as CertifiedRadius
    expect(radius.class).toBe(2)
    expect(radius.classes.map((entry) => entry.class)).toEqual([1, 0])
    expect(radius.classes[0].radius).toBeCloseTo(3 / Math.sqrt(13), 6)
    expect(radius.classes[1].radius).toBeCloseTo(3 / Math.sqrt(10), 6)
    expect(radius.radius).toBeLessThanOrEqual(3 / Math.sqrt(13))
    expect(radius.endsAtDomain).toBe(false)
  })

  it('are those of the logits behind a softmax', async () => {
    const behind = open({
      nodes: [node('MatMul', ['x', 'w'], ['z']), node('Softmax', ['z'], ['y'])],
      initializers: { w: weights },
    })
    const [plain, soft] = await Promise.all(
      [open(linear), behind].map(async (typed) => {
        return (await pointOf(typed, { around: at(0, 0, 1) })).certifiedRadius as CertifiedRadius
      }),
    )
    expect(soft.radius).toBeCloseTo(plain.radius, 9)
  })

  it('are 0 where a softmax of single elements decides nothing', async () => {
    const ones = open({
      nodes: [node('MatMul', ['x', 'w'], ['z']), node('Softmax', ['z'], ['y'], { axis: 0 })],
      initializers: { w: weights },
    })
    const radius = (await pointOf(ones, { around: at(0, 0, 1) })).certifiedRadius as CertifiedRadius
    expect(radius).toMatchObject({ class: 0, radius: 0 })
  })

  it('end where the domain of the bounds ends', async () => {
    const options = { around: at(0, 0, 0.9), inputRanges: [{ input: null, lo: -1, hi: 1 }] }
    const radius = (await pointOf(open(linear), options)).certifiedRadius as CertifiedRadius
    expect(radius.radius).toBeCloseTo(0.1, 9)
    expect(radius.endsAtDomain).toBe(true)
  })

  it('keep the class of everything within, for random networks', async () => {
    for (let seed = 0; seed < 5; seed++) {
      const random = generator(100 + seed)
      const draw = (dims: readonly [number, number]) =>
        tensor(
          dims,
          Float32Array.from({ length: dims[0] * dims[1] }, () => 2 * random() - 1),
        )
      const typed = open({
        nodes: [
          node('MatMul', ['x', 'u'], ['a']),
          node(['Relu', 'Tanh', 'Sigmoid', 'Abs'][seed % 4], ['a'], ['b']),
          node('MatMul', ['b', 'v'], ['c']),
          node('LogSoftmax', ['c'], ['y']),
        ],
        initializers: { u: draw([3, 8]), v: draw([8, 4]) },
      })
      const center = [2, -1, 1].map((x) => x * (1 + seed))
      const { radius, class: winner } = (await pointOf(typed, { around: at(...center) }))
        .certifiedRadius as CertifiedRadius
      expect(radius).toBeGreaterThan(0)
      const network = createNetwork(typed, typed.graph.inputs, typed.graph.outputs)
      const source = createRandom(seed)
      for (let sample = 0; sample < 200; sample++) {
        const direction = gaussianVector(3, source)
        const length = Math.hypot(...direction)
        const moved = Float64Array.from(center, (x, i) => x + (0.999 * radius * direction[i]) / length)
        const { data } = traceAt(network, [moved]).outputs[0]
        expect(data.indexOf(Math.max(...data))).toBe(winner)
      }
    }
  })

  it('rest on bounds within a radius where one is given', async () => {
    // far from its kinks relu is linear, and the bound is that of the map there
    const typed = open({
      nodes: [node('MatMul', ['x', 'w'], ['z']), node('Relu', ['z'], ['y'])],
      initializers: { w: weights },
    })
    const near = await pointOf(typed, { around: at(-9, 2, 5), radius: 0.2, effort: 'normal' })
    const radius = near.certifiedRadius as CertifiedRadius
    expect(radius.radius).toBe(0.2)
    expect(radius.endsAtDomain).toBe(true)
  })

  it('rest on margins that rounding cannot have made', async () => {
    // 2²⁰ + ε and 2²⁰ − ε: what float32 makes of them is one number
    const typed = open({
      nodes: [node('MatMul', ['x', 'w'], ['z']), node('Add', ['z', 'b'], ['y'])],
      initializers: {
        w: tensor([3, 2], Float32Array.of(1, -1, 0, 0, 0, 0)),
        b: tensor([2], Float32Array.of(2 ** 20, 2 ** 20)),
      },
    })
    const radiusAt = async (x: number) =>
      (await pointOf(typed, { around: at(x, 0, 0) })).certifiedRadius as CertifiedRadius
    const { classes, radius } = await radiusAt(1e-3)
    expect(classes[0].margin).toBeLessThanOrEqual(2e-3)
    expect(classes[0].margin).toBeGreaterThan(1.99e-3)
    expect(classes[0].float32Doubt).toBeGreaterThan(2e-3)
    expect(radius).toBeLessThanOrEqual(1e-3)
    // here float64 decides nothing, either
    expect((await radiusAt(1e-12)).radius).toBe(0)
  })

  it('are refused where the logits cannot be enclosed', async () => {
    const branch = (op: string) =>
      subgraph({ name: op, nodes: [node(op, ['x'], [`${op}_y`])], outputs: [`${op}_y`] })
    const typed = open({
      nodes: [
        node('ReduceSum', ['x'], ['s'], { keepdims: 0 }),
        node('Greater', ['s', 'zero'], ['c']),
        {
          ...node('If', ['c'], ['y'], { then_branch: branch('Relu'), else_branch: branch('Abs') }),
          name: 'either',
        },
      ],
      initializers: { zero: tensor([], Float32Array.of(0)) },
    })
    const { certifiedRadius } = await pointOf(typed, { around: at(1, 2, 3) })
    expect(certifiedRadius).toHaveProperty('reason')
  })

  it('have a reason where there are none', async () => {
    const single = open({ nodes: [node('ReduceSum', ['x'], ['y'])] })
    expect((await pointOf(single, { around: at(1, 2, 3) })).certifiedRadius).toEqual({
      reason: 'the output is a single number: there are no classes',
    })
    const unbounded = open({ nodes: [node('Exp', ['x'], ['y'])] })
    const point = await pointOf(unbounded, { around: at(1, 2, 3) })
    expect(point.jacobian).toBeCloseTo(Math.exp(3), 6)
    expect(point.certifiedRadius).toHaveProperty('reason')
  })
})

describe('probes', () => {
  it('give the statistic that a gradient penalty is made of', async () => {
    const { result } = await probe(open(linear), {
      threads: 1,
      effort: 'fast',
      samples: [Float64Array.of(1, 2, 3), Float64Array.of(0, 0, 0)],
    })
    const gradient = result.gradient as GradientStatistic
    expect(gradient).toMatchObject({ source: 'file', samples: 2, skipped: 0 })
    expect(gradient.norm.mean).toBeCloseTo(3, 9)
    expect(gradient.penalty.max).toBeCloseTo(4, 8)
  })

  it('give quartiles between samples', () => {
    expect(distributionOf([4, 1, 2, 3])).toEqual({ min: 1, quartiles: [1.75, 2.5, 3.25], max: 4, mean: 2.5 })
    expect(distributionOf([5])).toEqual({ min: 5, quartiles: [5, 5, 5], max: 5, mean: 5 })
  })

  it('search around a point alone where a radius is given', async () => {
    const typed = open({ nodes: [node('Mul', ['x', 'x'], ['y'])] })
    const { result, witness } = await probe(typed, {
      threads: 1,
      effort: 'fast',
      around: at(1, 0, 0),
      radius: 0.5,
    })
    expect(result.domain).toEqual({ kind: 'ball', around: 'p.npy', radius: 0.5, radiusNorm: 'l2' })
    // |d(x²)| ≤ 2·max|x| ≤ 3, nearly reached at the end of the ball
    expect(result.lower).toHaveProperty('value')
    expect((result.lower as { value: number }).value).toBeGreaterThan(2.9)
    expect((result.lower as { value: number }).value).toBeLessThanOrEqual(3)
    const [input] = witness!.inputs
    for (const side of [input.x, input.y])
      expect(Math.hypot(side[0] - 1, side[1], side[2])).toBeLessThanOrEqual(0.5)
  })

  it('refuse a radius without a point, and two domains', async () => {
    await expect(probe(open(linear), { radius: 1 })).rejects.toThrow('a radius needs a point')
    const both = { around: at(0, 0, 0), radius: 1, inputRanges: [{ input: null, lo: 0, hi: 1 }] }
    await expect(probe(open(linear), both)).rejects.toThrow('not both')
  })

  it('name the node that cannot be followed', async () => {
    const { result, witness } = await probe(
      open({ nodes: [{ ...node('Round', ['x'], ['y']), name: 'levels' }] }),
      { threads: 1, effort: 'fast' },
    )
    expect(result.lower).toEqual({ reason: 'Round has no derivative', node: 'levels' })
    expect(result.gradient).toMatchObject({ node: 'levels' })
    expect(witness).toBeNull()
  })
})
