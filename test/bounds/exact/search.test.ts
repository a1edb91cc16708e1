import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Found } from '../../../src/bounds/exact/search.ts'
import { node, tensor } from '../../helpers/onnx-builder.ts'
import { generator } from '../../helpers/seeded.ts'
import { type Chain, functions, randomChain } from './dense-chain.ts'
import { search } from './network.ts'

const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 })
const anyFunction = fc.constantFrom(...Object.values(functions))

function expectClosed({ upper, lower }: Found): void {
  expect(upper).toBeGreaterThanOrEqual(lower)
  expect(upper).toBeLessThanOrEqual(lower * (1 + 1e-6))
}

/** The largest Jacobian over all cells of one hidden layer in the plane: each cell that touches a point where lines cross, or lies far away. */
function largestInPlane(
  { weights: [normals], biases: [offsets], lengthAt }: Chain,
  kinks: readonly number[],
): number {
  const lines = normals.flatMap((normal, i) => kinks.map((kink) => [...normal, offsets[i] - kink]))
  let largest = 0
  const look = (x: number, y: number) => {
    largest = Math.max(largest, lengthAt([x, y]))
  }
  for (let i = 0; i < lines.length; i++) {
    for (let j = 0; j < i; j++) {
      const [[a, b, c], [d, e, f]] = [lines[i], lines[j]]
      const det = a * e - b * d
      if (Math.abs(det) < 1e-9) continue
      const [x, y] = [(b * f - c * e) / det, (c * d - a * f) / det]
      for (let turn = 0; turn < 720; turn++) {
        const angle = ((turn + 0.5) / 720) * 2 * Math.PI
        look(x + 1e-7 * Math.cos(angle), y + 1e-7 * Math.sin(angle))
      }
    }
  }
  for (let turn = 0; turn < 720; turn++) look(1e6 * Math.cos(turn / 114.6), 1e6 * Math.sin(turn / 114.6))
  return largest
}

describe('the search through cells', () => {
  it('finds the steepest interval of functions of one number', () => {
    fc.assert(
      fc.property(seeds, anyFunction, fc.integer({ min: 1, max: 3 }), (seed, act, outputs) => {
        const chain = randomChain(seed, [1, 4, 4, outputs], act)
        const found = search(chain.spec)
        let steepest = 0
        for (let x = -40; x < 40; x += 0.02) steepest = Math.max(steepest, chain.lengthAt([x]))
        for (let x = 50; x < 1e5; x *= 1.5) {
          steepest = Math.max(steepest, chain.lengthAt([x]), chain.lengthAt([-x]))
        }
        expect(found.upper).toBeGreaterThanOrEqual(steepest * (1 - 1e-12))
        if (steepest === 0) return
        expectClosed(found)
        expect(chain.lengthAt(found.point as Float64Array)).toBeGreaterThan(found.upper * (1 - 1e-6))
      }),
      { numRuns: 20 },
    )
  })

  it('finds the cell of the plane with the largest Jacobian', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 3 }), (seed, outputs) => {
        const chain = randomChain(seed, [2, 5, outputs], functions.Relu)
        const found = search(chain.spec)
        const largest = largestInPlane(chain, [0])
        expect(found.upper).toBeGreaterThanOrEqual(largest * (1 - 1e-9))
        expect(found.upper).toBeLessThanOrEqual(largest * (1 + 1e-6))
      }),
      { numRuns: 8 },
    )
  })

  it('is never below a Jacobian, whatever coincides', () => {
    let closed = 0
    fc.assert(
      fc.property(
        seeds,
        anyFunction,
        fc.constantFrom([3, 4, 4, 2], [2, 3, 3, 3, 1], [4, 2, 5, 2], [1, 6, 2, 4, 2]),
        fc.constantFrom({}, { zeros: 0.4 }, { zeros: 0.3, step: 0.5 }, { step: 1 }),
        (seed, act, sizes, options) => {
          const chain = randomChain(seed, sizes, act, options)
          const found = search(chain.spec, null, 2e8)
          const random = generator(seed)
          for (let i = 0; i < 300; i++) {
            const scale = [0.1, 1, 10, 1000][i % 4]
            const x = Array.from({ length: sizes[0] }, () => scale * (2 * random() - 1))
            expect(found.upper).toBeGreaterThanOrEqual(chain.lengthAt(x) * (1 - 1e-12))
          }
          if (found.upper <= found.lower * (1 + 1e-6)) closed++
        },
      ),
      { numRuns: 30 },
    )
    expect(closed).toBeGreaterThan(20)
  })

  it('knows that a number cannot be on both sides', () => {
    // relu(x) − relu(−x − 1): slopes 1 and 1, never together
    const found = search({
      inputs: { x: [1, 1] },
      outputs: ['y'],
      initializers: { w: tensor([1, 2], [1, -1]), b: tensor([2], [0, -1]), v: tensor([2, 1], [1, -1]) },
      nodes: [
        node('Gemm', ['x', 'w', 'b'], ['z']),
        node('Relu', ['z'], ['a']),
        node('MatMul', ['a', 'v'], ['y']),
      ],
    })
    expect(found.upper).toBeGreaterThanOrEqual(1)
    expect(found.upper).toBeLessThan(1 + 1e-6)
  })

  it('has a bound whenever it ends', () => {
    const { spec } = randomChain(11, [3, 8, 8, 2], functions.Relu)
    const whole = search(spec)
    expectClosed(whole)
    const ended = [1, 1e6, 5e6, 2e7].map((budget) => search(spec, null, budget))
    for (const { upper, lower } of ended) {
      expect(upper).toBeGreaterThanOrEqual(whole.lower)
      expect(lower).toBeLessThanOrEqual(whole.upper)
    }
    expect(ended[0].cells).toBe(1)
    expect(ended[0].upper).toBeGreaterThan(ended[3].upper)
  })

  it('is the same for the same network', () => {
    const { spec } = randomChain(12, [4, 6, 6, 1], functions.Abs)
    expect(search(spec)).toEqual(search(spec))
  })
})
