import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRandom, gaussianVector } from '../../../src/core/random.ts'
import { scoped } from '../../../src/linalg/arena.ts'
import { trigonometricBasis } from '../../../src/linalg/convolution/circle-basis.ts'
import { circleCost, circleMap } from '../../../src/linalg/convolution/circle-map.ts'
import { encloseFinite } from '../../../src/linalg/convolution/finite.ts'
import { type Kernel, keptAxes, kernelOf, partsOf } from '../../../src/linalg/convolution/kernel.ts'
import { denseConvolution } from '../../../src/linalg/convolution/matrix.ts'
import { placedConvolution } from '../../../src/linalg/convolution/placed.ts'
import { ritzPair } from '../../../src/linalg/convolution/ritz.ts'
import { singularValues } from '../known-norms.ts'
import { anyCase, convolution } from './cases.ts'

/** T T*v by the dense matrix. */
function expected(kernel: Kernel, v: Float64Array): Float64Array {
  const { rows, columns, data } = denseConvolution(kernel)
  const image = new Float64Array(columns)
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) image[j] += data[i * columns + j] * v[i]
  return Float64Array.from({ length: rows }, (_, i) => {
    let sum = 0
    for (let j = 0; j < columns; j++) sum += data[i * columns + j] * image[j]
    return sum
  })
}

const norm = (x: Float64Array) => Math.hypot(...x)
const difference = (x: Float64Array, y: Float64Array) => norm(x.map((value, i) => value - y[i]))

describe('circleMap', () => {
  for (const { rank, size, kernel, channels, runs } of [
    { rank: 1, size: 12, kernel: 5, channels: 5, runs: 250 },
    { rank: 2, size: 6, kernel: 4, channels: 4, runs: 200 },
    { rank: 3, size: 4, kernel: 3, channels: 2, runs: 60 },
  ]) {
    it(`is T T* within what it states, ${rank} axes`, () => {
      let met = 0
      fc.assert(
        fc.property(anyCase({ rank, size, kernel, channels }), ({ operator, weights }) => {
          for (const part of partsOf(operator)) {
            if (keptAxes(part).length === 0) continue
            const own = kernelOf(operator, part, 0, weights)
            if (circleCost(own) === null || own.slices.every((value) => value === 0)) continue
            met++
            scoped(() => {
              const map = circleMap(own)
              const random = createRandom(met)
              const [v, u] = [gaussianVector(map.size, random), gaussianVector(map.size, random)]
              const [z, y] = [new Float64Array(map.size), new Float64Array(map.size)]
              const size = own.slices.reduce((sum, value) => sum + Math.abs(value), 0) ** 2
              for (const [precision, relative] of [
                ['double', 1e-6],
                ['single', 1e-4],
              ] as const) {
                map.applyPair(v, u, z, y, precision)
                const allowed = map.deviation + map.productError[precision]
                expect(difference(z, expected(own, v))).toBeLessThanOrEqual(allowed * norm(v))
                expect(difference(y, expected(own, u))).toBeLessThanOrEqual(allowed * norm(u))
                expect(allowed).toBeLessThan(relative * size)
              }
            })
          }
        }),
        { numRuns: runs },
      )
      expect(met).toBeGreaterThan(runs / 8)
    })
  }

  it('is exactly symmetric but for the rounding of products', () => {
    fc.assert(
      fc.property(anyCase({ rank: 2, size: 6, kernel: 3, channels: 4 }), ({ operator, weights }) => {
        for (const part of partsOf(operator)) {
          if (keptAxes(part).length === 0) continue
          const own = kernelOf(operator, part, 0, weights)
          if (circleCost(own) === null) continue
          scoped(() => {
            const map = circleMap(own)
            const random = createRandom(5)
            const [v, u] = [gaussianVector(map.size, random), gaussianVector(map.size, random)]
            const [z, y] = [new Float64Array(map.size), new Float64Array(map.size)]
            map.applyPair(v, u, z, y)
            const one = z.reduce((sum, value, i) => sum + value * u[i], 0)
            const other = y.reduce((sum, value, i) => sum + value * v[i], 0)
            const rounding = (2 * map.productError.double + 1e-13 * norm(z)) * norm(v) * norm(u)
            expect(Math.abs(one - other)).toBeLessThanOrEqual(rounding)
          })
        }
      }),
      { numRuns: 60 },
    )
  })
})

describe('Lanczos between frequencies', () => {
  it('encloses the norm', () => {
    let met = 0
    const options = { tolerance: 1e-3, certify: 'probabilistic', seed: 4, failureProbability: 1e-11 } as const
    fc.assert(
      fc.property(anyCase({ rank: 2, size: 7, kernel: 3, channels: 4 }), ({ operator, weights }) => {
        for (const part of partsOf(operator)) {
          if (keptAxes(part).length === 0) continue
          const kernel = kernelOf(operator, part, 0, weights)
          if (circleCost(kernel) === null || kernel.slices.every((value) => value === 0)) continue
          met++
          const plan = { method: 'frequencies', kernel, once: 0, step: 0, total: 0 } as const
          const { lower, upper } = scoped(() => encloseFinite(plan, options, 0))
          const { rows, columns, data } = denseConvolution(kernel)
          const tall = rows >= columns
          const turned = Float64Array.from(data, (_, i) =>
            tall ? data[i] : data[(i % rows) * columns + Math.floor(i / rows)],
          )
          const sigma = singularValues(Math.max(rows, columns), Math.min(rows, columns), turned)[0]
          expect(lower).toBeLessThanOrEqual(sigma * (1 + 1e-13))
          expect(upper).toBeGreaterThanOrEqual(sigma * (1 - 1e-13))
          expect(lower).toBeGreaterThanOrEqual(sigma * 0.998)
        }
      }),
      { numRuns: 120 },
    )
    expect(met).toBeGreaterThan(20)
  })
})

describe('Lanczos in float32 towards its end', () => {
  it('encloses norms that have no gap behind them within the tolerance', () => {
    for (const [channels, size, seed] of [
      [24, 10, 1],
      [16, 13, 2],
      [20, 9, 3],
    ]) {
      const weights = gaussianVector(channels * channels * 9, createRandom(seed))
      const geometry = { kernel: [3, 3], padsBegin: [1, 1], padsEnd: [1, 1], inputSize: [size, size] }
      const operator = convolution({ ...geometry, inChannels: channels, outChannels: channels }, weights)
      const kernel = kernelOf(operator, partsOf(operator)[0], 0, weights)
      scoped(() => {
        const map = circleMap(kernel)
        expect(map.productError.single).toBeGreaterThan(1e4 * map.productError.double)
        const plan = { method: 'frequencies', kernel, once: 0, step: 0, total: 0 } as const
        const options = {
          tolerance: 1e-3,
          certify: 'probabilistic',
          seed: 4,
          failureProbability: 1e-11,
        } as const
        const { lower, upper } = encloseFinite(plan, options, 0)
        const placed = placedConvolution(kernel)
        const start = gaussianVector(placed.columns, createRandom(9))
        const sigma = Math.sqrt(ritzPair(placed.apply, start, 250, 1e-9).value)
        expect(lower).toBeLessThanOrEqual(sigma * (1 + 1e-12))
        expect(upper).toBeGreaterThanOrEqual(sigma * (1 - 1e-12))
        expect(1 - lower / upper).toBeLessThanOrEqual(options.tolerance)
      })
    }
  })
})

describe('trigonometricBasis', () => {
  it('is orthonormal', () => {
    for (let points = 1; points <= 33; points++) {
      const rows = trigonometricBasis(points, points)
      expect(rows).toHaveLength(points)
      rows.forEach((a, i) => {
        rows.forEach((b, j) => {
          const product = a.reduce((sum, value, x) => sum + value * b[x], 0)
          expect(Math.abs(product - (i === j ? 1 : 0))).toBeLessThan(1e-14)
        })
      })
    }
  })
})
