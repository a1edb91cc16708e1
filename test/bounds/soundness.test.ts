import { resolve } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ModelSpec, model, node, tensor, writeTemporary } from '../helpers/onnx-builder.ts'
import { randomGraph } from '../helpers/soundness/random-graph.ts'
import { judgeModel } from '../helpers/soundness/soundness.ts'

const fixture = (name: string) => resolve(import.meta.dirname, '../../fixtures', name)

describe('bounds of whole networks', () => {
  it.each([
    'trained/digits-mlp.onnx',
    'trained/digits-resnet.onnx',
    'trained/digits-spectral.onnx',
    'formats/near-int8-channel.onnx',
  ])('no pair of points is driven further apart than claimed by %s', async (name) => {
    const { verdicts, skipped } = await judgeModel(fixture(name), { runs: 400 })
    expect(skipped).toBeNull()
    for (const verdict of verdicts) {
      expect(verdict.measured).toBeGreaterThan(0)
      expect(verdict).toMatchObject({ holds: true, refusal: null })
    }
  })
})

describe('bounds of networks of which a part never varies', () => {
  it('are those of the rest', async () => {
    // logarithms of groups of one are 0, whatever the data are, and so the layer behind them does not vary
    const spec: ModelSpec = {
      opset: 18,
      inputs: { x: [1, 4] },
      outputs: { y: { type: 'float32', shape: null } },
      initializers: {
        w: tensor([4, 3], new Float32Array(12).fill(0.5)),
        v: tensor([3, 2], [1, 2, 3, 4, 5, 6]),
      },
      nodes: [
        node('LogSoftmax', ['x'], ['zero'], { axis: 0 }),
        node('MatMul', ['zero', 'w'], ['still']),
        node('MatMul', ['x', 'w'], ['moving']),
        node('Add', ['still', 'moving'], ['sum']),
        node('Relu', ['sum'], ['active']),
        node('MatMul', ['active', 'v'], ['y']),
      ],
    }
    const { verdicts } = await judgeModel(writeTemporary(model(spec), 'still.onnx'), { runs: 100 })
    expect(verdicts).toMatchObject([{ holds: true, refusal: null }])
    expect(verdicts[0].measured).toBeGreaterThan(verdicts[0].claimed / 2)
  })
})

const boxes: readonly (readonly [number, number] | undefined)[] = [undefined, [-1, 1], [0.2, 1.5], [-3, -0.5]]

describe('bounds of random graphs', () => {
  it('no pair of points is driven further apart than claimed, no element leaves its claimed range', async () => {
    let measured = 0
    const property = fc.asyncProperty(
      fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      fc.constantFrom(...boxes),
      async (seed, box) => {
        const graph = randomGraph(seed)
        if (graph === null) return
        const path = writeTemporary(model(graph.spec), 'random.onnx')
        const { verdicts, skipped } = await judgeModel(path, { runs: 120, seed, box, ranges: true })
        if (skipped === null && verdicts[0].refusal === null) measured++
        expect({ verdicts, graph: graph.description }).toMatchObject({ verdicts: [{ holds: true }] })
      },
    )
    await fc.assert(property, { numRuns: 80, seed: 7, endOnFailure: true })
    expect(measured).toBeGreaterThan(50)
  })
})
