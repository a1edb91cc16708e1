import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  formatChoice,
  inputRange,
  inputShape,
  limitChoice,
  numberWithin,
  oneOf,
  positiveNumber,
  wholeNumber,
  yesOrNo,
} from '../../src/cli/readers.ts'
import { LipschitzError } from '../../src/core/errors.ts'
import { errorOf } from '../helpers/error.ts'

describe('positiveNumber', () => {
  it('reads back every number above 0 as JavaScript prints it', () => {
    fc.assert(
      fc.property(fc.double({ min: Number.MIN_VALUE, noDefaultInfinity: true, noNaN: true }), (value) => {
        expect(positiveNumber(String(value), '--max-lipschitz')).toBe(value)
      }),
    )
  })

  it.each(['abc', '', '-1', '0', 'NaN', 'Infinity', '1e400', '0x10', '1,5', '1 2', '1e-400', '--top'])(
    'refuses %j',
    (text) => {
      expect(() => positiveNumber(text, '--max-lipschitz')).toThrow(
        `--max-lipschitz expects a finite number above 0, not '${text}'`,
      )
    },
  )

  it('refuses as a usage error', () => {
    expect(() => positiveNumber('abc', '--top')).toThrow(LipschitzError)
  })
})

describe('numberWithin', () => {
  it('excludes its ends', () => {
    const read = numberWithin(0, 1)
    expect(read('1e-3', '--tolerance')).toBe(0.001)
    for (const text of ['0', '1', '2', 'x'])
      expect(() => read(text, '--tolerance')).toThrow('between 0 and 1')
  })
})

describe('wholeNumber', () => {
  it('takes whole numbers within its range alone', () => {
    const read = wholeNumber(1, 8)
    expect(read('8', '--threads')).toBe(8)
    for (const text of ['0', '9', '1.5', '1e0', '-1', ''])
      expect(() => read(text, '--threads')).toThrow('from 1 to 8')
  })
})

describe('oneOf', () => {
  it('lists the choices and suggests the nearest', () => {
    expect(oneOf(['fail', 'warn'])('warn', '--inconclusive')).toBe('warn')
    expect(() => oneOf(['share', 'sigma'])('simga', '--sort')).toThrow(
      expect.objectContaining({
        message: expect.stringContaining('share, sigma'),
        facts: { hint: 'did you mean sigma?' },
      }),
    )
  })
})

describe('yesOrNo', () => {
  it('reads what people write in environments', () => {
    expect(['1', 'true', 'YES', 'on'].map((text) => yesOrNo(text, 'X'))).toEqual([true, true, true, true])
    expect(['0', 'false', 'No', 'off', ''].map((text) => yesOrNo(text, 'X'))).toEqual([
      false,
      false,
      false,
      false,
      false,
    ])
    expect(() => yesOrNo('maybe', 'LIPSCHITZ_JSON')).toThrow("LIPSCHITZ_JSON expects 1 or 0, not 'maybe'")
  })
})

describe('formatChoice', () => {
  it('splits at the first colon', () => {
    expect(formatChoice('table', '-f')).toEqual({ name: 'table', path: null })
    expect(formatChoice('json:out/report.json', '-f')).toEqual({ name: 'json', path: 'out/report.json' })
    expect(formatChoice('json:C:\\report.json', '-f')).toEqual({ name: 'json', path: 'C:\\report.json' })
    expect(formatChoice('json:-', '-f')).toEqual({ name: 'json', path: null })
  })

  it('refuses unknown formats and empty paths', () => {
    expect(() => formatChoice('jsn', '--format')).toThrow("not 'jsn'")
    expect(() => formatChoice('json:', '--format')).toThrow('a path after the colon')
  })
})

describe('inputShape', () => {
  it('reads names that hold equals signs, unknown dimensions and scalars', () => {
    expect(inputShape('x=1,3,224,224', '-')).toEqual({ name: 'x', dims: [1, 3, 224, 224] })
    expect(inputShape('a=b=2,?', '-')).toEqual({ name: 'a=b', dims: [2, null] })
    expect(inputShape('x=1x3x8', '-')).toEqual({ name: 'x', dims: [1, 3, 8] })
    expect(inputShape('scalar=', '-')).toEqual({ name: 'scalar', dims: [] })
  })

  it.each(['1,3', '=1,3', 'x=1,,3', 'x=-1', 'x=0', 'x=1.5', 'x=1e3', 'x=a'])('refuses %j', (text) => {
    expect(() => inputShape(text, '--input-shape')).toThrow('--input-shape expects name=1,3,224,224')
  })
})

describe('inputRange', () => {
  it('reads two numbers, with or without a name, and equals signs in names', () => {
    expect(inputRange('0,1', '--input-range')).toEqual({ input: null, lo: 0, hi: 1 })
    expect(inputRange('x=-1.5,2e2', '--input-range')).toEqual({ input: 'x', lo: -1.5, hi: 200 })
    expect(inputRange('a=b=.5, 0.75', '--input-range')).toEqual({ input: 'a=b', lo: 0.5, hi: 0.75 })
    expect(inputRange('3,3', '--input-range')).toEqual({ input: null, lo: 3, hi: 3 })
  })

  it.each(['', '1', '1,2,3', '=0,1', 'x=', 'x=0', '1,0', 'a,b', '0,Infinity', 'NaN,1', '0,1e400'])(
    'refuses %j',
    (text) => {
      expect(() => inputRange(text, '--input-range')).toThrow('--input-range expects [name=]lo,hi')
    },
  )
})

describe('limitChoice', () => {
  it.each([
    ['nodes=2000000', 'nodes', 2_000_000],
    ['nodes=2e6', 'nodes', 2_000_000],
    ['fileBytes=4GiB', 'fileBytes', 2 ** 32],
    ['fileBytes=1.5MiB', 'fileBytes', 1.5 * 2 ** 20],
    ['messageDepth=100', 'messageDepth', 100],
  ])('reads %s', (text, name, value) => {
    expect(limitChoice(text, '--limit')).toEqual({ name, value })
  })

  it.each([
    ['nodes', 'expects name=n'],
    ['=5', 'expects name=n'],
    ['node=5', 'did you mean nodes?'],
    ['constructor=5', 'expects one of'],
    ['nodes=', 'from 1 to'],
    ['nodes=0', 'from 1 to'],
    ['nodes=-1', 'from 1 to'],
    ['nodes=1.5', 'from 1 to'],
    ['nodes=1e300', 'from 1 to'],
    ['nodes=5 GB', 'from 1 to'],
    ['messageDepth=101', 'from 1 to 100'],
  ])('refuses %s', (text, message) => {
    const { message: what, hint = '' } = errorOf(() => limitChoice(text, '--limit'))
    expect(`${what} ${hint}`).toContain(message)
  })
})
