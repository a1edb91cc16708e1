import fc from 'fast-check'
import { InferenceSession } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import type { ElementType, Tensor } from '../../../src/core/tensor.ts'
import { type Message, model, node, tensor } from '../../helpers/onnx-builder.ts'
import { int, run, tensorOf } from '../../helpers/operator-bench.ts'

/** What onnxruntime computes for a node of constants. */
async function byRuntime(
  op: string,
  inputs: readonly Tensor[],
  attributes: Record<string, number>,
  type: ElementType,
) {
  const names = inputs.map((_, i) => `in${i}`)
  const initializers: Record<string, Message> = {}
  inputs.forEach((input, i) => {
    initializers[names[i]] = tensor(input.dims, input.data, input.type)
  })
  const bytes = model({
    inputs: {},
    outputs: { y: { type, shape: null } },
    initializers,
    nodes: [node(op, names, ['y'], attributes)],
  })
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 3, intraOpNumThreads: 1 })
  const { y } = await session.run({})
  return Array.from(y.data as Float32Array, Number)
}

/** Where scales stand: one, one per index of the axis, or one per block of 2 along it. */
const layout = fc.record({
  dims: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
  axisSeed: fc.nat({ max: 2 }),
  kind: fc.constantFrom<'one' | 'axis' | 'blocks'>('one', 'axis', 'blocks'),
  withZero: fc.boolean(),
  numbers: fc.infiniteStream(fc.integer({ min: -128, max: 127 })),
})

function scaleDims(dims: readonly number[], axis: number, kind: 'one' | 'axis' | 'blocks'): number[] {
  if (kind === 'one') return []
  return kind === 'axis' ? [dims[axis]] : dims.map((dim, i) => (i === axis ? Math.ceil(dim / 2) : dim))
}

const size = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1)

describe.each(['DequantizeLinear', 'QuantizeLinear'] as const)('%s', (op) => {
  it('folds to what onnxruntime computes', async () => {
    await fc.assert(
      fc.asyncProperty(layout, async ({ dims, axisSeed, kind, withZero, numbers }) => {
        // The runtime has blocks for matrices and beyond.
        fc.pre(kind !== 'blocks' || dims.length > 1)
        const axis = axisSeed % dims.length
        const next = (count: number) => Array.from({ length: count }, () => numbers.next().value as number)
        const scales = scaleDims(dims, axis, kind)
        const isQuantizing = op === 'QuantizeLinear'
        const x = tensorOf(dims, next(size(dims)), isQuantizing ? 'float32' : 'int8')
        const scale = tensorOf(
          scales,
          next(size(scales)).map((n) => (n === 0 ? 1 : Math.abs(n)) / 16),
        )
        const zero = tensorOf(scales, next(size(scales)), 'int8')
        const attributes = { axis, ...(kind === 'blocks' ? { block_size: 2 } : {}) }
        const inputs = withZero || isQuantizing ? [x, scale, zero] : [x, scale]
        const expected = await byRuntime(op, inputs, attributes, isQuantizing ? 'int8' : 'float32')
        const read = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, int(value)]))
        const folded = run({ op, version: 21, attributes: read }, inputs)
        expect(Array.from(folded![0].data)).toEqual(expected)
      }),
      { numRuns: 60 },
    )
  })
})

describe('DequantizeLinear', () => {
  it('rounds to the type of its scale', () => {
    const inputs = [tensorOf([1], [3], 'int8'), tensorOf([], [0.10009765625], 'float16')]
    expect(run({ op: 'DequantizeLinear', version: 21 }, inputs)![0]).toMatchObject({
      type: 'float16',
      data: Float32Array.of(0.30029296875),
    })
  })
})
