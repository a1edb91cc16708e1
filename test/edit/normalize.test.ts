import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import proto from 'onnx-proto'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { audit } from '../../src/audit/audit.ts'
import { createRandom } from '../../src/core/random.ts'
import { type NormalizeOptions, normalize } from '../../src/edit/normalize.ts'
import { readModel } from '../../src/graph/read-model.ts'
import { inferModel } from '../../src/infer/infer.ts'
import { layersOf } from '../../src/infer/layers.ts'
import type { LinearOperator } from '../../src/linalg/linear-operator.ts'
import { blockMatrix, convolutionMatrix } from '../helpers/dense-operator.ts'
import type { Matrix } from '../helpers/linear-part.ts'
import {
  int,
  int64s,
  type Message,
  type ModelSpec,
  model,
  modelFile,
  node,
  tensor,
} from '../helpers/onnx-builder.ts'
import { singularValues } from '../linalg/known-norms.ts'

const fixtures = resolve(import.meta.dirname, '../../fixtures')
const folder = mkdtempSync(join(tmpdir(), 'lipschitz-normalize-'))
let count = 0
const output = () => join(folder, `out-${++count}.onnx`)

const random = createRandom(7)
const gaussians = (size: number, scale = 1) =>
  Float32Array.from({ length: size }, () => scale * random.gaussian())

async function normalized(path: string, options: NormalizeOptions = {}) {
  const out = output()
  return { out, result: await normalize(path, out, { threads: 1, ...options }) }
}

const failure = (path: string, options: NormalizeOptions = {}) =>
  normalized(path, options).then(
    () => {
      throw new Error('it was normalised')
    },
    ({ code, message, facts }) => ({ code, message, ...facts }),
  )

/** The largest singular value of the operator's matrix, from its definition, by Jacobi rotations. */
function trueNorm(operator: LinearOperator): number {
  const matrices = operator.form === 'convolution' ? [convolutionMatrix(operator)] : blockMatrix(operator)
  return Math.max(
    ...matrices.map(({ rows, columns, data }) =>
      rows * columns <= 6000 ? singularValues(rows, columns, data)[0] : poweredNorm({ rows, columns, data }),
    ),
  )
}

/** By power iteration: from below, close after so many steps for matrices of a network. */
function poweredNorm({ rows, columns, data }: Matrix): number {
  let v = Float64Array.from({ length: columns }, () => random.gaussian())
  let norm = 0
  for (let step = 0; step < 60; step++) {
    const image = new Float64Array(rows)
    const next = new Float64Array(columns)
    for (let i = 0; i < rows; i++) {
      let sum = 0
      for (let j = 0; j < columns; j++) sum += data[i * columns + j] * v[j]
      image[i] = sum
      for (let j = 0; j < columns; j++) next[j] += data[i * columns + j] * sum
    }
    norm = Math.hypot(...image) / Math.hypot(...v)
    const length = Math.hypot(...next)
    v = next.map((x) => x / length)
  }
  return norm
}

function linearLayers(path: string) {
  return layersOf(inferModel(readModel(path))).filter(({ spec }) =>
    ['dense', 'conv', 'conv-transpose'].includes(spec.kind),
  )
}

const twins = readdirSync(join(fixtures, 'formats'))
  .filter((file) => file.endsWith('.onnx') && file !== 'same-sparse.onnx')
  .map((file) => `formats/${file}`)
const cases = [
  ...twins,
  'trained/digits-mlp.onnx',
  'trained/digits-spectral.onnx',
  'trained/digits-resnet-folded.onnx',
]

describe('norms of a normalised model', () => {
  it.each(cases)('%s: at most the target, and near it where they were above', async (file) => {
    const target = 0.7
    const before = linearLayers(join(fixtures, file)).map(({ spec }) => trueNorm(spec.operator))
    const { out } = await normalized(join(fixtures, file), { target })
    const after = linearLayers(out).map(({ spec }) => trueNorm(spec.operator))
    expect(after.length).toBe(before.length)
    expect(before.some((norm) => norm > target)).toBe(true)
    for (const [i, norm] of after.entries()) {
      expect(norm).toBeLessThanOrEqual(target * (1 + 1e-12))
      if (before[i] > target) expect(norm).toBeGreaterThanOrEqual(target * (1 - 1e-3))
      else expect(norm).toBeCloseTo(before[i], 9)
    }
  })

  it.each(cases)('%s: a second run changes no byte', async (file) => {
    const first = await normalized(join(fixtures, file), { target: 0.7 })
    const second = await normalized(first.out, { target: 0.7 })
    const name = (path: string) => Buffer.from(path.split('/').at(-1)!)
    // the copy of external data is named after the copy
    const bytes = readFileSync(second.out)
    for (let at = bytes.indexOf(name(second.out)); at >= 0; at = bytes.indexOf(name(second.out))) {
      name(first.out).copy(bytes, at)
    }
    expect(bytes.equals(readFileSync(first.out))).toBe(true)
    expect(second.result.layers.map(({ factor }) => factor)).toEqual(second.result.layers.map(() => 1))
  })
})

/** Everything but the elements of tensors, as an independent decoder has it. */
function structureOf(path: string): unknown {
  const message = proto.onnx.ModelProto.decode(readFileSync(path)).toJSON()
  const strip = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(strip)
    if (value === null || typeof value !== 'object') return value
    const fields = Object.entries(value).filter(
      ([key]) => !/^(rawData|floatData|int32Data|doubleData)$/.test(key),
    )
    return Object.fromEntries(fields.map(([key, inner]) => [key, strip(inner)]))
  }
  return strip(message)
}

describe('the file of a normalised model', () => {
  it.each(cases.filter((file) => !file.includes('external')))(
    '%s: differs in elements alone',
    async (file) => {
      const { out, result } = await normalized(join(fixtures, file), { target: 0.7 })
      const [old, fresh] = [readFileSync(join(fixtures, file)), readFileSync(out)]
      expect(fresh.length).toBe(old.length)
      expect(structureOf(out)).toEqual(structureOf(join(fixtures, file)))
      const scaled = new Set(result.layers.filter(({ factor }) => factor !== 1).map(({ tensor }) => tensor))
      const changed = proto.onnx.ModelProto.decode(old).graph!.initializer!.filter((tensor, i) => {
        const other = proto.onnx.ModelProto.decode(fresh).graph!.initializer![i]
        return JSON.stringify(tensor) !== JSON.stringify(other)
      })
      for (const { name } of changed) expect(scaled).toContain(name)
    },
  )

  it('has its external data in a new file, the old one as it was', async () => {
    const source = join(fixtures, 'formats/same-external-data.onnx')
    const data = readFileSync(join(fixtures, 'formats/same-external-data.bin'))
    const { out, result } = await normalized(source)
    expect(result.files).toEqual([`${out.split('/').at(-1)}.data`, out.split('/').at(-1)])
    expect(readFileSync(join(fixtures, 'formats/same-external-data.bin')).equals(data)).toBe(true)
    expect(readFileSync(`${out}.data`).length).toBe(data.length)
    const locations = proto.onnx.ModelProto.decode(readFileSync(out)).graph!.initializer!.map(
      ({ externalData }) => externalData?.find(({ key }) => key === 'location')?.value,
    )
    expect(new Set(locations)).toEqual(new Set([result.files[0]]))
  })

  it('keeps unknown fields and the order of fields', async () => {
    const unknown = Uint8Array.of(0xfa, 0x3f, 3, 1, 2, 3)
    const bytes = Buffer.concat([unknown, dense([2, 2], [3, 0, 0, 1]), unknown])
    const path = output()
    writeFileSync(path, bytes)
    const { out } = await normalized(path)
    const fresh = readFileSync(out)
    expect(fresh.subarray(0, 6).equals(Buffer.from(unknown))).toBe(true)
    expect(fresh.subarray(-6).equals(Buffer.from(unknown))).toBe(true)
    expect(fresh.length).toBe(bytes.length)
  })
})

/** y = x·W. */
function denseSpec(
  dims: readonly number[],
  values: readonly number[] | Message,
  more: ModelSpec = {},
): ModelSpec {
  const weight = Array.isArray(values) ? tensor(dims, values as number[]) : (values as Message)
  return {
    inputs: { x: [1, dims[0]] },
    outputs: ['y'],
    initializers: { w: weight },
    nodes: [node('MatMul', ['x', 'w'], ['y'], {}, { name: 'product' })],
    ...more,
  }
}
const dense = (dims: readonly number[], values: readonly number[]) => model(denseSpec(dims, values))

async function run(path: string | Uint8Array, feeds: Record<string, [readonly number[], ArrayLike<number>]>) {
  const session = await InferenceSession.create(path as string, { logSeverityLevel: 4, intraOpNumThreads: 1 })
  const tensors = Object.entries(feeds).map(([name, [dims, data]]) => [
    name,
    new Tensor('float32', Float32Array.from(data), dims),
  ])
  const results = await session.run(Object.fromEntries(tensors))
  await session.release()
  return Object.values(results)[0].data as Float32Array
}

describe('what a normalised model computes in onnxruntime', () => {
  it('is what arithmetic on the scaled weights gives', async () => {
    const { out, result } = await normalized(join(fixtures, 'trained/digits-mlp.onnx'))
    const { graph } = proto.onnx.ModelProto.decode(readFileSync(join(fixtures, 'trained/digits-mlp.onnx')))
    const arrays = new Map(
      graph!.initializer!.map(({ name, rawData }) => [
        name,
        new Float32Array(Uint8Array.from(rawData!).buffer),
      ]),
    )
    const x = Array.from({ length: 64 }, () => random.uniform())
    let value: number[] = x
    for (const { weight, factor } of result.layers) {
      const w = arrays.get(weight)!.map((element) => Math.fround(element * factor))
      const b = arrays.get(weight.replace('weight', 'bias'))!
      const columns = value.length
      value = Array.from(b, (bias, i) => bias + value.reduce((sum, v, j) => sum + w[i * columns + j] * v, 0))
      if (weight.startsWith('1.')) value = value.map((v) => Math.max(v, 0))
      if (weight.startsWith('4.')) value = value.map(Math.tanh)
    }
    const found = await run(out, { image: [[1, 1, 8, 8], x] })
    for (const [i, expected] of value.entries()) expect(found[i]).toBeCloseTo(expected, 5)
  })

  it('is what a model with weights scaled by another writer computes, bit for bit', async () => {
    const source = join(fixtures, 'trained/digits-resnet-folded.onnx')
    const { out, result } = await normalized(source)
    const message = proto.onnx.ModelProto.decode(readFileSync(source))
    for (const initializer of message.graph!.initializer!) {
      const layer = result.layers.find(({ tensor }) => tensor === initializer.name)
      if (layer === undefined) continue
      const elements = new Float32Array(Uint8Array.from(initializer.rawData!).buffer)
      initializer.rawData = new Uint8Array(elements.map((element) => element * layer.factor).buffer)
    }
    const x = gaussians(64)
    const twin = await run(proto.onnx.ModelProto.encode(message).finish(), { image: [[1, 1, 8, 8], x] })
    expect(await run(out, { image: [[1, 1, 8, 8], x] })).toEqual(twin)
  })

  it('is what it was where gains of batch normalisations are folded', async () => {
    const source = join(fixtures, 'trained/digits-resnet.onnx')
    const { out, result } = await normalized(source, { target: 1e6, foldBatchNorm: true })
    expect(result.notFolded).toEqual([])
    const { models } = await audit(out, { threads: 1 })
    const gains = models[0].layers
      .filter(({ op }) => op === 'BatchNormalization')
      .map(({ spectral }) => spectral)
    expect(gains.length).toBe(5)
    for (const { lower, upper } of gains) {
      expect(upper).toBeLessThanOrEqual(1)
      expect(lower).toBeGreaterThan(1 - 1e-6)
    }
    for (let i = 0; i < 5; i++) {
      const x = gaussians(64)
      const [old, fresh] = [
        await run(source, { image: [[1, 1, 8, 8], x] }),
        await run(out, { image: [[1, 1, 8, 8], x] }),
      ]
      for (const [j, value] of old.entries()) expect(fresh[j]).toBeCloseTo(value, 3)
    }
    const again = await normalized(out, { target: 1e6, foldBatchNorm: true })
    expect(readFileSync(again.out).equals(readFileSync(out))).toBe(true)
  })
})

describe('a convolution with batch normalisation behind it', () => {
  it('is one operator, whose norm comes to the target by the weights of the convolution alone', async () => {
    const { out, result } = await normalized(join(fixtures, 'trained/digits-resnet.onnx'))
    const first = result.layers[0]
    expect(first.with).toEqual(['/1/BatchNormalization'])
    const layers = layersOf(inferModel(readModel(out)))
    const [conv, scale] = [layers[0].spec.operator, layers[1].spec.operator]
    if (conv.form !== 'convolution' || scale.form !== 'diagonal') throw new Error('other layers')
    const { rows, columns, data } = convolutionMatrix(conv)
    const gains = scale.load()
    const scaled = data.map((value, i) => value * gains[Math.floor(i / columns / (rows / gains.length))])
    const norm = poweredNorm({ rows, columns, data: scaled })
    expect(norm).toBeLessThanOrEqual(1 + 1e-12)
    expect(norm).toBeGreaterThan(0.999)
  })

  it('counts alone where something else reads its output', async () => {
    const statistics = { scale: [4, 4], bias: [0, 0], mean: [0, 0], variance: [1, 1] }
    const spec: ModelSpec = {
      inputs: { x: [1, 2, 3, 3] },
      outputs: ['y', 'z'],
      initializers: { w: tensor([2, 2, 1, 1], [2, 0, 0, 1]), ...statistics },
      nodes: [
        node('Conv', ['x', 'w'], ['c'], {}, { name: 'conv' }),
        node('BatchNormalization', ['c', 'scale', 'bias', 'mean', 'variance'], ['y']),
        node('Relu', ['c'], ['z']),
      ],
    }
    const { result } = await normalized(modelFile(spec))
    expect(result.layers[0].with).toEqual([])
    expect(result.layers[0].factor).toBeCloseTo(0.5, 5)
  })
})

describe('where weights are stored', () => {
  const half = (x: number) => {
    const exponent = Math.floor(Math.log2(Math.abs(x)))
    const bits = ((exponent + 15) << 10) | Math.round((Math.abs(x) / 2 ** exponent - 1) * 1024)
    return x < 0 ? bits | 0x8000 : bits
  }

  it.each([false, true])('scales float16 in int32_data, packed or not: %s', async (unpacked) => {
    const values = [3, -2, 0.5, 1.25]
    const bits = values.map(half)
    const path = modelFile(
      denseSpec(
        [2, 2],
        { dims: [2, 2], dataType: 10, int32Data: bits },
        { inputs: { x: { type: 'float16', shape: [1, 2] } } },
      ),
    )
    if (unpacked) unpack(path, bits)
    const { out } = await normalized(path)
    expect(readFileSync(out).length).toBe(readFileSync(path).length)
    const { data } = layersOf(inferModel(readModel(out)))[0].spec.stored!.load()
    const norm = singularValues(2, 2, [3, -2, 0.5, 1.25])[0]
    for (const [i, value] of values.entries()) expect(data[i]).toBeCloseTo(value / norm, 2)
    expect(singularValues(2, 2, data)[0]).toBeLessThanOrEqual(1)
  })

  /** Writes the packed list of numbers as one record a number. */
  function unpack(path: string, values: readonly number[]) {
    const varint = (value: number): number[] =>
      value < 128 ? [value] : [(value & 127) | 128, ...varint(value >> 7)]
    const packed = values.flatMap(varint)
    const bytes = readFileSync(path)
    const list = Buffer.from([0x2a, packed.length, ...packed])
    const records = Buffer.from(values.flatMap((value) => [0x28, ...varint(value)]))
    const at = bytes.indexOf(list)
    if (at < 0) throw new Error('the list is not there')
    const grown = records.length - list.length
    const message = Buffer.concat([bytes.subarray(0, at), records, bytes.subarray(at + list.length)])
    // the lengths of the initializer and of the graph around it, one byte each
    const graphLength = bytes.indexOf(0x3a) + 1
    const tensorLength = message.lastIndexOf(0x2a, at) + 1
    message[graphLength] += grown
    message[tensorLength] += grown
    writeFileSync(path, message)
  }

  it('scales a tensor that several layers share once, by the largest norm', async () => {
    const w = tensor([2, 2], [4, 0, 0, 1])
    const spec: ModelSpec = {
      inputs: { x: [1, 2], z: [1, 2, 2, 2] },
      outputs: ['y', 'v'],
      initializers: { w, shape: int64s([2, 2, 1, 1]) },
      nodes: [
        node('MatMul', ['x', 'w'], ['h']),
        node('MatMul', ['h', 'w'], ['y']),
        node('Reshape', ['w', 'shape'], ['kernel']),
        node('Conv', ['z', 'kernel'], ['v'], { strides: [1, 1] }),
      ],
    }
    const { out, result } = await normalized(modelFile(spec))
    expect(result.layers.map(({ after }) => after.upper! <= 1 && after.upper! > 0.999)).toEqual([
      true,
      true,
      true,
    ])
    const { data } = layersOf(inferModel(readModel(out)))[0].spec.stored!.load()
    expect(data[0] / data[3]).toBeCloseTo(4, 5)
  })

  it('scales block-wise quantised weights by their scales', async () => {
    const { out, result } = await normalized(join(fixtures, 'quantised/mlp-matmul-nbits.onnx'))
    expect(result.layers.every(({ tensor }) => tensor!.endsWith('_scale'))).toBe(true)
    for (const { spec } of linearLayers(out)) expect(trueNorm(spec.operator)).toBeLessThanOrEqual(1 + 1e-12)
    const four = await normalized(join(fixtures, 'quantised/mlp-int4.onnx'))
    for (const { spec } of linearLayers(four.out))
      expect(trueNorm(spec.operator)).toBeLessThanOrEqual(1 + 1e-12)
  })
})

describe('layers that cannot be scaled', () => {
  const big = [9, 0, 0, 9]
  it.each([
    ['a sparse tensor', join(fixtures, 'formats/same-sparse.onnx'), /sparse/],
    [
      'an integer bias in units of the scale',
      join(fixtures, 'quantised/resnet-qlinear-int8.onnx'),
      /bias is stored in units/,
    ],
    [
      'such a bias before the node',
      join(fixtures, 'quantised/resnet-qdq-int8.onnx'),
      /bias is stored in units/,
    ],
    [
      'weights that something else reads',
      modelFile(
        denseSpec([2, 2], big, {
          outputs: ['y', 'z'],
          nodes: [
            node('MatMul', ['x', 'w'], ['y'], {}, { name: 'product' }),
            node('Add', ['x', 'w'], ['z'], {}, { name: 'other' }),
          ],
        }),
      ),
      /shared with 'other'/,
    ],
    [
      'weights that are an output',
      modelFile(denseSpec([2, 2], big, { outputs: ['y', 'w'] })),
      /is an output, too/,
    ],
    [
      'integers without a scale',
      modelFile({
        inputs: { x: { type: 'uint8', shape: [1, 2] } },
        outputs: ['y'],
        initializers: { w: tensor([2, 2], big, 'int8') },
        nodes: [
          node('Cast', ['x'], ['f'], { to: int(1) }),
          node('DynamicQuantizeLinear', ['f'], ['q', 's', 'z']),
          node('MatMulInteger', ['q', 'w', 'z'], ['y']),
        ],
      }),
      /without a scale/,
    ],
    ['a weight that is not finite', modelFile(denseSpec([2, 2], [Number.NaN, 0, 0, 9])), /not finite/],
    [
      'coefficients that are attributes',
      modelFile({
        inputs: { x: [1, 2] },
        outputs: ['y'],
        opsets: { 'ai.onnx.ml': 1 },
        nodes: [node('LinearRegressor', ['x'], ['y'], { coefficients: [5, 0.5] }, { domain: 'ai.onnx.ml' })],
      }),
      /attributes/,
    ],
  ])('%s', async (_, path, reason) => {
    const found = await failure(path)
    expect(found).toMatchObject({ code: 'unsupported', message: expect.stringMatching(reason) })
    expect(found.hint).toContain('--layers')
  })

  it('do not matter where they are within the target, or not chosen', async () => {
    const sparse = join(fixtures, 'formats/same-sparse.onnx')
    expect((await normalized(sparse, { target: 5 })).result.layers.map(({ factor }) => factor)).toEqual([
      1, 1, 1,
    ])
    await expect(failure(sparse, { layers: () => false })).resolves.toMatchObject({ code: 'usage' })
  })

  it('write nothing', async () => {
    const before = readdirSync(folder)
    await failure(join(fixtures, 'formats/same-sparse.onnx'))
    expect(readdirSync(folder)).toEqual(before)
  })
})

describe('a constant for the whole network', () => {
  it.each(['evenly', 'sensitivity'] as const)('is reached from above, spread %s', async (spread) => {
    const { out, result } = await normalized(join(fixtures, 'trained/digits-mlp.onnx'), {
      toLipschitz: 6,
      spread,
      effort: 'fast',
    })
    const { models } = await audit(out, { threads: 1, tolerance: 1e-4, effort: 'fast' })
    const bound = models[0].lipschitz.upper.value!
    expect(bound).toBeLessThanOrEqual(6)
    expect(bound).toBeGreaterThan(6 * 0.998)
    const factors = result.layers.map(({ factor }) => factor)
    const powers = result.layers.map(({ factor, before }) => Math.log(factor) / Math.log(before.upper!))
    const even = spread === 'evenly' ? factors : powers
    for (const value of even) expect(value / even[0]).toBeCloseTo(1, 6)
  })

  it('changes nothing where the bound is below', async () => {
    const source = join(fixtures, 'trained/digits-mlp.onnx')
    const { out } = await normalized(source, { toLipschitz: 1000, effort: 'fast' })
    expect(readFileSync(out).equals(readFileSync(source))).toBe(true)
  })

  it('is refused where the network has no bound', async () => {
    const path = modelFile({
      inputs: { x: [1, 2] },
      outputs: ['y'],
      initializers: { w: tensor([2, 2], [3, 0, 0, 1]) },
      nodes: [node('MatMul', ['x', 'w'], ['h']), node('Mul', ['h', 'x'], ['y'])],
    })
    expect(await failure(path, { toLipschitz: 2 })).toMatchObject({
      code: 'unsupported',
      message: /no bound: Mul/,
    })
  })
})

describe('options', () => {
  const path = modelFile(denseSpec([2, 2], [3, 0, 0, 1]))
  it.each([
    [{ target: 0 }, /target is 0/],
    [{ target: Number.POSITIVE_INFINITY }, /target is Infinity/],
    [{ target: 1, toLipschitz: 1 }, /both/],
    [{ spread: 'evenly' as const }, /spread is given without/],
  ])('%o are refused', async (options, message) => {
    expect(await failure(path, options)).toMatchObject({
      code: 'usage',
      message: expect.stringMatching(message),
    })
  })

  it('never writes over what is there, unless told to, nor over the model', async () => {
    const { out } = await normalized(path)
    const again = (options: NormalizeOptions) => normalize(path, out, { threads: 1, ...options })
    await expect(again({})).rejects.toMatchObject({ code: 'output', message: /it exists/ })
    await expect(again({ force: true })).resolves.toMatchObject({ output: out })
    await expect(normalize(path, path, { force: true })).rejects.toMatchObject({
      code: 'output',
      message: /the model itself/,
    })
    expect(existsSync(out)).toBe(true)
  })
})
