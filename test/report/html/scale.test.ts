import { describe, expect, it } from 'vitest'
import { logScale } from '../../../src/report/html/scale.ts'

describe('an axis of powers of ten', () => {
  it.each([
    ['few decades', [0.3, 2.9]],
    ['one value', [7]],
    ['many decades', [-300, 308]],
    ['more than any step has', [0, 9_007_199_254_740_992]],
    ['numbers to which a step adds nothing', [9e15, 9.007e15]],
    ['numbers near the end of float64', [-1e308, 1e308]],
  ])('has a few ticks within its ends: %s', (_, values) => {
    const { ticks, place } = logScale(values)
    expect(ticks.length).toBeLessThanOrEqual(7)
    for (const tick of ticks) expect(place(tick)).toBeGreaterThanOrEqual(0)
    for (const tick of ticks) expect(place(tick)).toBeLessThanOrEqual(1)
  })

  it('marks every decade of a few, and every other of ten', () => {
    expect(logScale([0, 4]).ticks).toEqual([0, 1, 2, 3, 4])
    expect(logScale([0, 10]).ticks).toEqual([0, 2, 4, 6, 8, 10])
  })
})
