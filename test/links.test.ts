import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '..')
const below = (folder: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name))
const pages = [...readdirSync(root), ...below('docs'), ...below('examples')].filter((name) =>
  name.endsWith('.md'),
)

/** Headings as GitHub names their anchors. */
function anchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\- ]/gu, '')
      .replaceAll(' ', '-'),
  )
}

describe('links between pages', () => {
  it('are found', () => expect(pages.length).toBeGreaterThan(30))

  it.each(pages)('lead somewhere from %s', (page) => {
    const text = readFileSync(join(root, page), 'utf8').replace(/```[\s\S]*?```/g, '')
    for (const [, link] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(link)) continue
      const [path, anchor] = link.split('#')
      const target = path === '' ? join(root, page) : resolve(root, dirname(page), path)
      expect(existsSync(target), `${page}: ${link}`).toBe(true)
      if (anchor !== undefined) expect(anchors(readFileSync(target, 'utf8')), link).toContain(anchor)
    }
  })
})
