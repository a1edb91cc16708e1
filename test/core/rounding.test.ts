import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addDown,
  addUp,
  divDown,
  divUp,
  mulDown,
  mulUp,
  nextDown,
  nextUp,
  sqrtDown,
  sqrtUp,
} from '../../src/core/rounding.ts'
import { order, over, plus, type Rational, rational, times } from '../helpers/rational.ts'

/** Every finite float64: all exponents, denormals, and the short numbers whose results are often exact. */
const finite = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.double({ noNaN: true, min: -10, max: 10 }),
  fc.integer({ min: -1000, max: 1000 }),
  fc
    .tuple(fc.integer({ min: -4096, max: 4096 }), fc.integer({ min: -1074, max: 1010 }))
    .map(([m, e]) => m * 2 ** e),
  fc.constantFrom(Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE, -Number.MIN_VALUE, 0, -0),
)

/** The up result is the least float64 ≥ the exact one, or the one after it where the error was out of range. */
function expectEnclosed(up: number, down: number, exact: Rational, slack: number) {
  if (up !== Infinity) expect(order(rational(up), exact)).toBeGreaterThanOrEqual(0)
  if (down !== -Infinity) expect(order(rational(down), exact)).toBeLessThanOrEqual(0)
  let below = up
  let above = down
  for (let step = 0; step <= slack; step++) {
    below = nextDown(below)
    above = nextUp(above)
  }
  if (Number.isFinite(below)) expect(order(rational(below), exact)).toBeLessThan(0)
  if (Number.isFinite(above)) expect(order(rational(above), exact)).toBeGreaterThan(0)
}

const ordinary = (x: number) => Math.abs(x) > 2 ** -800 && Math.abs(x) < 2 ** 800

describe('directed rounding', () => {
  const runs = { numRuns: 3000 }

  it('encloses sums, to the last unit', () => {
    fc.assert(
      fc.property(finite, finite, (a, b) => {
        const slack = Math.max(Math.abs(a), Math.abs(b)) < 2 ** 1000 ? 0 : 1
        expectEnclosed(addUp(a, b), addDown(a, b), plus(rational(a), rational(b)), slack)
      }),
      runs,
    )
  })

  it('encloses products, to the last unit', () => {
    fc.assert(
      fc.property(finite, finite, (a, b) => {
        const slack = [a, b, a * b].every(ordinary) ? 0 : 1
        expectEnclosed(mulUp(a, b), mulDown(a, b), times(rational(a), rational(b)), slack)
      }),
      runs,
    )
  })

  it('encloses quotients, to the last unit', () => {
    fc.assert(
      fc.property(
        finite,
        finite.filter((b) => b !== 0),
        (a, b) => {
          const slack = [a, b, a / b].every(ordinary) ? 0 : 1
          expectEnclosed(divUp(a, b), divDown(a, b), over(rational(a), rational(b)), slack)
        },
      ),
      runs,
    )
  })

  it('encloses square roots, to the last unit', () => {
    fc.assert(
      fc.property(finite.map(Math.abs), (x) => {
        const up = rational(sqrtUp(x))
        const down = rational(sqrtDown(x))
        expect(order(times(up, up), rational(x))).toBeGreaterThanOrEqual(0)
        expect(order(times(down, down), rational(x))).toBeLessThanOrEqual(0)
        if (ordinary(x)) expect(sqrtUp(x)).toBeLessThanOrEqual(nextUp(sqrtDown(x)))
      }),
      runs,
    )
  })

  it('keeps exact results', () => {
    expect([addUp(1, 2), mulUp(3, -7), divUp(1, 4), sqrtUp(49), sqrtDown(0.25)]).toEqual([
      3, -21, 0.25, 7, 0.5,
    ])
  })

  it('steps through every float64 in order', () => {
    expect(nextUp(0)).toBe(Number.MIN_VALUE)
    expect(nextUp(-Number.MIN_VALUE)).toBe(-0)
    expect(nextUp(Number.MAX_VALUE)).toBe(Infinity)
    expect(nextUp(-Infinity)).toBe(-Number.MAX_VALUE)
    expect(nextDown(1)).toBe(1 - 2 ** -53)
  })

  it('never rounds an overflow past the exact result', () => {
    expect(divUp(-1e300, 1e-300)).toBe(-Number.MAX_VALUE)
    expect(mulUp(-1e300, 1e300)).toBe(-Number.MAX_VALUE)
    expect(addUp(-Number.MAX_VALUE, -Number.MAX_VALUE)).toBe(-Number.MAX_VALUE)
    expect(divUp(1e300, 1e-300)).toBe(Infinity)
  })
})
