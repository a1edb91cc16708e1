import fc from 'fast-check'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import type { Attribute } from '../../../src/graph/graph.ts'
import { type AttributeValue, model, node } from '../../helpers/onnx-builder.ts'
import { int, ints, shapeOf, text } from '../../helpers/operator-bench.ts'

const axis = fc.record({
  input: fc.integer({ min: 1, max: 9 }),
  kernel: fc.integer({ min: 1, max: 4 }),
  stride: fc.integer({ min: 1, max: 4 }),
  dilation: fc.integer({ min: 1, max: 2 }),
  begin: fc.nat({ max: 2 }),
  end: fc.nat({ max: 2 }),
})

function toAttribute(value: AttributeValue): Attribute {
  if (typeof value === 'number') return int(value)
  return typeof value === 'string' ? text(value) : ints(value as readonly number[])
}

/** The shape that onnxruntime gives; null where it refuses. */
async function shapeByRuntime(
  op: string,
  attributes: Record<string, AttributeValue>,
  data: readonly number[],
) {
  const bytes = model({
    inputs: { x: data },
    outputs: { y: { type: 'float32', shape: null } },
    nodes: [node(op, ['x'], ['y'], attributes)],
    opset: 19,
  })
  try {
    const session = await InferenceSession.create(bytes, { logSeverityLevel: 4, intraOpNumThreads: 1 })
    const x = new Tensor('float32', new Float32Array(data.reduce((a, b) => a * b, 1)), data)
    const { y } = await session.run({ x }, { logSeverityLevel: 4 })
    return y.dims
  } catch {
    return null
  }
}

describe('pools', () => {
  it('have the shapes that onnxruntime gives', async () => {
    let compared = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(axis, { minLength: 1, maxLength: 2 }),
        fc.record({
          op: fc.constantFrom('MaxPool', 'AveragePool', 'LpPool'),
          autoPad: fc.constantFrom('NOTSET', 'NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER'),
          ceil: fc.nat({ max: 1 }),
        }),
        async (axes, { op, autoPad, ceil }) => {
          // Padding as wide as the window is refused by runtimes; dilation with SAME is not defined.
          fc.pre(axes.every((one) => one.begin < one.kernel && one.end < one.kernel))
          fc.pre(!autoPad.startsWith('SAME') || axes.every((one) => one.dilation === 1))
          const padding = [...axes.map((one) => one.begin), ...axes.map((one) => one.end)]
          const attributes = {
            kernel_shape: axes.map((one) => one.kernel),
            strides: axes.map((one) => one.stride),
            dilations: axes.map((one) => one.dilation),
            ceil_mode: ceil,
            ...(autoPad === 'NOTSET' ? { pads: padding } : { auto_pad: autoPad }),
          }
          const padded = (one: (typeof axes)[number]) =>
            one.input + (autoPad === 'NOTSET' ? one.begin + one.end : 0)
          const fits = axes.every((one) => padded(one) >= (one.kernel - 1) * one.dilation + 1)
          fc.pre(fits || autoPad.startsWith('SAME'))
          const data = [1, 2, ...axes.map((one) => one.input)]
          const expected = await shapeByRuntime(op, attributes, data)
          fc.pre(expected !== null)
          compared++
          const read = Object.fromEntries(
            Object.entries(attributes).map(([name, value]) => [name, toAttribute(value)]),
          )
          const shape = shapeOf({ op, version: 19, attributes: read }, [{ type: 'float32', shape: data }])
          expect(shape).toEqual(expected)
        },
      ),
      { numRuns: 80 },
    )
    expect(compared).toBeGreaterThan(40)
  })

  it('leave sizes open that are not known', () => {
    const attributes = { kernel_shape: ints([2, 2]), auto_pad: text('SAME_UPPER') }
    const shape = shapeOf({ op: 'MaxPool', attributes }, [{ type: 'float32', shape: [1, 3, null, 7] }])
    expect(shape).toEqual([1, 3, null, 7])
  })
})
