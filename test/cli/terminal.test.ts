import { describe, expect, it } from 'vitest'
import { usesColour, widthOf } from '../../src/cli/terminal.ts'
import { fakeStream, fakeSurroundings } from './fake-streams.ts'

const terminal = fakeStream({ isTTY: true, columns: 97 })
const pipe = fakeStream()

describe('usesColour', () => {
  it.each([
    ['a terminal', terminal, undefined, {}, true],
    ['a pipe', pipe, undefined, {}, false],
    ['a dumb terminal', terminal, undefined, { TERM: 'dumb' }, false],
    ['NO_COLOR', terminal, undefined, { NO_COLOR: '1' }, false],
    ['an empty NO_COLOR', terminal, undefined, { NO_COLOR: '' }, true],
    ['FORCE_COLOR', pipe, undefined, { FORCE_COLOR: '1' }, true],
    ['FORCE_COLOR on a dumb terminal', terminal, undefined, { FORCE_COLOR: '3', TERM: 'dumb' }, true],
    ['FORCE_COLOR=0', terminal, undefined, { FORCE_COLOR: '0' }, false],
    ['NO_COLOR over FORCE_COLOR', pipe, undefined, { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
    ['--color over NO_COLOR', pipe, true, { NO_COLOR: '1' }, true],
    ['--no-color over FORCE_COLOR', terminal, false, { FORCE_COLOR: '1' }, false],
  ] as const)('decides by %s', (_, stream, flag, environment, expected) => {
    expect(usesColour(stream, flag, fakeSurroundings(environment))).toBe(expected)
  })
})

describe('widthOf', () => {
  it('is that of the terminal, of COLUMNS, or 160', () => {
    expect(widthOf(terminal, fakeSurroundings({ COLUMNS: '50' }))).toBe(97)
    expect(widthOf(pipe, fakeSurroundings({ COLUMNS: '50' }))).toBe(50)
    expect(widthOf(pipe, fakeSurroundings())).toBe(160)
    expect(widthOf(pipe, fakeSurroundings({ COLUMNS: 'wide' }))).toBe(160)
    expect(widthOf(fakeStream({ isTTY: true, columns: 0 }), fakeSurroundings())).toBe(160)
  })
})
