import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { audit } from '../../src/audit/audit.ts'
import { normalize } from '../../src/edit/normalize.ts'
import type { NormalizeOptions } from '../../src/edit/options.ts'
import { readModel } from '../../src/graph/read-model.ts'
import { inferModel } from '../../src/infer/infer.ts'
import { layersOf } from '../../src/infer/layers.ts'
import { convolutionMatrix } from '../helpers/dense-operator.ts'
import { int, type ModelSpec, modelFile, node, tensor } from '../helpers/onnx-builder.ts'

import {
  cases,
  denseSpec,
  failure,
  fixtures,
  folder,
  linearLayers,
  normalized,
  poweredNorm,
  trueNorm,
} from './normalized.ts'

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

  it('is none where the network rounds its activations', async () => {
    const path = modelFile({
      opset: 18,
      inputs: { x: [1, 2] },
      outputs: { y: { type: 'float32', shape: [1, 2] } },
      nodes: [
        node('MatMul', ['x', 'w'], ['z']),
        node('QuantizeLinear', ['z', 's', 'o'], ['q']),
        node('DequantizeLinear', ['q', 's', 'o'], ['y']),
      ],
      initializers: {
        w: tensor([2, 2], [3, 0, 0, 2]),
        s: tensor([], [0.5]),
        o: tensor([], [0], 'int8'),
      },
    })
    expect(await failure(path, { toLipschitz: 2 })).toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('rounds its activations'),
    })
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
