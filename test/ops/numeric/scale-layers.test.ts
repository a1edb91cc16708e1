import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LayerSpec } from '../../../src/ops/layer.ts'
import { layersOfNode, mapOfNode, type OneNode } from '../../helpers/one-node.ts'
import { float, tensor } from '../../helpers/onnx-builder.ts'
import { singularValues } from '../../linalg/known-norms.ts'

const size = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1)

/** Largest entry and root of the sum of squares, each entry counted as often as it acts. */
function normsOf(layer: LayerSpec): { spectral: number; frobenius: number } {
  const { operator } = layer
  if (operator.form !== 'diagonal') throw new Error(operator.form)
  const entries = Array.from(operator.load(), Math.abs)
  expect(entries.length).toBe(operator.size)
  const squares = entries.reduce((sum, entry) => sum + entry * entry, 0)
  return {
    spectral: Math.max(...entries),
    frobenius: Math.sqrt(squares * (operator.multiplicity ?? Number.NaN)),
  }
}

async function expectNormsOfMap(one: OneNode): Promise<LayerSpec> {
  const [layer, ...more] = layersOfNode(one)
  expect(more).toEqual([])
  const { rows, columns, data } = await mapOfNode(one)
  const { spectral, frobenius } = normsOf(layer)
  const expected = singularValues(rows, columns, data)[0]
  expect(Math.abs(spectral - expected)).toBeLessThan(1e-4 * (1 + expected))
  expect(Math.abs(frobenius - Math.hypot(...data))).toBeLessThan(1e-4 * (1 + frobenius))
  return layer
}

/** Dimensions of data and constant along one axis: equal, or one of them 1. */
const axis = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom('both', 'data', 'constant'))
const nonzero = fc.double({ min: 0.1, max: 3, noNaN: true }).chain((x) => fc.constantFrom(x, -x))

describe('products and quotients by a constant', () => {
  it('have the norms of the map that onnxruntime computes, also where they repeat the data', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(axis, { maxLength: 3 }),
        fc.record({ op: fc.constantFrom('Mul', 'Div'), left: fc.boolean(), lead: fc.nat({ max: 3 }) }),
        fc.infiniteStream(nonzero),
        async (axes, { op, left, lead }, numbers) => {
          const of = (who: string) =>
            axes.map(([length, side]) => (side === 'both' || side === who ? length : 1))
          // The batch axis is one element and the constant has none; leading axes of length 1 may be absent.
          const data = [1, ...of('data')]
          const full = [1, ...of('constant')]
          const absent = full.findIndex((dim) => dim !== 1)
          const constant = full.slice(Math.min(lead, absent < 0 ? full.length : absent))
          const values = Array.from({ length: size(constant) }, () => numbers.next().value as number)
          const leftAllowed = left && op === 'Mul'
          const layer = await expectNormsOfMap({
            op,
            inputs: leftAllowed ? ['c', 'x'] : ['x', 'c'],
            data,
            constants: { c: tensor(constant, values) },
          })
          expect(layer).toMatchObject({ kind: 'scale', role: '', weightName: 'c', weightShape: constant })
        },
      ),
      { numRuns: 60 },
    )
  })

  it('are no layers where the constant is divided, or integers are scaled', () => {
    const constants = { c: tensor([2], [1, 2]) }
    expect(layersOfNode({ op: 'Div', inputs: ['c', 'x'], data: [1, 2], constants })).toEqual([])
    const whole = { type: 'int64' as const, shape: [1, 2] }
    const integers = { c: tensor([2], [1, 2], 'int64') }
    expect(layersOfNode({ op: 'Mul', inputs: ['x', 'c'], data: whole, constants: integers })).toEqual([])
  })

  it('of data of unknown rank join all entries', () => {
    const data = { type: 'float32' as const, shape: null }
    const [layer] = layersOfNode({
      op: 'Mul',
      inputs: ['x', 'c'],
      data,
      constants: { c: tensor([2], [3, 4]) },
    })
    expect(Array.from(layer.operator.load())[0]).toBeCloseTo(5)
    expect(layer.operator).toMatchObject({ size: 1, multiplicity: null })
  })

  it('count a dimension that is not known as repeated', () => {
    const data = { type: 'float32' as const, shape: [1, null, 2] }
    const [layer] = layersOfNode({
      op: 'Mul',
      inputs: ['x', 'c'],
      data,
      constants: { c: tensor([2, 1], [3, 4]) },
    })
    expect(Array.from(layer.operator.load())[0]).toBeCloseTo(5)
    expect(layer.operator).toMatchObject({ size: 1 })
  })
})

describe('BatchNormalization', () => {
  const statistics = fc.array(
    fc.record({
      scale: nonzero,
      bias: nonzero,
      mean: nonzero,
      variance: fc.double({ min: 0, max: 4, noNaN: true }),
    }),
    { minLength: 1, maxLength: 3 },
  )
  const inputs = ['x', 'scale', 'bias', 'mean', 'variance']

  it('scales channels as onnxruntime does', async () => {
    await fc.assert(
      fc.asyncProperty(
        statistics,
        fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        async (channels, spatial, epsilon) => {
          const column = (name: 'scale' | 'bias' | 'mean' | 'variance') =>
            tensor(
              [channels.length],
              channels.map((channel) => channel[name]),
            )
          const constants = {
            scale: column('scale'),
            bias: column('bias'),
            mean: column('mean'),
            variance: column('variance'),
          }
          const data = [1, channels.length, ...spatial]
          const attributes = { epsilon: float(epsilon) }
          const layer = await expectNormsOfMap({
            op: 'BatchNormalization',
            inputs,
            data,
            attributes,
            constants,
          })
          expect(layer).toMatchObject({ kind: 'scale', weightName: 'scale', weightShape: [channels.length] })
        },
      ),
      { numRuns: 30 },
    )
  })

  const constants = {
    scale: tensor([1], [1]),
    bias: tensor([1], [0]),
    mean: tensor([1], [0]),
    variance: tensor([1], [-1]),
  }
  const one: OneNode = { op: 'BatchNormalization', inputs, data: [1, 1, 2], constants }

  it('is refused with a negative variance, when its elements are read', () => {
    const [layer] = layersOfNode(one)
    expect(() => layer.operator.load()).toThrow(/variance plus epsilon/)
  })

  it('is no layer in training', () => {
    expect(layersOfNode({ ...one, attributes: { training_mode: 1 } })).toEqual([])
    expect(layersOfNode({ ...one, opset: 9, outputs: ['y', 'mean1'] })).toEqual([])
  })
})

describe('normalisations by statistics of the data', () => {
  const gamma = tensor([4], [1, -3, 2, 0])

  it.each<[string, string[], readonly number[], string, number]>([
    ['LayerNormalization', ['x', 'gamma'], [1, 5, 4], '', 5],
    ['RMSNormalization', ['x', 'gamma'], [1, 5, 4], '', 5],
    ['InstanceNormalization', ['x', 'gamma', 'beta'], [1, 4, 3, 3], '', 9],
    ['SkipLayerNormalization', ['x', 'x', 'gamma', 'beta'], [1, 5, 4], 'com.microsoft', 5],
  ])('%s has its scale as a layer', (op, inputs, data, domain, multiplicity) => {
    const constants = { gamma, beta: tensor([4], [0, 0, 0, 0]) }
    const [layer, ...more] = layersOfNode({ op, domain, inputs, data, constants, opset: 23 })
    expect(more).toEqual([])
    expect(layer).toMatchObject({
      kind: 'scale',
      role: '',
      weightName: 'gamma',
      weightShape: [4],
      inputShape: data,
    })
    expect(layer.operator).toMatchObject({ form: 'diagonal', size: 4, multiplicity })
    expect(normsOf(layer).spectral).toBe(3)
  })
})
