import { describe, expect, it } from 'vitest'
import { decodeCsv } from '../../../src/cli/points/csv.ts'

describe('rows of numbers', () => {
  it('are read whatever separates them, without names and empty rows', () => {
    const expected = { dims: [2, 3], data: Float64Array.of(1, -2.5, 3e4, 4, 5, 6) }
    expect(decodeCsv('1,-2.5,3e4\n4,5,6\n')).toEqual(expected)
    expect(decodeCsv('\ufeffa;b;c\r\n1;-2.5;3e4\r\n\r\n4;5;6')).toEqual(expected)
    expect(decodeCsv('1\t-2.5\t3e4\n4 5  6\n')).toEqual(expected)
    expect(decodeCsv('7').dims).toEqual([1, 1])
  })

  it.each([
    ['1,2\n3\n', 'row 2 has 1 numbers, the first has 2'],
    ['1,2\n3,four\n', "row 2 holds 'four'"],
    ['1,,2\n', "row 1 holds ''"],
    ['a,b\nc,d\n', "row 2 holds 'c'"],
    ['\n \n', 'no row of numbers'],
    ['x,y\n', 'no row of numbers'],
  ])('are refused with the row: %j', (text, message) => {
    expect(() => decodeCsv(text)).toThrow(message)
  })
})
