import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import fc from 'fast-check'
import proto from 'onnx-proto'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { audit } from '../../src/audit/audit.ts'
import { type DiffOptions, diff } from '../../src/audit/diff/diff.ts'
import { Diff, type ModelDiff } from '../../src/audit/diff/diff-schema.ts'
import { createRandom } from '../../src/core/random.ts'
import { type ModelSpec, model, modelFile, node, tensor, writeTemporary } from '../helpers/onnx-builder.ts'
import { randomNetworks } from '../helpers/random-network.ts'
import { randomGraph } from '../helpers/soundness/random-graph.ts'
import { singularValues } from '../linalg/known-norms.ts'

const fixtures = resolve(import.meta.dirname, '../../fixtures')
const fixture = (name: string) => join(fixtures, `${name}.onnx`)
const unit = [{ input: null, lo: 0, hi: 1 }] as const

async function compared(old: string, fresh: string, options: DiffOptions = {}): Promise<ModelDiff> {
  const result = await diff(old, fresh, { threads: 1, effort: 'fast', ...options })
  expect(Diff.parse(JSON.parse(JSON.stringify(result)))).toEqual(JSON.parse(JSON.stringify(result)))
  return result.models[0]
}

/** A model in onnxruntime as a function of the elements of all its inputs. */
async function open(path: string) {
  const session = await InferenceSession.create(path, { logSeverityLevel: 4, intraOpNumThreads: 1 })
  return async (feeds: Record<string, [readonly number[], ArrayLike<number>]>): Promise<number[]> => {
    const tensors = Object.entries(feeds).map(([name, [dims, data]]) => {
      return [name, new Tensor('float32', Float32Array.from(data), dims)]
    })
    const results = await session.run(Object.fromEntries(tensors))
    return session.outputNames.flatMap((name) => Array.from(results[name].data as Float32Array))
  }
}

const apart = (a: readonly number[], b: readonly number[]) => Math.hypot(...a.map((value, i) => value - b[i]))

/** The largest difference of the outputs that a search over images in [0, 1] finds: random corners, then single pixels. */
async function searched(old: string, fresh: string, runs = 250): Promise<number> {
  const [f, g] = [await open(old), await open(fresh)]
  const random = createRandom(11)
  const at = async (x: readonly number[]) => {
    const feeds = { image: [[1, 1, 8, 8], x] as [readonly number[], ArrayLike<number>] }
    return apart(await f(feeds), await g(feeds))
  }
  let best = Array.from({ length: 64 }, () => 0.5)
  let most = await at(best)
  for (let i = 0; i < runs; i++) {
    const flips = i < runs / 4 ? 0.5 : 0.04
    const base = i < runs / 4 ? best.map(() => Math.round(random.uniform())) : best
    const x = base.map((value) => (random.uniform() < flips ? 1 - Math.round(value) : value))
    const found = await at(x)
    if (found > most) [best, most] = [x, found]
  }
  return most
}

/** Copies with what their bound may be looser by than what a search finds, as docs/methods/perturbation.md states. */
const copies = [
  ['trained/digits-mlp', 'formats/near-float16', 40],
  ['trained/digits-mlp', 'formats/near-bfloat16', 40],
  ['trained/digits-mlp', 'formats/near-int8-tensor', 40],
  ['trained/digits-mlp', 'formats/near-int8-channel', 40],
  ['trained/digits-mlp', 'quantised/mlp-int4', 40],
  ['formats/same-matmul-add', 'quantised/mlp-matmul-nbits', 40],
  ['trained/digits-resnet-folded', 'quantised/resnet-float16', 20_000],
  ['trained/digits-resnet-folded', 'quantised/resnet-qdq-int8', 25_000],
  ['trained/digits-resnet-folded', 'quantised/resnet-qlinear-int8', 25_000],
] as const

describe('a quantised copy', () => {
  it.each(copies)(
    '%s, %s: is never further from its original than proven, by a factor of %d',
    async (old, fresh, factor) => {
      const { outputChange, layers, findings } = await compared(fixture(old), fixture(fresh), {
        inputRanges: unit,
      })
      expect(findings).toEqual([])
      const bound = outputChange!.upper.value!
      const found = await searched(fixture(old), fixture(fresh))
      expect(found).toBeLessThanOrEqual(bound)
      expect(bound).toBeLessThan(factor * found)
      const parts = layers.reduce(
        (sum, { part }) => sum + part!,
        outputChange!.roundings! + outputChange!.constants!,
      )
      expect(parts / bound).toBeCloseTo(1, 9)
      expect(layers.every(({ status }) => status === 'changed')).toBe(true)
    },
  )

  it.each(copies.slice(4))('%s, %s: gets the same bound from the other side', async (old, fresh) => {
    const [one, other] = [
      await compared(fixture(old), fixture(fresh), { inputRanges: unit }),
      await compared(fixture(fresh), fixture(old), { inputRanges: unit }),
    ]
    const ratio = one.outputChange!.upper.value! / other.outputChange!.upper.value!
    expect(Math.abs(ratio - 1)).toBeLessThan(0.02)
  })

  it('is stored with the error of its own numbers, which may be longer than those of the original', async () => {
    const sizes = { x: [1, 1], y: [1, 1] }
    const first = modelFile({
      inputs: { x: sizes.x },
      outputs: { y: { type: 'float32', shape: sizes.y } },
      nodes: [node('MatMul', ['x', 'w'], ['y'])],
      initializers: { w: tensor([1, 1], [0]) },
    })
    const second = modelFile({
      inputs: { x: sizes.x },
      outputs: { y: { type: 'float32', shape: sizes.y } },
      nodes: [
        node('MatMul', ['x', 'w'], ['z']),
        node('Cast', ['z'], ['h'], { to: 16 }),
        node('Cast', ['h'], ['y'], { to: 1 }),
      ],
      initializers: { w: tensor([1, 1], [1 + 1.5 * 2 ** -8]) },
    })
    const { outputChange } = await compared(first, second, { inputRanges: [{ input: null, lo: 0, hi: 1 }] })
    // at x = 1: 0, and 1 + 1.5·2⁻⁸, which bfloat16 has as 1 + 2⁻⁷
    expect(outputChange!.upper.value!).toBeGreaterThanOrEqual(1 + 2 ** -7)
    expect(outputChange!.upper.value!).toBeLessThan(1.02)
  })

  it('has the differences that its integers and scales say', async () => {
    const { layers } = await compared(fixture('trained/digits-mlp'), fixture('formats/near-int8-channel'))
    const weightsOf = (path: string) =>
      new Map(proto.onnx.ModelProto.decode(readFileSync(path)).graph!.initializer!.map((t) => [t.name!, t]))
    const old = weightsOf(fixture('trained/digits-mlp'))
    const fresh = weightsOf(fixture('formats/near-int8-channel'))
    for (const [i, layer] of layers.entries()) {
      const w = new Float32Array(Uint8Array.from(old.get(layer.old!.weight)!.rawData!).buffer)
      const codes = Int8Array.from(fresh.get(`w${i}`)!.rawData!)
      const scales = new Float32Array(Uint8Array.from(fresh.get(`s${i}`)!.rawData!).buffer)
      const [rows, columns] = layer.old!.shape
      const delta = w.map((value, k) => value - Math.fround(codes[k] * scales[Math.floor(k / columns)]))
      const norm = singularValues(rows, columns, delta)[0]
      expect(layer.difference!.spectral.lower!).toBeLessThanOrEqual(norm * (1 + 1e-6))
      expect(layer.difference!.spectral.upper!).toBeGreaterThanOrEqual(norm * (1 - 1e-6))
      expect(layer.difference!.frobenius! / Math.hypot(...delta)).toBeCloseTo(1, 5)
    }
  })
})

describe('equal networks', () => {
  it.each([
    'same-constant-nodes',
    'same-external-data',
    'same-functions',
    'same-ir3-inputs',
    'same-sparse',
    'same-typed-fields',
  ])('%s: renamed layers, no difference at all', async (name) => {
    const { outputChange, layers } = await compared(
      fixture('trained/digits-mlp'),
      fixture(`formats/${name}`),
      {
        inputRanges: unit,
      },
    )
    expect(outputChange!.upper.value).toBe(0)
    expect(layers.map(({ status, renamed, rankMove }) => [status, renamed, rankMove])).toEqual(
      layers.map(() => ['equal', true, 0]),
    )
  })

  it('need no domain', async () => {
    const { outputChange } = await compared(fixture('trained/digits-mlp'), fixture('formats/same-functions'))
    expect(outputChange!.upper.value).toBe(0)
  })

  it.each([
    'trained/digits-resnet',
    'quantised/resnet-qdq-int8',
    'quantised/resnet-qlinear-int8',
    'quantised/mlp-matmul-nbits',
  ])('%s is not apart from itself, whatever it rounds', async (name) => {
    const { outputChange, layers } = await compared(fixture(name), fixture(name))
    expect(outputChange!.upper.value).toBe(0)
    expect(layers.every(({ status }) => status === 'equal')).toBe(true)
  })

  it('may compute what has no bound before anything differs', async () => {
    const spec = (w: readonly number[]): ModelSpec => ({
      inputs: { x: [1, 2] },
      outputs: ['y'],
      initializers: { w: tensor([2, 2], w), lo: [-1], hi: [1] },
      nodes: [node('Floor', ['x'], ['f']), node('Tanh', ['f'], ['t']), node('MatMul', ['t', 'w'], ['y'])],
    })
    const { outputChange } = await compared(modelFile(spec([1, 0, 0, 1])), modelFile(spec([1, 0, 0, 1.5])), {
      inputRanges: [{ input: null, lo: -9, hi: 9 }],
    })
    expect(outputChange!.upper.value).toBeGreaterThanOrEqual(0.5 * Math.tanh(9))
    expect(outputChange!.upper.value).toBeLessThan(0.5 * Math.SQRT2 * 1.001)
  })

  it('may be written with factors that cancel', async () => {
    const { outputChange } = await compared(
      fixture('trained/digits-mlp'),
      fixture('formats/same-scaled-chain'),
      {
        inputRanges: unit,
      },
    )
    expect(outputChange!.upper.value).toBeLessThan(1e-9)
  })
})

type Values = Record<string, [readonly number[], Float32Array]>

/** The model with every stored number of float32 changed a little. */
function shaken({ initializers = {}, ...spec }: ModelSpec, random: () => number, size: number): ModelSpec {
  const changed = Object.entries(initializers).map(([name, message]) => {
    if (Array.isArray(message)) return [name, message.map((x) => x * (1 + size * (2 * random() - 1)))]
    const { dataType, dims, rawData } = message as { dataType: number; dims: number[]; rawData: Uint8Array }
    if (dataType !== 1) return [name, message]
    const elements = new Float32Array(Uint8Array.from(rawData).buffer)
    return [
      name,
      tensor(
        dims,
        elements.map((x) => x * (1 + size * (2 * random() - 1))),
      ),
    ]
  })
  return { ...spec, initializers: Object.fromEntries(changed) }
}

/** Compares the bound with what onnxruntime finds at random inputs; whether there was a bound. */
async function holds(
  spec: ModelSpec,
  inputs: Record<string, readonly number[]>,
  seed: number,
  lo: number,
  hi: number,
) {
  const random = createRandom(seed)
  const size = [0.3, 0.03, 0.003][seed % 3]
  const [old, fresh] = [modelFile(spec), modelFile(shaken(spec, random.uniform, size))]
  const { outputChange } = await compared(old, fresh, { inputRanges: [{ input: null, lo, hi }] })
  const bound = outputChange!.upper.value
  if (bound === null) return false
  // what onnxruntime refuses is no network
  const [f, g] = [await open(old).catch(() => null), await open(fresh).catch(() => null)]
  if (f === null || g === null) return false
  for (let i = 0; i < 12; i++) {
    const corner = i % 2 === 0
    const feeds: Values = Object.fromEntries(
      Object.entries(inputs).map(([name, dims]) => {
        const count = dims.reduce((product, dim) => product * dim, 1)
        const at = () => lo + (hi - lo) * (corner ? Math.round(random.uniform()) : random.uniform())
        return [name, [dims, Float32Array.from({ length: count }, at)]]
      }),
    )
    const [a, b] = [await f(feeds), await g(feeds)]
    // onnxruntime computes in float32
    expect(apart(a, b)).toBeLessThanOrEqual(bound * (1 + 1e-5) + 2e-6 * (Math.hypot(...a) + 1) * a.length)
  }
  return true
}

describe('random networks with all numbers changed', () => {
  it('are never further apart than proven: layers, activations and joins', async () => {
    let bounded = 0
    await fc.assert(
      fc.asyncProperty(randomNetworks(), fc.nat({ max: 10_000 }), async ({ spec, shapes }, seed) => {
        if (await holds(spec, shapes, seed, -1, 1)) bounded++
      }),
      { numRuns: 40 },
    )
    expect(bounded).toBeGreaterThan(12)
  })

  it('are never further apart than proven: operators with random attributes', async () => {
    let bounded = 0
    for (let seed = 0; seed < 60; seed++) {
      const graph = randomGraph(seed)
      if (graph === null) continue
      const { inputs = {} } = graph.spec
      const shapes = Object.entries(inputs as Record<string, readonly number[]>)
      if (!shapes.every(([, dims]) => Array.isArray(dims) && dims.every(Number.isInteger))) continue
      const [lo, hi] = [
        [-1, 1],
        [0.2, 1.5],
      ][seed % 2]
      if (await holds(graph.spec, Object.fromEntries(shapes), seed, lo, hi)) bounded++
    }
    expect(bounded).toBeGreaterThan(8)
  })
})

describe('layers', () => {
  const chain = (names: readonly string[], weights: readonly (readonly number[])[]) =>
    modelFile({
      inputs: { x: [1, 2] },
      outputs: [`${names.at(-1)}_out`],
      initializers: Object.fromEntries(weights.map((w, i) => [`${names[i]}_w`, tensor([2, 2], w)])),
      nodes: names.flatMap((name, i) => [
        node('MatMul', [i === 0 ? 'x' : `${names[i - 1]}_out`, `${name}_w`], [`${name}_m`], {}, { name }),
        node('Relu', [`${name}_m`], [`${name}_out`]),
      ]),
    })
  const [a, b, c] = [
    [1, 2, 3, 4],
    [2, 0, 0, 2],
    [0, 5, 1, 0],
  ]
  const rows = ({ layers }: ModelDiff) =>
    layers.map(({ status, old, new: fresh }) => [status, old?.node ?? null, fresh?.node ?? null])

  it('are matched by name, by weights and by order; others were added or removed', async () => {
    const old = chain(['p', 'q', 'r'], [a, b, c])
    expect(rows(await compared(old, chain(['p', 'r'], [a, c])))).toEqual([
      ['equal', 'p', 'p'],
      ['removed', 'q', null],
      ['equal', 'r', 'r'],
    ])
    expect(rows(await compared(chain(['p', 'r'], [a, c]), chain(['u', 'v', 'w'], [a, b, c])))).toEqual([
      ['equal', 'p', 'u'],
      ['added', null, 'v'],
      ['equal', 'r', 'w'],
    ])
  })

  it('tell how ranks have moved', async () => {
    const { layers } = await compared(
      chain(['p', 'q'], [[9, 0, 0, 9], b]),
      chain(['p', 'q'], [b, [9, 0, 0, 9]]),
    )
    expect(layers.map(({ rankMove }) => rankMove)).toEqual([-1, 1])
  })

  it('keep their part in a changed network, the others having none', async () => {
    const { layers } = await compared(chain(['p', 'q'], [a, b]), chain(['p', 'q'], [a, [2, 0, 0, 2.5]]), {
      inputRanges: [{ input: null, lo: -1, hi: 1 }],
    })
    expect(layers.map(({ status }) => status)).toEqual(['equal', 'changed'])
    expect(layers[0].part).toBe(0)
    expect(layers[1].part).toBeGreaterThan(0)
  })
})

describe('where the graphs are not one', () => {
  it('names the node, and compares the layers all the same', async () => {
    const { outputChange, layers, findings } = await compared(
      fixture('trained/digits-mlp'),
      fixture('trained/digits-resnet'),
      { inputRanges: unit },
    )
    expect(outputChange!.upper).toMatchObject({ value: null, unbounded: true, reason: /no counterpart/ })
    expect(findings).toMatchObject([{ rule: 'no-output-change' }])
    expect(new Set(layers.map(({ status }) => status))).toEqual(new Set(['added', 'removed']))
  })

  it('asks for a domain where weights differ', async () => {
    const { outputChange } = await compared(fixture('trained/digits-mlp'), fixture('formats/near-float16'))
    expect(outputChange!.upper.reason).toContain('--input-range')
  })
})

describe('a network that looks rows up', () => {
  const looked = (table: readonly number[], w: readonly number[]) =>
    modelFile({
      inputs: { ids: { type: 'int64', shape: [3] } },
      outputs: ['y'],
      initializers: { table: tensor([4, 2], table), w: tensor([2, 2], w) },
      nodes: [
        node('Gather', ['table', 'ids'], ['rows'], {}, { name: 'lookup' }),
        node('MatMul', ['rows', 'w'], ['y']),
      ],
    })
  const rows = [1, 2, 3, 4, -5, 6, 7, 8]

  it('has a bound where the rows are the same, and none where they differ', async () => {
    const same = await compared(looked(rows, [1, 0, 0, 1]), looked(rows, [1, 0, 0, 1.5]))
    // three rows, each at most [7, 8] long in its second entry
    expect(same.outputChange!.upper.value).toBeGreaterThanOrEqual(0.5 * 8 * Math.sqrt(3))
    const other = await compared(looked(rows, [1, 0, 0, 1]), looked([...rows.slice(0, 7), 9], [1, 0, 0, 1]))
    expect(other.outputChange!.upper).toMatchObject({
      value: null,
      node: 'lookup',
      reason: /before the embedding/,
    })
  })
})

describe('the gate', () => {
  const judge = async (limit: number, options: DiffOptions = { inputRanges: unit }) =>
    (
      await compared(fixture('trained/digits-mlp'), fixture('formats/near-float16'), {
        maxOutputChange: limit,
        ...options,
      })
    ).gates[0]

  it('passes within the bound, and is inconclusive beyond it or without one', async () => {
    expect(await judge(1)).toMatchObject({ rule: 'max-output-change', verdict: 'pass', limit: 1 })
    expect(await judge(1e-4)).toMatchObject({ verdict: 'inconclusive' })
    expect(await judge(1, { inputRanges: [] })).toMatchObject({ verdict: 'inconclusive', unbounded: true })
    await expect(judge(-1)).rejects.toMatchObject({ code: 'usage' })
  })
})

describe('two reports', () => {
  const reportOn = (name: string) => audit(fixture(name), { threads: 1, effort: 'fast' })

  it('give norms, ranks and bounds', async () => {
    const [old, fresh] = [await reportOn('trained/digits-mlp'), await reportOn('formats/near-int8-channel')]
    const { models } = await diff(old, fresh)
    expect(models[0].layers.map(({ status, renamed, difference }) => [status, renamed, difference])).toEqual(
      models[0].layers.map(() => ['changed', true, null]),
    )
    expect(models[0].new.lipschitz).toEqual(fresh.models[0].lipschitz.upper)
    expect(models[0].outputChange).toBeNull()
  })

  it('are matched by the paths of their models, and are no models', async () => {
    const both = await audit([fixture('trained/digits-mlp'), fixture('trained/digits-spectral')], {
      threads: 1,
      effort: 'fast',
    })
    const one = await reportOn('trained/digits-spectral')
    expect((await diff(both, one)).models.map(({ old }) => old.path)).toEqual([
      fixture('trained/digits-spectral'),
    ])
    await expect(diff(both, await reportOn('formats/near-float16'))).rejects.toMatchObject({ code: 'usage' })
    await expect(diff(both, fixture('trained/digits-mlp'))).rejects.toMatchObject({ code: 'usage' })
  })
})

describe('inputs of other names', () => {
  it('are taken by their place', async () => {
    const message = proto.onnx.ModelProto.decode(readFileSync(fixture('trained/digits-mlp')))
    for (const value of message.graph!.input!) value.name = 'picture'
    for (const { input } of message.graph!.node!)
      for (const [i, name] of input!.entries()) if (name === 'image') input![i] = 'picture'
    const path = writeTemporary(proto.onnx.ModelProto.encode(message).finish())
    writeFileSync(path, proto.onnx.ModelProto.encode(message).finish())
    const { outputChange } = await compared(fixture('trained/digits-mlp'), path, {
      inputRanges: [{ input: 'image', lo: 0, hi: 1 }],
      inputs: ['image'],
    })
    expect(outputChange!.upper.value).toBe(0)
  })
})

describe('models that cannot be read', () => {
  it('reject', async () => {
    const path = writeTemporary(model({ outputs: [] }))
    await expect(diff(path, path)).rejects.toMatchObject({ code: 'malformed' })
  })
})
