import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRandom } from '../../../src/core/random.ts'
import { readModel } from '../../../src/graph/read-model.ts'
import { inferModel } from '../../../src/infer/infer.ts'
import { layersOf } from '../../../src/infer/layers.ts'
import type { LayerSpec } from '../../../src/ops/layer.ts'
import { blockMatrix, convolutionMatrix, transposed } from '../../helpers/dense-operator.ts'
import { linearPart, type Matrix } from '../../helpers/linear-part.ts'
import {
  type AttributeValue,
  float,
  int,
  model,
  node,
  tensor,
  writeTemporary,
} from '../../helpers/onnx-builder.ts'
import { singularValues } from '../../linalg/known-norms.ts'

interface OneNode {
  readonly op: string
  readonly domain?: string
  readonly inputs: readonly string[]
  readonly attributes: Record<string, AttributeValue>
  readonly data: readonly number[]
  readonly weight: readonly number[]
}

function randomWeights(dims: readonly number[], seed: number): Float32Array {
  const random = createRandom(seed)
  return Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random.gaussian())
}

/** The one layer of a model of one node, and the map that onnxruntime computes for it. */
async function layerAndMap(one: OneNode, seed: number): Promise<{ layer: LayerSpec; map: Matrix }> {
  const bytes = model({
    inputs: { x: one.data },
    outputs: { y: { type: 'float32', shape: null } },
    initializers: { w: tensor(one.weight, randomWeights(one.weight, seed)) },
    nodes: [node(one.op, one.inputs, ['y'], one.attributes, { domain: one.domain ?? '' })],
    opsets: { 'com.microsoft': 1 },
  })
  const layers = layersOf(inferModel(readModel(writeTemporary(bytes, 'layer.onnx'))))
  expect(layers.length).toBe(1)
  return { layer: layers[0].spec, map: await linearPart(bytes, one.data) }
}

function expectSameMatrix(actual: Matrix, expected: Matrix): void {
  expect([actual.rows, actual.columns]).toEqual([expected.rows, expected.columns])
  for (let i = 0; i < actual.data.length; i++) {
    if (Math.abs(actual.data[i] - expected.data[i]) > 1e-4) {
      expect.fail(
        `entry ${Math.floor(i / actual.columns)},${i % actual.columns}: ${actual.data[i]} for ${expected.data[i]}`,
      )
    }
  }
}

const norm = ({ rows, columns, data }: Matrix) => singularValues(rows, columns, data)[0] ?? 0

const size = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1)

/** Attributes of a window sliding over each axis. */
const axis = fc.record({
  input: fc.integer({ min: 1, max: 6 }),
  kernel: fc.integer({ min: 1, max: 3 }),
  stride: fc.integer({ min: 1, max: 3 }),
  dilation: fc.integer({ min: 1, max: 2 }),
  begin: fc.integer({ min: 0, max: 2 }),
  end: fc.integer({ min: 0, max: 2 }),
  extra: fc.integer({ min: 0, max: 2 }),
})

const convolution = fc.record({
  axes: fc.array(axis, { minLength: 1, maxLength: 3 }),
  groups: fc.integer({ min: 1, max: 2 }),
  perGroupIn: fc.integer({ min: 1, max: 2 }),
  perGroupOut: fc.integer({ min: 1, max: 2 }),
  autoPad: fc.constantFrom('NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER'),
  seed: fc.nat(),
})

type Axes = readonly (typeof axis extends fc.Arbitrary<infer T> ? T : never)[]

function windowAttributes(axes: Axes, autoPad: string): Record<string, AttributeValue> {
  return {
    strides: axes.map((one) => one.stride),
    dilations: axes.map((one) => one.dilation),
    ...(autoPad === 'NOTSET'
      ? { pads: [...axes.map((one) => one.begin), ...axes.map((one) => one.end)] }
      : { auto_pad: autoPad }),
  }
}

const extent = (one: Axes[number]) => (one.kernel - 1) * one.dilation + 1

describe('the operator of a convolution', () => {
  it('is the map that onnxruntime computes', async () => {
    await fc.assert(
      fc.asyncProperty(convolution, async ({ axes, groups, perGroupIn, perGroupOut, autoPad, seed }) => {
        fc.pre(size(axes.map((one) => one.input)) <= 40)
        const padded = (one: Axes[number]) => one.input + (autoPad === 'NOTSET' ? one.begin + one.end : 0)
        // The runtime has no dilation together with SAME.
        fc.pre(!autoPad.startsWith('SAME') || axes.every((one) => one.dilation === 1))
        fc.pre(autoPad.startsWith('SAME') || axes.every((one) => padded(one) >= extent(one)))
        const { layer, map } = await layerAndMap(
          {
            op: 'Conv',
            inputs: ['x', 'w'],
            attributes: { ...windowAttributes(axes, autoPad), group: groups },
            data: [1, groups * perGroupIn, ...axes.map((one) => one.input)],
            weight: [groups * perGroupOut, perGroupIn, ...axes.map((one) => one.kernel)],
          },
          seed,
        )
        expect(layer.kind).toBe('conv')
        if (layer.operator.form !== 'convolution') throw new Error(layer.operator.form)
        expectSameMatrix(convolutionMatrix(layer.operator), map)
      }),
      { numRuns: Number(process.env.RUNS ?? 80) },
    )
  })

  it('is the adjoint of the transposed convolution that onnxruntime computes', async () => {
    await fc.assert(
      fc.asyncProperty(
        convolution,
        fc.boolean(),
        async ({ axes, groups, perGroupIn, perGroupOut, autoPad, seed }, withShape) => {
          fc.pre(size(axes.map((one) => one.input)) <= 30)
          const extra = axes.map((one) => Math.min(one.extra, one.stride - 1))
          const spread = axes.map((one, i) => (one.input - 1) * one.stride + extent(one) + extra[i])
          const shape = axes.map((one, i) => Math.max(1, spread[i] - one.begin - one.end))
          fc.pre(axes.every((one, i) => spread[i] - one.begin - one.end >= 1))
          const { layer, map } = await layerAndMap(
            {
              op: 'ConvTranspose',
              inputs: ['x', 'w'],
              attributes: {
                ...windowAttributes(axes, autoPad),
                group: groups,
                output_padding: extra,
                ...(withShape ? { output_shape: shape } : {}),
              },
              data: [1, groups * perGroupIn, ...axes.map((one) => one.input)],
              weight: [groups * perGroupIn, perGroupOut, ...axes.map((one) => one.kernel)],
            },
            seed,
          )
          expect(layer.kind).toBe('conv-transpose')
          if (layer.operator.form !== 'convolution') throw new Error(layer.operator.form)
          expectSameMatrix(transposed(convolutionMatrix(layer.operator)), map)
        },
      ),
      { numRuns: Number(process.env.RUNS ?? 80) },
    )
  })
})

const dim = fc.integer({ min: 1, max: 3 })

/** Batch axes of data and weight that broadcast together. */
const batches = fc.array(fc.tuple(dim, fc.constantFrom('both', 'data', 'weight')), { maxLength: 2 })

describe('the operator of a product', () => {
  it('has the norm of the map that onnxruntime computes, on either side and for any batch', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          batch: batches,
          rows: dim,
          inner: dim,
          columns: dim,
          left: fc.boolean(),
          seed: fc.nat(),
        }),
        fc.record({ dataRank: fc.integer({ min: 1, max: 4 }), weightRank: fc.integer({ min: 1, max: 4 }) }),
        async ({ batch, rows, inner, columns, left, seed }, { dataRank, weightRank }) => {
          const of = (who: 'data' | 'weight') =>
            batch.map(([length, side]) => (side === 'both' || side === who ? length : 1))
          const matrix = (first: boolean) => (first ? [rows, inner] : [inner, columns])
          const trimmed = (dims: readonly number[], rank: number, first: boolean) =>
            rank === 1 ? [dims[dims.length - (first ? 1 : 2)]] : dims.slice(-rank)
          const data = trimmed([...of('data'), ...matrix(!left)], dataRank, !left)
          const weight = trimmed([...of('weight'), ...matrix(left)], weightRank, left)
          const inputs = left ? ['w', 'x'] : ['x', 'w']
          const { layer, map } = await layerAndMap(
            { op: 'MatMul', inputs, attributes: {}, data, weight },
            seed,
          )
          const largest = Math.max(...blockMatrix(layer.operator).map(norm))
          expect(largest).toBeCloseTo(norm(map), 4)
          expect(layer.weightShape).toEqual(weight)
        },
      ),
      { numRuns: Number(process.env.RUNS ?? 80) },
    )
  })

  it('counts alpha and the transpositions of Gemm', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({ rows: dim, inner: dim, columns: dim, transA: fc.boolean(), transB: fc.boolean() }),
        fc.record({ alpha: fc.double({ min: -3, max: 3, noNaN: true }), left: fc.boolean(), seed: fc.nat() }),
        async ({ rows, inner, columns, transA, transB }, { alpha, left, seed }) => {
          const a = transA ? [inner, rows] : [rows, inner]
          const b = transB ? [columns, inner] : [inner, columns]
          const { layer, map } = await layerAndMap(
            {
              op: 'Gemm',
              inputs: left ? ['w', 'x'] : ['x', 'w'],
              attributes: { alpha: float(alpha), transA: int(Number(transA)), transB: int(Number(transB)) },
              data: left ? b : a,
              weight: left ? a : b,
            },
            seed,
          )
          expect(norm(blockMatrix(layer.operator)[0])).toBeCloseTo(norm(map), 4)
        },
      ),
      { numRuns: 40 },
    )
  })
})
