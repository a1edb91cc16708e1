import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { padMultiplicity } from '../../../src/ops/rules/movement.ts'
import { runningSumNorm } from '../../../src/ops/rules/reduction.ts'
import { interpolationNorm } from '../../../src/ops/rules/resize.ts'
import { normUpperBound, type SparseRow } from '../../../src/ops/rules/small-matrix.ts'
import { windowMultiplicity } from '../../../src/ops/rules/window-sharing.ts'

const linear = {
  mode: 'linear',
  nearest: 'floor',
  cubic: -0.75,
  excludeOutside: false,
  antialias: false,
  policy: 'stretch',
}
const doubled = { input: 6, output: 12, scale: 2 }

describe('closed forms of bound rules', () => {
  it('count the windows that share an element', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 4 }),
        (kernel, stride, dilation) => {
          const reached = new Map<number, number>()
          for (let window = 0; window < 40; window++) {
            for (let j = 0; j < kernel; j++) {
              const at = window * stride + j * dilation
              reached.set(at, (reached.get(at) ?? 0) + 1)
            }
          }
          expect(windowMultiplicity(kernel, stride, dilation)).toBe(Math.max(...reached.values()))
        },
      ),
    )
  })

  it('know the norms of padding, running sums and interpolation', () => {
    expect(padMultiplicity('reflect', 6, 2, 3)).toBe(3)
    expect(padMultiplicity('wrap', 6, 2, 3)).toBe(2)
    expect(padMultiplicity('edge', 6, 2, 3)).toBe(4)
    expect(padMultiplicity('edge', 1, 2, 3)).toBe(6)
    expect(padMultiplicity('unheard-of', 6, 2, 3)).toBeNull()
    expect(runningSumNorm(10)).toBeCloseTo(6.6907, 4)
    expect(runningSumNorm(1)).toBeCloseTo(1, 10)
    expect(runningSumNorm(0)).toBe(0)
    expect(interpolationNorm(doubled, { ...linear, coordinates: 'align_corners' })).toBeCloseTo(1.4483, 3)
    expect(interpolationNorm(doubled, { ...linear, coordinates: 'asymmetric' })).toBeCloseTo(1.5275, 3)
    expect(interpolationNorm(doubled, { ...linear, coordinates: 'half_pixel' })).toBeCloseTo(Math.SQRT2, 3)
    const cubic = interpolationNorm(doubled, { ...linear, coordinates: 'half_pixel', mode: 'cubic' })
    expect(cubic).toBeGreaterThanOrEqual(1.4264)
    expect(cubic).toBeLessThan(1.53)
    // the whole axis as its own crop is interpolated with aligned corners
    const whole = { ...linear, coordinates: 'tf_crop_and_resize' }
    expect(interpolationNorm(doubled, whole)).toBeCloseTo(1.4483, 3)
    expect(interpolationNorm({ ...doubled, region: { start: 2, end: 3 } }, whole)).toBe(0)
    expect(interpolationNorm(doubled, { ...linear, coordinates: 'unheard-of' })).toBeNull()
  })

  it('never bound a small matrix below what it does to a vector', () => {
    const row = fc
      .uniqueArray(fc.tuple(fc.nat({ max: 5 }), fc.double({ min: -3, max: 3, noNaN: true })), {
        minLength: 1,
        maxLength: 4,
        selector: ([column]) => column,
      })
      .map((entries): SparseRow => ({ columns: entries.map(([c]) => c), weights: entries.map(([, w]) => w) }))
    const vector = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 6, maxLength: 6 })
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 6 }), vector, (rows, x) => {
        const image = rows.map(({ columns, weights }) =>
          columns.reduce((sum, c, i) => sum + weights[i] * x[c], 0),
        )
        const [length, size] = [Math.hypot(...image), Math.hypot(...x)]
        expect(length).toBeLessThanOrEqual(normUpperBound(rows, 6) * size * (1 + 1e-12))
      }),
      { numRuns: 1000 },
    )
    expect(normUpperBound([], 3)).toBe(0)
    expect(normUpperBound([{ columns: [0, 1], weights: [3, 4] }], 2)).toBeCloseTo(5, 12)
  })
})
