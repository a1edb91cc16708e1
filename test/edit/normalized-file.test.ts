import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import proto from 'onnx-proto'
import { describe, expect, it } from 'vitest'
import { audit } from '../../src/audit/audit.ts'
import { readModel } from '../../src/graph/read-model.ts'
import { inferModel } from '../../src/infer/infer.ts'
import { layersOf } from '../../src/infer/layers.ts'
import { int64s, type ModelSpec, modelFile, node, tensor } from '../helpers/onnx-builder.ts'
import { singularValues } from '../linalg/known-norms.ts'

import {
  cases,
  dense,
  denseSpec,
  fixtures,
  gaussians,
  linearLayers,
  normalized,
  output,
  random,
  run,
  trueNorm,
} from './normalized.ts'

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
