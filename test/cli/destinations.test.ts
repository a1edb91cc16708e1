import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkDestinations, chooseDestinations, writeDestination } from '../../src/cli/destinations.ts'

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

describe('files of reports', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lipschitz-'))

  it('are written whole', async () => {
    const path = join(folder, 'report.json')
    await checkDestinations([{ name: 'json', path }])
    await writeDestination(path, '{}\n')
    expect(readFileSync(path, 'utf8')).toBe('{}\n')
  })

  it('are refused before the work begins where they cannot be', async () => {
    const missing = join(folder, 'missing', 'report.json')
    await expect(checkDestinations([{ name: 'json', path: missing }])).rejects.toThrow(
      'its folder does not exist',
    )
    await expect(checkDestinations([{ name: 'json', path: folder }])).rejects.toThrow('it is a directory')
    await expect(writeDestination(missing, '')).rejects.toThrow(
      `cannot write ${missing}: its folder does not exist`,
    )
  })
})
