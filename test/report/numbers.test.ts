import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  formatBound,
  formatEnclosure,
  formatFactor,
  formatNumber,
  formatShape,
} from '../../src/report/numbers.ts'

const positive = fc.double({ min: 1e-300, max: 1e300, noNaN: true })

describe('formatNumber', () => {
  it('never prints an upper bound below its value, nor a lower bound above it', () => {
    fc.assert(
      fc.property(positive, fc.integer({ min: 2, max: 8 }), (value, digits) => {
        expect(Number(formatNumber(value, 'up', digits))).toBeGreaterThanOrEqual(value)
        expect(Number(formatNumber(value, 'down', digits))).toBeLessThanOrEqual(value)
      }),
    )
  })

  it('is within one unit of the last digit', () => {
    fc.assert(
      fc.property(
        positive,
        fc.constantFrom('up' as const, 'down' as const, 'nearest' as const),
        (value, direction) => {
          expect(Math.abs(Number(formatNumber(value, direction)) / value - 1)).toBeLessThan(1.01e-4)
        },
      ),
    )
  })

  it.each([
    [3.21449, 'up', '3.2145'],
    [3.21441, 'down', '3.2144'],
    [1_045_000.2, 'nearest', '1.045e6'],
    [0.00012345678, 'nearest', '1.2346e-4'],
    [99.99999, 'up', '100.00'],
    [12, 'nearest', '12'],
    [0, 'up', '0'],
  ] as const)('prints %d (%s) as %s', (value, direction, text) => {
    expect(formatNumber(value, direction)).toBe(text)
  })

  it('prints a dash where there is no number', () => {
    expect(formatNumber(null)).toBe('–')
  })
})

describe('formatBound', () => {
  it('prints bounds beyond float64 from their logarithm', () => {
    expect(formatBound({ value: null, log10: 412.5 })).toBe('3.17e412')
    expect(formatBound({ value: null, log10: 412.9999999 })).toBe('1.00e413')
  })

  it('prints infinity only where nothing is known', () => {
    expect(formatBound({ value: null, log10: null })).toBe('∞')
    expect(formatBound({ value: 0, log10: null })).toBe('0')
  })
})

describe('formatEnclosure', () => {
  it('rounds outward', () => {
    expect(formatEnclosure(3.21413, 3.21447)).toBe('[3.2141, 3.2145]')
  })

  it('is one number where that is exact', () => {
    expect(formatEnclosure(2.5, 2.5)).toBe('2.5000')
  })

  it('says where there is none', () => {
    expect(formatEnclosure(null, null)).toBe('∞')
  })
})

describe('formatFactor', () => {
  it.each([
    [0.1, '1.26×'],
    [1.5, '31.6×'],
    [4, '10,000×'],
    [12, '1e12×'],
  ])('prints 10^%d as %s', (log10, text) => {
    expect(formatFactor(log10)).toBe(text)
  })
})

describe('formatShape', () => {
  it('names what is not known', () => {
    expect(formatShape([1, null, 3])).toBe('1×?×3')
    expect(formatShape([])).toBe('scalar')
    expect(formatShape(null)).toBe('(unknown rank)')
  })
})
