import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ranking, shares } from '../../src/audit/ranking.ts'

const contribution = fc.record({
  gain: fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
  elasticity: fc.double({ min: 0, max: 1, noNaN: true }),
  assumed: fc.constant(1 as const),
})

describe('shares', () => {
  it('are the fractions of log bound on a chain', () => {
    expect(
      shares([
        { gain: 100, elasticity: 1, assumed: 1 },
        { gain: 10, elasticity: 1, assumed: 1 },
      ]),
    ).toEqual([expect.closeTo(2 / 3, 12), expect.closeTo(1 / 3, 12)])
  })

  it('add to one over the layers that drive the bound up', () => {
    fc.assert(
      fc.property(fc.array(contribution, { minLength: 1 }), (layers) => {
        const positive = shares(layers).reduce<number>((sum, share) => sum + Math.max(share ?? 0, 0), 0)
        const drives = layers.some(({ gain, elasticity }) => elasticity * Math.log(gain) > 0)
        expect(positive).toBeCloseTo(drives ? 1 : 0, 9)
      }),
    )
  })

  it('count a layer of norm zero as damping, not as NaN', () => {
    const [first, second] = shares([
      { gain: 0, elasticity: 1, assumed: 1 },
      { gain: 2, elasticity: 1, assumed: 1 },
    ])
    expect(first).toBeLessThan(0)
    expect(second).toBe(1)
  })

  it('leave out what says nothing without a bound', () => {
    const layers = [
      { gain: 1e4, elasticity: null, assumed: 0 as const },
      { gain: 2, elasticity: null, assumed: 1 as const },
    ]
    expect(shares(layers)).toEqual([0, 1])
  })

  it('go by norm alone where there is no bound, and are null where there is no norm', () => {
    const layers = [
      { gain: 4, elasticity: null, assumed: 1 as const },
      { gain: null, elasticity: null, assumed: 1 as const },
      { gain: 2, elasticity: null, assumed: 1 as const },
    ]
    expect(shares(layers)).toEqual([expect.closeTo(2 / 3, 12), null, expect.closeTo(1 / 3, 12)])
  })
})

describe('ranking', () => {
  it('puts unknown norms first, then the largest share, then graph order', () => {
    expect(ranking([0.2, null, 0.5, 0.2, -1])).toEqual([1, 2, 0, 3, 4])
  })
})
