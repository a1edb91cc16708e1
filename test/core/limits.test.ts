import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { beyondLimit, limitNames, limitOf, limitsWith, standardLimits } from '../../src/core/limits.ts'
import { errorOf } from '../helpers/error.ts'

describe('limits', () => {
  it('are changed one by one', () => {
    expect(limitsWith({ nodes: 3 })).toEqual({ ...standardLimits, nodes: 3 })
    expect(limitsWith()).toEqual(standardLimits)
  })

  it.each([
    [{ nodes: 0 }],
    [{ nodes: -1 }],
    [{ nodes: 1.5 }],
    [{ nodes: Number.NaN }],
    [{ nodes: Number.POSITIVE_INFINITY }],
    [{ messageDepth: 101 }],
    [{ nodez: 5 }],
    [{ constructor: 5 }],
  ])('refuse %j', (changes) => {
    expect(errorOf(() => limitsWith(changes as object)).code).toBe('usage')
  })

  it('name the option that raises them', () => {
    expect(beyondLimit('nodes', 'too many', { node: 'n' }).facts).toEqual({
      node: 'n',
      hint: '--limit nodes=<n> raises the limit, for a model that you trust',
    })
  })

  it('are documented with their values and reasons', () => {
    const page = readFileSync(resolve(import.meta.dirname, '../../docs/limits.md'), 'utf8')
    const rows = page.split('\n').filter((line) => /^\| `/.test(line))
    expect(rows).toEqual(
      limitNames.map((name) => {
        const { value, counts, reason, most } = limitOf(name)
        const ceiling = most === undefined ? '' : `; at most ${most.toLocaleString('en')}`
        return `| \`${name}\` | ${value.toLocaleString('en')} | ${counts} | ${reason}${ceiling} |`
      }),
    )
  })
})
