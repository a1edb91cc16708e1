import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deterministic, type Enclosure } from '../../../src/core/enclosure.ts'
import { agreed } from '../../../src/linalg/convolution.ts'

function probabilistic(lower: number, upper: number): Enclosure {
  return { lower, upper, method: 'lanczos', certificate: 'probabilistic', failureProbability: 1e-11 }
}

describe('agreed', () => {
  it('drops a certificate that a proven lower bound contradicts', () => {
    const found = agreed(probabilistic(0.9, 1), deterministic(1.1, 9, 'symbol'), 1e-3, () =>
      deterministic(1.1, 1.3, 'symbol'),
    )
    expect(found).toEqual(deterministic(1.1, 1.3, 'symbol'))
  })

  it('drops it, too, where only the thorough enclosure contradicts it', () => {
    const found = agreed(probabilistic(0.9, 1), deterministic(0.8, 9, 'symbol'), 1e-3, () =>
      deterministic(1.1, 1.3, 'torus'),
    )
    expect(found).toEqual(deterministic(1.1, 1.3, 'torus'))
  })

  it('holds the norm whenever what is proven does, and is never upside down', () => {
    const share = fc.double({ min: 0.5, max: 1, noNaN: true })
    const excess = fc.double({ min: 1, max: 2, noNaN: true })
    fc.assert(
      fc.property(
        share,
        excess,
        share,
        excess,
        share,
        fc.double({ min: 0.5, max: 2, noNaN: true }),
        (...draws) => {
          const [low, high, lowAgain, highAgain, ritz, claimed] = draws
          const proven = deterministic(low, high, 'symbol')
          const thorough = deterministic(lowAgain, highAgain, 'torus')
          const { lower, upper, certificate } = agreed(
            probabilistic(Math.min(ritz, claimed), claimed),
            proven,
            1e-3,
            () => thorough,
          )
          expect(lower).toBeLessThanOrEqual(upper)
          expect(lower).toBeLessThanOrEqual(1)
          if (certificate === 'deterministic') expect(upper).toBeGreaterThanOrEqual(1)
        },
      ),
      { numRuns: 2000 },
    )
  })
})
