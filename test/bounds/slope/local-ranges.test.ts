import fc from 'fast-check'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { localRanges, type Reach } from '../../../src/bounds/slope/local-ranges.ts'
import { walkGraph } from '../../../src/bounds/walk.ts'
import { readModel } from '../../../src/graph/read-model.ts'
import { inferModel } from '../../../src/infer/infer.ts'
import type { TypedGraph } from '../../../src/infer/typed-graph.ts'
import { model, writeTemporary } from '../../helpers/onnx-builder.ts'
import { randomStack } from '../../helpers/random-stack.ts'
import { generator } from '../../helpers/seeded.ts'

const only = ['Relu', 'LeakyRelu', 'Abs', 'Tanh', 'Sigmoid', 'Gelu', 'Mish', 'HardSwish', 'Softplus']

/** A stack whose tensors are all outputs, and a point. */
function stackOf(seed: number) {
  const spec = randomStack(seed, { only, images: false, depth: 5 })
  const names = (spec.nodes ?? []).flatMap(({ output }) => output as string[])
  const outputs = Object.fromEntries(names.map((name) => [name, { type: 'float32' as const, shape: null }]))
  const path = writeTemporary(model({ ...spec, outputs }), 'stack.onnx')
  const [, size] = (spec.inputs as { x: number[] }).x
  const random = generator(seed)
  return { path, random, center: Float64Array.from({ length: size }, () => Math.fround(2 * random() - 1)) }
}

/** Ranges around the point: |Δx|₂ ≤ radius, or |Δxᵢ| ≤ radius. */
function rangesOf(typed: TypedGraph, center: Float64Array, norm: Reach['norm'], radius: number) {
  const [input] = typed.graph.inputs
  const normOf = () => 1e3
  const dims = [1, center.length]
  const walkOver = (reach: number) => {
    const box = { dims, lo: center.map((value) => value - reach), hi: center.map((value) => value + reach) }
    const range = { lo: Math.min(...box.lo), hi: Math.max(...box.hi) }
    return walkGraph(typed, {
      normOf,
      audited: [input],
      refined: true,
      inputRanges: new Map([['x', range]]),
      inputBoxes: new Map([['x', box]]),
    })
  }
  const widths = new Map([[input, center.map(() => radius)]])
  const reach: Reach = norm === 'l2' ? { norm, radius } : { norm, widths }
  const domain = walkOver(radius * (1 + 1e-12))
  const found = localRanges(typed, {
    normOf,
    audited: [input],
    reach,
    center: walkOver(0),
    domain,
    budget: 1e9,
  })
  return { found, domain }
}

describe('ranges by linear relaxation', () => {
  it('hold every value at random points of the ball, and are narrower than intervals', async () => {
    let [narrowed, all] = [0, 0]
    const property = fc.asyncProperty(
      fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      fc.constantFrom('l2' as const, 'linf' as const),
      fc.constantFrom(0.01, 0.3, 2),
      async (seed, norm, radius) => {
        const { path, random, center } = stackOf(seed)
        const typed = inferModel(readModel(path))
        const { found, domain } = rangesOf(typed, center, norm, radius)
        const session = await InferenceSession.create(path, { logSeverityLevel: 4, intraOpNumThreads: 1 })
        for (let sample = 0; sample < 30; sample++) {
          const direction = center.map(() => 2 * random() - 1)
          const length = norm === 'l2' ? Math.hypot(...direction) : Math.max(...direction.map(Math.abs))
          const x = Float32Array.from(center, (value, i) => value + (radius * 0.9999 * direction[i]) / length)
          const results = await session.run({ x: new Tensor('float32', x, [1, center.length]) })
          for (const [value, { lo, hi }] of found) {
            const data = results[value.name].data as Float32Array
            data.forEach((element, i) => {
              const slack = 1e-4 * (1 + Math.abs(element))
              expect(element).toBeGreaterThanOrEqual(lo[i] - slack)
              expect(element).toBeLessThanOrEqual(hi[i] + slack)
            })
          }
        }
        for (const [value, { lo, hi }] of found) {
          const box = domain.boxOf(value)
          if (box === null || box.lo.length !== lo.length) continue
          lo.forEach((least, i) => {
            expect(least).toBeGreaterThanOrEqual(box.lo[i])
            if (hi[i] - least < 0.9 * (box.hi[i] - box.lo[i])) narrowed++
            all++
          })
        }
      },
    )
    await fc.assert(property, { numRuns: 40, endOnFailure: true })
    expect(narrowed).toBeGreaterThan(0.3 * all)
  })
})
