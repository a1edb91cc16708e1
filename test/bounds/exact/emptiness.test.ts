import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { integersOf, toFloat } from '../../../src/bounds/exact/dyadic.ts'
import { isProvenEmpty } from '../../../src/bounds/exact/emptiness.ts'
import { deepestPoint } from '../../../src/bounds/exact/simplex.ts'

const whole = fc.integer({ min: -3, max: 3 })

describe('half-spaces', () => {
  it('with a point inside are never proven empty', () => {
    const systems = fc.integer({ min: 1, max: 4 }).chain((d) =>
      fc.record({
        normals: fc.array(fc.array(whole, { minLength: d, maxLength: d }), { minLength: 1, maxLength: 7 }),
        inside: fc.array(whole, { minLength: d, maxLength: d }),
        rooms: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 7, maxLength: 7 }),
      }),
    )
    fc.assert(
      fc.property(systems, ({ normals, inside, rooms }) => {
        const rows = normals.map((normal, i) => {
          const value = normal.reduce((sum, p, k) => sum + p * inside[k], 0)
          return [...normal, rooms[i] - value].map(BigInt)
        })
        expect(isProvenEmpty(rows)).toBe(false)
      }),
      { numRuns: 400 },
    )
  })

  it.each<[string, number[][], boolean]>([
    [
      'x > 0 and x < 0',
      [
        [1, 0],
        [-1, 0],
      ],
      true,
    ],
    [
      'x > 1 and x < 1 twice',
      [
        [1, -1],
        [-2, 2],
        [-2, 2],
      ],
      true,
    ],
    [
      'x > 0 and x < 1',
      [
        [1, 0],
        [-1, 1],
      ],
      false,
    ],
    [
      'x > 0, y > 0, x + y < 0',
      [
        [1, 0, 0],
        [0, 1, 0],
        [-1, -1, 0],
      ],
      true,
    ],
    [
      'x > 0, y > 0, x + y < 1',
      [
        [1, 0, 0],
        [0, 1, 0],
        [-1, -1, 1],
      ],
      false,
    ],
    ['−1 > 0', [[0, 0, -1]], true],
    // a form that is zero everywhere is no wall at all
    ['0 > 0', [[0, 0, 0]], false],
    [
      '0 > 0 and x > 0',
      [
        [0, 0],
        [1, 0],
      ],
      false,
    ],
    [
      'parallel planes of the plane',
      [
        [3, 6, 1],
        [-1, -2, -1],
      ],
      true,
    ],
  ])('%s', (_, rows, isEmpty) => {
    expect(isProvenEmpty(rows.map((row) => row.map(BigInt)))).toBe(isEmpty)
  })

  it('are deepest where the simplex method says', () => {
    // the triangle x, y > 0, x + y < 1: its inscribed circle
    const slant = Math.SQRT1_2
    const rows = [
      [1, 0, 0],
      [0, 1, 0],
      [-slant, -slant, slant],
    ].map((row) => Float64Array.from(row))
    const found = deepestPoint(rows, { dimension: 2, reach: 100, cap: 10 })
    const radius = 1 / (2 + Math.SQRT2)
    expect(found?.depth).toBeCloseTo(radius, 8)
    expect([...(found?.x ?? [])]).toEqual([expect.closeTo(radius, 8), expect.closeTo(radius, 8)])
    const none = deepestPoint([...rows, Float64Array.of(-1, 0, -0.5)], { dimension: 2, reach: 100, cap: 10 })
    expect(none?.depth).toBeLessThan(0)
    expect(none?.support).toEqual([0, 3])
  })
})

describe('floats as integers', () => {
  it('lose nothing', () => {
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true })
    fc.assert(
      fc.property(fc.array(finite, { minLength: 1, maxLength: 5 }), (numbers) => {
        const { values, scale } = integersOf(numbers)
        numbers.forEach((number, i) => {
          expect(toFloat(values[i], scale)).toBe(number === 0 ? 0 : number)
        })
      }),
      { numRuns: 300 },
    )
  })

  it('add up exactly where floats round', () => {
    const { values, scale } = integersOf([1e16, 1, -1e16])
    expect(toFloat(values[0] + values[1] + values[2], scale)).toBe(1)
    expect(() => integersOf([Number.NaN])).toThrow(RangeError)
  })
})
