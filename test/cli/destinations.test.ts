import { describe, expect, it } from 'vitest'
import { chooseDestinations } from '../../src/cli/destinations.ts'

const table = { name: 'table', path: null } as const
const json = { name: 'json', path: null } as const

describe('chooseDestinations', () => {
  it('is the table on standard output by default', () => {
    expect(chooseDestinations({})).toEqual([table])
    expect(chooseDestinations({ json: true })).toEqual([json])
  })

  it('sends the one format where -o says', () => {
    expect(chooseDestinations({ output: 'out.txt' })).toEqual([{ name: 'table', path: 'out.txt' }])
    expect(chooseDestinations({ json: true, output: '-' })).toEqual([json])
  })

  it('sends several formats to several places', () => {
    const file = { name: 'json', path: 'r.json' } as const
    expect(chooseDestinations({ format: [table, file] })).toEqual([table, file])
  })

  it.each([
    [{ format: [table], json: true }, 'only one format can go to standard output'],
    [{ format: [table, json], output: 'x' }, '-o takes one format'],
    [{ format: [{ name: 'json', path: 'a' } as const], output: 'b' }, 'two paths'],
    [
      { format: [{ name: 'json', path: 'a' } as const, { name: 'table', path: 'a' } as const] },
      "two formats would go to 'a'",
    ],
  ])('refuses %j', (settings, message) => {
    expect(() => chooseDestinations(settings)).toThrow(message)
  })
})
