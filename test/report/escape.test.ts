import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { escapeText } from '../../src/report/escape.ts'

describe('escapeText', () => {
  it('lets nothing through that moves the cursor, colours, hides or reorders text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(escapeText(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
      }),
    )
  })

  it('keeps printable text of any script', () => {
    for (const text of ['/model/layers.0/Conv_1', 'größe=3·x', '卷积层', 'слой', 'طبقة', 'a\\nb']) {
      expect(escapeText(text)).toBe(text)
    }
  })

  it.each([
    ['a\nb\tc\rd', 'a\\nb\\tc\\rd'],
    ['\x1b[31mred', '\\x1b[31mred'],
    ['\x9b2J', '\\x9b2J'],
    ['safe\u202etxt.exe', 'safe\\u{202e}txt.exe'],
    ['zero\u200bwidth\ufeff', 'zero\\u{200b}width\\u{feff}'],
    ['line\u2028para\u2029', 'line\\u{2028}para\\u{2029}'],
    ['\ud800', '\\u{d800}'],
    ['tag\u{e0041}', 'tag\\u{e0041}'],
  ])('escapes %j', (text, expected) => {
    expect(escapeText(text)).toBe(expected)
  })
})
