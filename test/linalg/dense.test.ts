import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { relativeWidth } from '../../src/core/enclosure.ts'
import { createRandom } from '../../src/core/random.ts'
import { encloseMatrix } from '../../src/linalg/dense.ts'
import type { NormOptions } from '../../src/linalg/norm-options.ts'
import { matrixWithSingularValues, singularValues } from './known-norms.ts'

const options: NormOptions = { tolerance: 1e-3, certify: 'probabilistic', seed: 7, failureProbability: 1e-11 }

/** Singular values of a matrix that is built from singular vectors are right to this. */
const CONSTRUCTION = 1e-13

function expectEnclosed(
  enclosure: { lower: number; upper: number },
  norm: number,
  slack = CONSTRUCTION,
): void {
  expect(enclosure.lower).toBeLessThanOrEqual(norm * (1 + slack))
  expect(enclosure.upper).toBeGreaterThanOrEqual(norm * (1 - slack))
}

describe('encloseMatrix', () => {
  it('encloses matrices of known norm, whatever the spectrum', () => {
    const spectra = fc.oneof(
      fc.constant((rank: number) => 1 / (1 + rank)),
      fc.constant((rank: number) => 0.3 ** rank),
      fc.constant((rank: number) => 1 - 1e-9 * rank),
      fc.constant((rank: number) => (rank < 2 ? 1 : 0.5)),
      fc.constant((rank: number) => (rank === 0 ? 1 : 1e-8)),
      fc.constant(() => 1),
    )
    const size = fc.integer({ min: 2, max: 24 })
    fc.assert(
      fc.property(size, size, spectra, fc.integer(), (rows, columns, spectrum, seed) => {
        const rank = Math.min(rows, columns)
        const values = Array.from({ length: rank }, (_, index) => 3 * spectrum(index))
        const data = matrixWithSingularValues(rows, columns, values, createRandom(seed))
        const enclosure = encloseMatrix({ rows, columns, data }, { ...options, seed })
        expectEnclosed(enclosure, 3)
        expect(enclosure.certificate).toBe('deterministic')
        expect(relativeWidth(enclosure)).toBeLessThan(1e-9)
      }),
      { numRuns: 1500 },
    )
  })

  it('encloses random float32 matrices against Jacobi rotations', () => {
    const size = fc.integer({ min: 1, max: 16 })
    fc.assert(
      fc.property(size, size, fc.integer(), (rows, columns, seed) => {
        const random = createRandom(seed)
        const data = Float32Array.from({ length: rows * columns }, () => random.gaussian())
        expectEnclosed(
          encloseMatrix({ rows, columns, data }, options),
          singularValues(rows, columns, data)[0],
        )
      }),
      { numRuns: 500 },
    )
  })

  it('scales exactly, from denormals to the largest floats', () => {
    const random = createRandom(3)
    const values = Float64Array.from({ length: 35 }, () => random.gaussian())
    const reference = encloseMatrix({ rows: 5, columns: 7, data: values }, options)
    for (const exponent of [-1000, -500, -100, 100, 500, 1000]) {
      const data = values.map((value) => value * 2 ** exponent)
      const enclosure = encloseMatrix({ rows: 5, columns: 7, data }, options)
      expectEnclosed(enclosure, reference.lower * 2 ** exponent, 1e-11)
      expect(relativeWidth(enclosure)).toBeLessThan(1e-9)
    }
    const tiny = values.map((value) => value * 2 ** -1060)
    const raised = tiny.map((value) => value * 2 ** 1000)
    const expected = singularValues(5, 7, raised)[0] * 2 ** -1000
    const enclosure = encloseMatrix({ rows: 5, columns: 7, data: tiny }, options)
    expect(enclosure.lower).toBeLessThanOrEqual(expected + Number.MIN_VALUE)
    expect(enclosure.upper).toBeGreaterThanOrEqual(expected - Number.MIN_VALUE)
    expect(enclosure.upper).toBeLessThan(expected * 1.001)
  })

  it('handles float32 entries of size 1e±30 and float32 denormals', () => {
    const random = createRandom(5)
    for (const scale of [1e-44, 1e-38, 1e-30, 1e30, 1e37]) {
      const data = Float32Array.from({ length: 6 * 4 }, () => random.gaussian() * scale)
      const unit = 2 ** Math.round(Math.log2(scale))
      const norm =
        singularValues(
          6,
          4,
          Array.from(data, (value) => value / unit),
        )[0] * unit
      expectEnclosed(encloseMatrix({ rows: 6, columns: 4, data }, options), norm)
    }
  })

  it('gives the exact norm of rows, columns, rank one and zero', () => {
    const row = Float32Array.of(3, 0, 4)
    expectEnclosed(encloseMatrix({ rows: 1, columns: 3, data: row }, options), 5, 1e-15)
    expectEnclosed(encloseMatrix({ rows: 3, columns: 1, data: row }, options), 5, 1e-15)
    const zero = encloseMatrix({ rows: 4, columns: 5, data: new Float32Array(20) }, options)
    expect([zero.lower, zero.upper, zero.certificate]).toEqual([0, 0, 'deterministic'])
    const outer = Float32Array.from({ length: 12 }, (_, k) => [1, 2, 2, 4][Math.floor(k / 3)] * row[k % 3])
    const enclosure = encloseMatrix({ rows: 4, columns: 3, data: outer }, options)
    expectEnclosed(enclosure, 25)
    expect(relativeWidth(enclosure)).toBeLessThan(1e-12)
  })

  it('is not misled by one dominating entry', () => {
    const random = createRandom(11)
    const data = Float32Array.from({ length: 900 }, () => random.gaussian())
    data[451] = 1e12
    const enclosure = encloseMatrix({ rows: 30, columns: 30, data }, options)
    expectEnclosed(enclosure, singularValues(30, 30, data)[0])
    expect(relativeWidth(enclosure)).toBeLessThan(1e-9)
  })

  it('meets the tolerance with a stated probability where a Gram matrix is too dear', () => {
    const random = createRandom(1)
    const spectrum = Array.from({ length: 40 }, (_, rank) => 10 / (1 + rank))
    const data = matrixWithSingularValues(500, 700, spectrum, random)
    const enclosure = encloseMatrix({ rows: 500, columns: 700, data }, options)
    expectEnclosed(enclosure, 10)
    expect(enclosure.certificate).toBe('probabilistic')
    expect(enclosure.failureProbability).toBe(options.failureProbability)
    expect(relativeWidth(enclosure)).toBeLessThan(1e-6)
    const forced = encloseMatrix({ rows: 500, columns: 700, data }, { ...options, certify: 'deterministic' })
    expectEnclosed(forced, 10)
    expect(forced.failureProbability).toBe(0)
    expect(relativeWidth(forced)).toBeLessThan(1e-6)
  })

  it('depends on the seed and the weights alone', () => {
    const random = createRandom(9)
    const data = Float32Array.from({ length: 600 * 500 }, () => random.gaussian())
    const first = encloseMatrix({ rows: 600, columns: 500, data }, options)
    expect(encloseMatrix({ rows: 600, columns: 500, data }, options)).toEqual(first)
  })
})
