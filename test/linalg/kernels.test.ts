import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRandom, gaussianVector } from '../../src/core/random.ts'
import { allocateFloats, bytesAt, floatsAt, place, scoped } from '../../src/linalg/arena.ts'
import { denseMap } from '../../src/linalg/dense-map.ts'
import { gramMatrix } from '../../src/linalg/gram.ts'
import { kernels } from '../../src/linalg/kernels.ts'
import { surveyMatrix } from '../../src/linalg/survey.ts'
import { choleskyFactor, gram, normalProduct, product } from './kernel-twins.ts'

const size = fc.integer({ min: 1, max: 40 })
const float = fc.constantFrom(Float32Array, Float64Array)

function randomMatrix(
  rows: number,
  columns: number,
  type: typeof Float32Array | typeof Float64Array,
  seed: number,
) {
  const random = createRandom(seed)
  const data = new type(rows * columns)
  for (let i = 0; i < data.length; i++) data[i] = random.gaussian()
  return { random, data, placed: { rows, columns, pointer: place(data), single: type === Float32Array } }
}

function norm(x: Float64Array): number {
  return Math.hypot(...x)
}

function distance(x: Float64Array, y: Float64Array): number {
  return norm(x.map((value, i) => value - y[i]))
}

describe('kernels', () => {
  it('multiply by AᵀA within the stated rounding error, both vectors at once', () => {
    fc.assert(
      fc.property(size, size, float, fc.integer(), (rows, columns, type, seed) =>
        scoped(() => {
          const { random, data, placed } = randomMatrix(rows, columns, type, seed)
          const frobenius = norm(Float64Array.from(data))
          const map = denseMap(placed, frobenius)
          const [v, u] = [gaussianVector(columns, random), gaussianVector(columns, random)]
          const [z, y] = [new Float64Array(columns), new Float64Array(columns)]
          map.applyPair(v, u, z, y)
          // the twin's own rounding is bounded by plain summation
          const slack = 4 * (rows + columns) * 2 ** -53 * frobenius
          for (const [input, output] of [
            [v, z],
            [u, y],
          ]) {
            const difference = distance(output, normalProduct(rows, columns, data, input))
            expect(difference).toBeLessThanOrEqual((map.roundingError + slack) * frobenius * norm(input))
          }
        }),
      ),
      { numRuns: 400 },
    )
  })

  it('stretch vectors by no more than A does', () => {
    fc.assert(
      fc.property(size, size, float, fc.integer(), (rows, columns, type, seed) =>
        scoped(() => {
          const { random, data, placed } = randomMatrix(rows, columns, type, seed)
          const v = gaussianVector(columns, random)
          const stretch = denseMap(placed, norm(Float64Array.from(data))).stretch(v)
          const exact = norm(product(rows, columns, data, v)) / norm(v)
          expect(stretch).toBeLessThanOrEqual(exact)
          expect(stretch).toBeGreaterThan(exact * (1 - 1e-11) - 1e-13)
        }),
      ),
      { numRuns: 400 },
    )
  })

  it('survey what one pass tells', () => {
    fc.assert(
      fc.property(size, size, float, fc.integer(), (rows, columns, type, seed) =>
        scoped(() => {
          const { data, placed } = randomMatrix(rows, columns, type, seed)
          const survey = surveyMatrix(placed)
          const sizes = Array.from(data, Math.abs)
          const sumOver = (pick: (index: number) => number, count: number) =>
            Math.max(
              ...Array.from({ length: count }, (_, k) =>
                sizes.reduce((sum, value, index) => (pick(index) === k ? sum + value : sum), 0),
              ),
            )
          const rowSum = sumOver((index) => Math.floor(index / columns), rows)
          const columnSum = sumOver((index) => index % columns, columns)
          expect(survey.largest).toBe(Math.max(...sizes))
          expect(survey.frobenius).toBeCloseTo(norm(Float64Array.from(data)), 10)
          expect(survey.holder).toBeGreaterThanOrEqual(Math.sqrt(rowSum * columnSum) * (1 - 1e-15))
          expect(survey.holder).toBeCloseTo(Math.sqrt(rowSum * columnSum), 10)
        }),
      ),
      { numRuns: 100 },
    )
  })

  it('square the smaller side within the stated error', () => {
    fc.assert(
      fc.property(size, size, float, fc.integer(), (rows, columns, type, seed) =>
        scoped(() => {
          const { data, placed } = randomMatrix(rows, columns, type, seed)
          const frobenius = norm(Float64Array.from(data))
          const computed = gramMatrix(placed, frobenius)
          const expected = gram(rows, columns, data)
          expect(distance(floatsAt(computed.pointer, expected.length).slice(), expected)).toBeLessThanOrEqual(
            2 * computed.error,
          )
        }),
      ),
      { numRuns: 200 },
    )
  })

  it('factorise what is positive definite, and nothing else', () => {
    const order = fc.integer({ min: 1, max: 130 })
    fc.assert(
      fc.property(order, fc.integer(), fc.boolean(), (n, seed, indefinite) =>
        scoped(() => {
          const { data } = randomMatrix(n, n + 3, Float64Array, seed)
          const matrix = gram(n, n + 3, data)
          for (let i = 0; i < n; i++) matrix[i * n + i] += 0.1
          if (indefinite) matrix[(n - 1) * n + n - 1] -= matrix[(n - 1) * n + n - 1] + 1
          const pointer = place(matrix)
          const packed = allocateFloats((n + 3) * 48)
          const succeeded = kernels().cholesky(pointer, n, packed) !== 0
          const expected = choleskyFactor(n, matrix)
          expect(succeeded).toBe(expected !== null)
          if (expected === null) return
          const computed = floatsAt(pointer, n * n)
          for (let i = 0; i < n; i++) {
            for (let j = 0; j <= i; j++) expect(computed[i * n + j]).toBeCloseTo(expected[i * n + j], 8)
          }
        }),
      ),
      { numRuns: 60 },
    )
  })

  it('give the same bytes on every machine', () =>
    scoped(() => {
      const rows = 37
      const columns = 53
      const data = Float32Array.from({ length: rows * columns }, (_, i) => ((i * 7919) % 1009) / 1009 - 0.4)
      const placed = { rows, columns, pointer: place(data), single: true }
      const map = denseMap(placed, 30)
      const v = Float64Array.from({ length: columns }, (_, i) => ((i * 31) % 17) / 17)
      const u = v.map((value) => 1 - value)
      const [z, y] = [new Float64Array(columns), new Float64Array(columns)]
      map.applyPair(v, u, z, y)
      const square = gramMatrix(placed, 30)
      const digest = createHash('sha256')
        .update(new Uint8Array(z.buffer))
        .update(new Uint8Array(y.buffer))
        .update(bytesAt(square.pointer, square.order ** 2 * 8))
        .digest('hex')
      expect(digest).toBe('f2c4c3277fb37c0db03a7148964b28ccaeba5af5c38514650e85dc409cb04da4')
    }))
})
