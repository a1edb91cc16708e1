import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type SortKey, sortKeys, sortLayers } from '../../src/report/sort.ts'
import { layer } from './sample.ts'

const keys = Object.keys(sortKeys) as SortKey[]

describe('sortLayers', () => {
  it('is a permutation, from large to small, by every key', () => {
    const number = fc.option(fc.double({ min: 0, max: 10, noNaN: true }))
    const anyLayer = fc.record({ share: number, gain: number, elasticity: number, stableRank: number })
    fc.assert(
      fc.property(fc.array(anyLayer), fc.constantFrom(...keys), (facts, key) => {
        const layers = facts.map((fact, i) => layer(i + 1, fact))
        const sorted = sortLayers(layers, key)
        expect(new Set(sorted)).toEqual(new Set(layers))
        const values = sorted.map((one) => sortKeys[key](one) ?? Number.NEGATIVE_INFINITY)
        for (let i = 1; i < values.length; i++) expect(values[i]).toBeLessThanOrEqual(values[i - 1])
      }),
    )
  })

  it('puts layers without an enclosure first by sigma: they are what to look at', () => {
    const spectral = { ...layer(1).spectral, lower: null, upper: null, unbounded: true as const }
    const sorted = sortLayers([layer(1), layer(2, { spectral })], 'sigma')
    expect(sorted.map(({ rank }) => rank)).toEqual([2, 1])
  })

  it('follows the graph by order', () => {
    const sorted = sortLayers(
      [layer(1, { order: 3 }), layer(2, { order: 1 }), layer(3, { order: 2 })],
      'order',
    )
    expect(sorted.map(({ order }) => order)).toEqual([1, 2, 3])
  })
})
