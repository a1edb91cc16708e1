import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { helpUrl, pageOf, rules } from '../../src/report/rules.ts'

const folder = resolve(import.meta.dirname, '../../docs/findings')
const source = resolve(import.meta.dirname, '../../src')

describe('rules', () => {
  it('stand in the documentation with their level and summary', () => {
    const rows = readFileSync(join(folder, 'README.md'), 'utf8').match(/^\| \[.*$/gm)
    const expected = Object.entries(rules).map(
      ([name, { level, summary }]) => `| [${name}](${pageOf(name)}.md) | ${level} | ${summary} |`,
    )
    expect(rows).toEqual(expected)
  })

  it('have a page whose title names them, and there is no other page', () => {
    for (const name of Object.keys(rules)) {
      const page = join(folder, `${pageOf(name)}.md`)
      expect(existsSync(page), page).toBe(true)
      expect(readFileSync(page, 'utf8').split('\n')[0].slice(2).split(', ')).toContain(name)
    }
    const pages = new Set(['README.md', ...Object.keys(rules).map((name) => `${pageOf(name)}.md`)])
    expect(readdirSync(folder).filter((file) => !pages.has(file))).toEqual([])
  })

  it('are all that the source gives', () => {
    const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.ts'),
    )
    const text = files.map((file) => readFileSync(join(source, file), 'utf8')).join('\n')
    const given = [...text.matchAll(/\b(?:rule: |rule = |note\(\s*)'([a-z-]+)'/g)].map((match) => match[1])
    expect(given.length).toBeGreaterThan(15)
    expect(given.filter((name) => !(name in rules))).toEqual([])
  })

  it('of later versions lead to the list of all', () => {
    expect(helpUrl('unheard-of')).toMatch(/docs\/findings\/README\.md$/)
    expect(helpUrl('newer-opset')).toMatch(/docs\/findings\/newer-format\.md$/)
  })
})
