import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deterministic, exactly, joinMaximum, relativeWidth } from '../../src/core/enclosure.ts'

const positive = fc.double({ min: 2 ** -60, max: 2 ** 60, noNaN: true })

test('proofs that contradict each other are an internal error, not an enclosure', () => {
  expect(() => deterministic(2, 1, 'cholesky')).toThrow(/2 and 1 \(cholesky\).*contradict/)
  expect(() => deterministic(Number.NaN, 1, 'cholesky')).toThrow(/contradict/)
  expect(deterministic(1, 1, 'cholesky')).toMatchObject({ lower: 1, upper: 1, failureProbability: 0 })
})

test('the maximum of two enclosures holds the maximum of what they hold', () => {
  fc.assert(
    fc.property(positive, positive, fc.double({ min: 0, max: 0.1 }), (a, b, error) => {
      const joined = joinMaximum(exactly(a, 'exact', error), exactly(b, 'exact', error))
      expect(joined.lower).toBeLessThanOrEqual(Math.max(a, b))
      expect(joined.upper).toBeGreaterThanOrEqual(Math.max(a, b))
      expect(relativeWidth(joined)).toBeLessThanOrEqual(2 * error)
    }),
  )
})

test('failure probabilities of joined enclosures add up', () => {
  const risky = { ...exactly(3, 'lanczos'), certificate: 'probabilistic' as const, failureProbability: 1e-10 }
  expect(joinMaximum(exactly(5, 'exact'), risky)).toMatchObject({
    upper: 5,
    certificate: 'probabilistic',
    failureProbability: 1e-10,
  })
})
