import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRandom } from '../../src/core/random.ts'
import type { FloatArray } from '../../src/core/tensor.ts'
import { place, scoped } from '../../src/linalg/arena.ts'
import { encloseMatrix } from '../../src/linalg/dense.ts'
import type { NormOptions } from '../../src/linalg/norm-options.ts'
import { encloseStreamed, type StreamedMatrix, surveyStreamed } from '../../src/linalg/streamed.ts'
import { surveyMatrix } from '../../src/linalg/survey.ts'

const options: NormOptions = {
  tolerance: 1e-3,
  certify: 'probabilistic',
  seed: 5,
  failureProbability: 1e-10,
}

function streamed(rows: number, columns: number, data: FloatArray): StreamedMatrix {
  return {
    rows,
    columns,
    single: data instanceof Float32Array,
    blockBytes: 600_000,
    read: (first, target) => target.set(data.subarray(first, first + target.length)),
  }
}

function gaussian(rows: number, columns: number, single: boolean): FloatArray {
  const random = createRandom(rows * 7 + columns)
  const data = single ? new Float32Array(rows * columns) : new Float64Array(rows * columns)
  return data.map((_, i) => random.gaussian() / (1 + (i % columns)))
}

function bothWays(rows: number, columns: number, single: boolean, changes: Partial<NormOptions> = {}) {
  const data = gaussian(rows, columns, single)
  const matrix = streamed(rows, columns, data)
  const merged = { ...options, ...changes }
  return {
    inMemory: encloseMatrix({ rows, columns, data }, merged),
    read: encloseStreamed(matrix, merged, surveyStreamed(matrix)),
  }
}

describe('encloseStreamed', () => {
  it.each([
    [1, 90, true],
    [70, 1, false],
    [60, 4000, true],
    [3000, 60, false],
    [700, 1700, true],
    [2600, 600, true],
    [1300, 600, false],
  ])('gives the bytes of the matrix in memory: %i × %i, single %s', (rows, columns, single) => {
    const { inMemory, read } = bothWays(rows, columns, single)
    expect(read).toEqual(inMemory)
  })

  it('gives its bytes with deterministic proofs, too, where the matrix is tall', () => {
    const { inMemory, read } = bothWays(2600, 600, true, { certify: 'deterministic' })
    expect(read).toEqual(inMemory)
    expect(read.method).toBe('cholesky')
  })

  it('encloses what the matrix in memory encloses where it proves otherwise', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }), (rows, columns) => {
        const { inMemory, read } = bothWays(rows, columns, rows % 2 === 0, { certify: 'deterministic' })
        expect(read.lower).toBeLessThanOrEqual(inMemory.upper)
        expect(read.upper).toBeGreaterThanOrEqual(inMemory.lower)
        expect(read.upper - read.lower).toBeLessThan(1e-6 * read.upper)
      }),
      { numRuns: 30 },
    )
  })

  it('gives the free bound for elements whose squares leave the range', () => {
    const matrix = streamed(2, 2, Float64Array.of(3e200, 0, 0, 4e200))
    const { lower, upper } = encloseStreamed(matrix, options, surveyStreamed(matrix))
    expect(lower).toBeLessThanOrEqual(4e200)
    expect(upper).toBeGreaterThanOrEqual(4e200)
    expect(upper).toBeLessThan(4.1e200)
  })
})

describe('surveyStreamed', () => {
  it('says what a survey in memory says', () => {
    const data = gaussian(900, 700, true)
    const inMemory = scoped(() =>
      surveyMatrix({ rows: 900, columns: 700, pointer: place(data), single: true }),
    )
    expect(surveyStreamed(streamed(900, 700, data))).toEqual({ ...inMemory, nonFinite: null })
  })

  it('finds the first element that is not finite', () => {
    const data = gaussian(900, 100, false)
    data[700 * 100 + 3] = Number.NaN
    data[700 * 100 + 90] = Infinity
    expect(surveyStreamed(streamed(900, 100, data)).nonFinite).toEqual({ index: 70_003, value: Number.NaN })
  })
})
