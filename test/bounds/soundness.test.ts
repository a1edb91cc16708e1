import { resolve } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { model, writeTemporary } from '../helpers/onnx-builder.ts'
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
