import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cutMiddle, displayWidth, padEnd, padStart, wrap } from '../../src/report/text.ts'

describe('cutMiddle', () => {
  it('never exceeds the width and keeps both ends', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 40 }), (text, width) => {
        const cut = cutMiddle(text, width)
        expect(displayWidth(cut)).toBeLessThanOrEqual(width)
        if (cut !== text) expect(cut).toContain('…')
      }),
    )
  })

  it('leaves text that fits', () => {
    expect(cutMiddle('Conv_0', 6)).toBe('Conv_0')
  })

  it('keeps more of the end, where names of layers differ', () => {
    expect(cutMiddle('/model/encoder/layers.0/Gemm', 13)).toBe('/mod…s.0/Gemm')
  })

  it('counts wide characters as two columns', () => {
    expect(displayWidth('卷积')).toBe(4)
    expect(displayWidth('e\u0301')).toBe(1)
    expect(displayWidth(cutMiddle('卷积层卷积层卷积层', 8))).toBeLessThanOrEqual(8)
  })
})

describe('padding', () => {
  it('fills up to a width by columns, not characters', () => {
    expect(padEnd('卷', 4)).toBe('卷  ')
    expect(padStart('7', 3)).toBe('  7')
    expect(padStart('1234', 3)).toBe('1234')
  })
})

describe('wrap', () => {
  it('loses no word and breaks only at spaces', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z]{1,12}$/)),
        fc.integer({ min: 1, max: 30 }),
        (words, width) => {
          const lines = wrap(words.join(' '), width)
          expect(lines.join(' ')).toBe(words.join(' '))
          for (const line of lines) if (line.includes(' ')) expect(line.length).toBeLessThanOrEqual(width)
        },
      ),
    )
  })
})
