import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRandom } from '../../../src/core/random.ts'
import type { LayerSpec } from '../../../src/ops/layer.ts'
import { blockMatrix, convolutionMatrix, transposed } from '../../helpers/dense-operator.ts'
import type { Matrix } from '../../helpers/linear-part.ts'
import { layersOfNode, mapOfNode, type OneNode } from '../../helpers/one-node.ts'
import { type AttributeValue, float, int, tensor } from '../../helpers/onnx-builder.ts'
import { singularValues } from '../../linalg/known-norms.ts'

const size = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1)

type Case = Omit<OneNode, 'data' | 'constants'> & {
  readonly data: readonly number[]
  readonly weight: readonly number[]
}

/** The one layer of a node with random weights `w`, and the map that onnxruntime computes for it. */
async function layerAndMap(one: Case, seed: number): Promise<{ layer: LayerSpec; map: Matrix }> {
  const random = createRandom(seed)
  const weights = Float32Array.from({ length: size(one.weight) }, () => random.gaussian())
  const node: OneNode = { ...one, constants: { w: tensor(one.weight, weights) } }
  const layers = layersOfNode(node)
  expect(layers.length).toBe(1)
  expect(layers[0]).toMatchObject({
    role: '',
    weightName: 'w',
    weightShape: one.weight,
    inputShape: one.data,
  })
  return { layer: layers[0], map: await mapOfNode(node) }
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
      { numRuns: 80 },
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
      { numRuns: 80 },
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
      { numRuns: 80 },
    )
  })

  it('is an upper bound where the data may be broadcast: the matrices side by side', () => {
    const weights = [3, 0, 0, 4]
    const of = (shape: readonly (number | null)[] | null, weight: readonly number[]) => {
      const data = { type: 'float32' as const, shape }
      const constants = { w: tensor(weight, weights) }
      return layersOfNode({ op: 'MatMul', inputs: ['x', 'w'], data, constants })[0].operator
    }
    expect(of(null, [2, 2])).toMatchObject({ rows: 2, columns: 2, blocks: 1 })
    expect(of([2, null, 2], [2, 2, 1])).toMatchObject({ rows: 2, columns: 1, blocks: 2 })
    for (const shape of [null, [null, null, 2], [1, null, 2], [null, 2]]) {
      expect(of(shape, [2, 2, 1])).toMatchObject({ rows: 2, columns: 2, blocks: 1 })
      expect(Array.from(of(shape, [2, 2, 1]).load())).toEqual([3, 0, 0, 4])
    }
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

describe('fused products', () => {
  it('count alpha, transpositions and batch axes behind the rows', async () => {
    const flags = fc.record({
      transA: fc.boolean(),
      transB: fc.boolean(),
      batchA: fc.boolean(),
      batchB: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.record({ batch: dim, rows: dim, inner: dim, columns: dim, left: fc.boolean(), seed: fc.nat() }),
        flags,
        async ({ batch, rows, inner, columns, left, seed }, { transA, transB, batchA, batchB }) => {
          const a = arranged(batch, rows, inner, transA, batchA)
          const b = arranged(batch, inner, columns, transB, batchB)
          const { layer, map } = await layerAndMap(
            {
              op: 'FusedMatMul',
              domain: 'com.microsoft',
              inputs: left ? ['w', 'x'] : ['x', 'w'],
              attributes: {
                alpha: float(-0.5),
                transA: Number(transA),
                transB: Number(transB),
                transBatchA: Number(batchA),
                transBatchB: Number(batchB),
              },
              data: left ? b : a,
              weight: left ? a : b,
            },
            seed,
          )
          expect(Math.max(...blockMatrix(layer.operator).map(norm))).toBeCloseTo(norm(map), 4)
        },
      ),
      { numRuns: 40 },
    )
  })
})

/** How a fused product takes `batch` matrices rows × columns. */
function arranged(
  batch: number,
  rows: number,
  columns: number,
  transposed: boolean,
  behind: boolean,
): number[] {
  const [first, second] = transposed ? [columns, rows] : [rows, columns]
  return behind ? [first, batch, second] : [batch, first, second]
}

describe('Einsum', () => {
  const equations = fc.constantFrom(
    'ij,jk->ik',
    'ij,kj->ik',
    'bij,jk->bik',
    'bij,bjk->bik',
    'ij,bjk->bik',
    'bij,bjk->ik b',
    'bhi,hid->bhd',
    'bhd,hdo->bo',
    'bi,io',
    'abc,cbd->ad',
    'i,i->',
    'i,ij->j',
    '...j,jk->...k',
    'b...j,kj->b...k',
    'ab,cd->abcd',
  )

  it('has the norm of the map that onnxruntime computes', async () => {
    await fc.assert(
      fc.asyncProperty(equations, fc.boolean(), fc.nat(), async (equation, left, seed) => {
        const lengths: Record<string, number> = { a: 2, b: 3, c: 2, d: 4, h: 2, i: 3, j: 4, k: 2, o: 3 }
        const [first, second] = equation.split('->')[0].split(',')
        fc.pre(!left || !second.includes('...'))
        const dims = (term: string) => [...term.replace('...', '.')].map((label) => lengths[label] ?? 2)
        const terms = left ? [second, first] : [first, second]
        fc.pre(!terms[1].includes('...'))
        const inputs = left ? ['w', 'x'] : ['x', 'w']
        const attributes = { equation }
        const { layer, map } = await layerAndMap(
          { op: 'Einsum', inputs, attributes, data: dims(terms[0]), weight: dims(terms[1]) },
          seed,
        )
        expect(Math.max(...blockMatrix(layer.operator).map(norm))).toBeCloseTo(norm(map), 4)
      }),
      { numRuns: 60 },
    )
  })

  it.each(['ii,ij->ij', 'ij,jj->ij', 'ij,jk->k', 'ij,jk->i', 'ij,...j->...i'])(
    '%s makes no layer',
    (equation) => {
      const weight = equation === 'ij,...j->...i' ? [1, 2] : [2, 2]
      const one: OneNode = {
        op: 'Einsum',
        inputs: ['x', 'w'],
        attributes: { equation },
        data: [2, 2],
        constants: { w: tensor(weight, new Float32Array(size(weight))) },
      }
      expect(layersOfNode(one)).toEqual([])
    },
  )
})
