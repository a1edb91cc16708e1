import { marked } from 'marked'
import { describe, expect, it } from 'vitest'
import { escapeMarkdown } from '../../src/report/markdown/escape.ts'
import { renderMarkdown } from '../../src/report/markdown/markdown.ts'
import { hostileNames, hostileReport } from './hostile.ts'
import { layer, plain, sampleModel, sampleReport } from './sample.ts'

const html = (markdown: string) => marked.parse(markdown, { gfm: true, async: false }) as string

describe('markdown', () => {
  it('says the verdict first, then models, gates with what would help, layers, bounds', () => {
    const model = sampleModel({
      verdict: 'inconclusive',
      gates: [{ rule: 'max-lipschitz', limit: 100, lower: null, upper: 500 / 3, verdict: 'inconclusive' }],
      findings: [{ rule: 'batch-bound', level: 'note', message: 'the batch is 1' }],
    })
    const text = renderMarkdown({ ...sampleReport([model]), verdict: 'inconclusive' }, plain)
    expect(text).toMatch(/^## Lipschitz audit: a gate is inconclusive\n/)
    expect(text).toContain('| <code>net.onnx</code> | ❔ inconclusive | ≤ 166.67 (graph) | 602,112 | 3 |')
    expect(text).toContain('- ❔ inconclusive: **Lipschitz constant ≤ 100**, not proven: the bound is 166.67')
    expect(text).toContain('  - bringing its norm to 1 would put the bound near 16.667')
    expect(text).toContain('| 1 | <code>/layers/layers.0/Gemm</code> | Gemm | [9.9990, 10] |')
    expect(text).toContain('| spectral product | ≤ 166.67 |')
    expect(text).toContain('- note <code>batch-bound</code>: the batch is 1')
  })

  it('shows the first twenty layers, or as many as are asked for', () => {
    const model = sampleModel({ layers: Array.from({ length: 30 }, (_, i) => layer(i + 1)) })
    const rows = (top: number | null) =>
      renderMarkdown(sampleReport([model]), { ...plain, top }).match(/^\| \d+ \|/gm)?.length
    expect(rows(null)).toBe(20)
    expect(rows(3)).toBe(3)
    expect(renderMarkdown(sampleReport([model]), plain)).toContain('and 10 more layers')
  })

  it('names models that could not be audited', () => {
    const report = {
      ...sampleReport(),
      errors: [{ path: 'b.onnx', code: 'malformed', message: 'cut short' }],
    }
    expect(renderMarkdown(report, plain)).toContain('| <code>b.onnx</code> | ❌ error | cut short |')
  })

  it.each(hostileNames.filter((name) => name.length < 1000))('keeps %j from becoming markup', (name) => {
    const page = html(renderMarkdown(hostileReport(name), plain))
    expect(page).not.toMatch(/<(script|img|a|em|del|input)\b/)
    const cells = [...page.matchAll(/<tr>([\s\S]*?)<\/tr>/g)].map((row) => row[1].match(/<t[dh]\b/g)?.length)
    expect(new Set(cells)).toEqual(new Set([5, 7, 2]))
  })

  it('shows escaped text as it was', () => {
    const name = 'a|b <c> `d` *e* [f](g) \\ $x$ :tada: @you #1 ~~x~~'
    const text = html(escapeMarkdown(name)).replace(/<\/?p>|\n/g, '')
    expect(text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code))).toBe(name)
  })
})
