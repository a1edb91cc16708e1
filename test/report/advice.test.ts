import { describe, expect, it } from 'vitest'
import { adviseOnBound } from '../../src/report/advice.ts'
import { bound, layer, sampleModel } from './sample.ts'

// A chain of gains 10, 5 and 10/3: the bound is their product, 500/3.
describe('adviseOnBound', () => {
  it('names the fewest most sensitive layers that must come down to 1', () => {
    const advice = adviseOnBound(sampleModel(), 100)!
    expect(advice.layers.map(({ rank }) => rank)).toEqual([1])
    expect(advice.suffices).toBe(true)
    expect(10 ** advice.log10).toBeCloseTo(50 / 3)
  })

  it('gives the factor that all layers would have to give', () => {
    const { uniformFactor } = adviseOnBound(sampleModel(), 100)!
    expect(uniformFactor! ** 3).toBeCloseTo(500 / 3 / 100)
  })

  it('says when no layer can help', () => {
    const model = sampleModel({
      layers: [layer(1, { gain: 2 })],
      lipschitz: { ...sampleModel().lipschitz, upper: bound(1000) },
    })
    const advice = adviseOnBound(model, 10)!
    expect(advice.suffices).toBe(false)
    expect(10 ** advice.log10).toBeCloseTo(500)
  })

  it('has nothing to say within the limit, or without a bound', () => {
    expect(adviseOnBound(sampleModel(), 200)).toBeNull()
    const unbounded = { ...bound(1), value: null, log10: null, unbounded: true as const }
    expect(
      adviseOnBound(sampleModel({ lipschitz: { ...sampleModel().lipschitz, upper: unbounded } }), 1),
    ).toBeNull()
  })
})
