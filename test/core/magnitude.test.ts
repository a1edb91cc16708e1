import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as mag from '../../src/core/magnitude.ts'
import { order, over, plus, type Rational, rational, scaled, times } from '../helpers/rational.ts'

const exactly = (a: mag.Magnitude): Rational => times(rational(a.m), scaled(1n, a.e))

/** Far beyond float64, but small enough to be written out as a fraction. */
const magnitudes = fc
  .tuple(fc.double({ min: 1, max: 2, maxExcluded: true, noNaN: true }), fc.integer({ min: -3000, max: 3000 }))
  .map(([m, e]): mag.Magnitude => ({ m, e }))

const close = fc
  .tuple(fc.double({ min: 1, max: 2, maxExcluded: true, noNaN: true }), fc.integer({ min: -70, max: 70 }))
  .map(([m, e]): mag.Magnitude => ({ m, e }))

const pairs = fc.oneof(fc.tuple(magnitudes, magnitudes), fc.tuple(close, close))

/** exact ≤ result ≤ exact·(1 + units·2⁻⁵²), and the result is normalised. */
function expectJustAbove(result: mag.Magnitude, exact: Rational, units: number) {
  expect(result.m >= 1 && result.m < 2).toBe(true)
  expect(order(exactly(result), exact)).toBeGreaterThanOrEqual(0)
  expect(order(exactly(result), times(exact, rational(1 + units * 2 ** -52)))).toBeLessThanOrEqual(0)
}

describe('magnitude', () => {
  it('adds, multiplies and divides just above the exact result', () => {
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        expectJustAbove(mag.add(a, b), plus(exactly(a), exactly(b)), 1)
        expectJustAbove(mag.multiply(a, b), times(exactly(a), exactly(b)), 1)
        expectJustAbove(mag.divide(a, b), over(exactly(a), exactly(b)), 1)
      }),
      { numRuns: 1000 },
    )
  })

  it('takes square roots just above the exact result', () => {
    fc.assert(
      fc.property(magnitudes, (a) => {
        const root = mag.squareRoot(a)
        expectJustAbove({ m: root.m, e: root.e }, exactly(root), 0)
        const square = times(exactly(root), exactly(root))
        expect(order(square, exactly(a))).toBeGreaterThanOrEqual(0)
        expect(order(square, times(exactly(a), rational(1 + 2 ** -50)))).toBeLessThanOrEqual(0)
      }),
    )
  })

  it('joins by root-sum-square just above the exact result', () => {
    fc.assert(
      fc.property(fc.array(close, { minLength: 1, maxLength: 6 }), (terms) => {
        const joined = mag.rootSumSquare(terms)
        const squares = terms.map((term) => times(exactly(term), exactly(term))).reduce(plus)
        const square = times(exactly(joined), exactly(joined))
        expect(order(square, squares)).toBeGreaterThanOrEqual(0)
        expect(order(square, times(squares, rational(1 + 2 ** -48)))).toBeLessThanOrEqual(0)
      }),
    )
  })

  it('orders as the exact values do', () => {
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        expect(mag.compare(a, b)).toBe(order(exactly(a), exactly(b)))
        expect(mag.maximum(a, b)).toBe(mag.compare(a, b) >= 0 ? a : b)
        expect(mag.minimum(a, b)).toBe(mag.compare(a, b) <= 0 ? a : b)
      }),
    )
  })

  it('holds every nonnegative float64 exactly and returns it', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }), (x) => {
        const held = mag.magnitude(x)
        expect(order(exactly(held), rational(x))).toBe(0)
        if (x === 0 || x >= 2 ** -1022) expect(mag.toNumber(held)).toBe(x)
        else expect(mag.toNumber(held)).toBeGreaterThanOrEqual(x)
      }),
      { numRuns: 1000 },
    )
  })

  it('survives products and quotients of ten thousand factors', () => {
    let huge = mag.one
    for (let i = 0; i < 10_000; i++) huge = mag.multiply(huge, mag.magnitude(1e300))
    expect(mag.toNumber(huge)).toBe(Infinity)
    expect(mag.log10(huge)).toBeCloseTo(3_000_000, 5)
    let back = huge
    for (let i = 0; i < 10_000; i++) back = mag.divide(back, mag.magnitude(1e300))
    expect(mag.toNumber(back)).toBeGreaterThanOrEqual(1)
    expect(mag.toNumber(back)).toBeLessThan(1 + 1e-11)
  })

  it('lets zero win over the infinite in products, and refuses what is no magnitude', () => {
    expect(mag.multiply(mag.zero, mag.infinite)).toEqual(mag.zero)
    expect(mag.divide(mag.one, mag.zero)).toEqual(mag.infinite)
    expect(mag.add(mag.infinite, mag.zero)).toEqual(mag.infinite)
    expect(() => mag.magnitude(-1)).toThrow(RangeError)
    expect(() => mag.magnitude(Number.NaN)).toThrow(RangeError)
  })
})
