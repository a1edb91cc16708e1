import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { explanationOf } from '../../../src/report/explanations.ts'
import { renderHtml } from '../../../src/report/html/html.ts'
import { renderMarkdown } from '../../../src/report/html/markdown.ts'
import { rules } from '../../../src/report/rules.ts'
import { hostileNames, hostileReport } from '../hostile.ts'
import { layer, plain, sampleModel, sampleReport } from '../sample.ts'
import { deep, named, traced } from './network.ts'

const page = (...models: ReturnType<typeof sampleModel>[]) => renderHtml(sampleReport(models), plain)

/** What is between the first tag of this name and its end. */
const inside = (text: string, tag: string) => new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(text)![1]

describe('the page', () => {
  const text = page(traced())

  it('is the same for equal reports', () => {
    expect(page(traced())).toBe(text)
  })

  it('lets nothing run but its own style and script', () => {
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(text)![1]
    const hash = (tag: string) => createHash('sha256').update(inside(text, tag)).digest('base64')
    expect(policy.split('; ').slice(0, 3)).toEqual([
      "default-src 'none'",
      `style-src 'sha256-${hash('style')}'`,
      `script-src 'sha256-${hash('script')}'`,
    ])
  })

  it('has no attribute that a policy would refuse, and no address outside of it', () => {
    const markup = text.replace(/<(style|script)>[\s\S]*?<\/\1>/g, '')
    expect(markup).not.toMatch(/<[^>]*\s(?:style|on\w+|src)=/)
    const targets = [...markup.matchAll(/href="([^"]*)"/g)].map((match) => match[1])
    expect(targets.length).toBeGreaterThan(5)
    expect(targets.filter((target) => !target.startsWith('#'))).toEqual([])
  })

  it('leads nowhere that is not there, and names nothing twice', () => {
    const ids = [...text.matchAll(/\bid="([^"]*)"/g)].map((match) => match[1])
    expect(new Set(ids).size).toBe(ids.length)
    for (const [, target] of text.matchAll(/href="#([^"]*)"/g)) expect(ids).toContain(target)
  })

  it('shows verdict, bound, layers and the steps of the bound', () => {
    for (const part of ['≤ 166.67', '≥ 20', '/layers/layers.0/Gemm', '×3.33', 'Frobenius product']) {
      expect(text).toContain(part)
    }
  })

  it('leads from a layer to its place in the graph and back', () => {
    expect(text).toMatch(/<a href="#m1-b1">\/layers\/layers\.0\/Gemm<\/a>/)
    expect(text).toMatch(/<a id="m1-b1" class="block grows-3" href="#m1-l1">/)
  })

  it('says what each finding means', () => {
    const finding = { rule: 'wide-enclosure', level: 'warning', message: 'a wide norm', node: 'fc' } as const
    const shown = page(sampleModel({ findings: [finding, { ...finding, node: 'conv' }] }))
    expect(shown).toContain('At fc, conv.')
    expect(shown).toContain('wider than <code>--tolerance</code>')
  })

  it('says which gate is not met, and what would help', () => {
    const gate = { rule: 'max-lipschitz', limit: 100, lower: null, upper: 500 / 3 } as const
    const shown = page(traced({ verdict: 'inconclusive', gates: [{ ...gate, verdict: 'inconclusive' }] }))
    expect(shown).toContain('Lipschitz constant ≤ 100')
    expect(shown).toMatch(/class="badge inconclusive">\? inconclusive/)
    expect(shown).toMatch(/<li>or divide the norms/)
  })

  it('shows models without a trace, without layers, and models that could not be audited', () => {
    const { trace: _, ...untraced } = sampleModel({ layers: [] })
    const report = {
      ...sampleReport([untraced]),
      errors: [{ path: 'b.onnx', code: 'malformed', message: 'is cut' }],
    }
    const shown = renderHtml(report, plain)
    expect(shown).toContain('No layer has constant weights.')
    expect(shown).toContain('<strong>b.onnx</strong><span>: is cut</span>')
    expect(shown).not.toContain('class="graph"')
  })

  it('has an overview of several models', () => {
    const shown = page(traced(), traced({ path: 'other.onnx' }))
    expect(shown).toContain('<a href="#m2">other.onnx</a>')
    expect(shown.match(/<article/g)).toHaveLength(2)
  })

  it('stays within 500 kB for 100 layers, and small for thousands', () => {
    expect(page(deep(100)).length).toBeLessThan(300_000)
    const large = page(deep(3000))
    expect(large.length).toBeLessThan(1_000_000)
    expect(large).toContain('2,500 layers more are in the JSON report')
  })

  it('draws norms that are zero, unknown or beyond the others', () => {
    const spectral = layer(1).spectral
    const none = { lower: null, upper: null, method: 'none', certificate: null, failureProbability: null }
    const layers = [
      layer(1, { spectral: { ...spectral, lower: 0, upper: 0 } }),
      layer(2, { spectral: { ...none, unbounded: true, reason: 'element 3 of the weight is NaN' } }),
      layer(3, { spectral: { ...spectral, lower: 1e-3, upper: 1e300 } }),
    ]
    const shown = page(sampleModel({ layers }))
    expect(shown).toContain('element 3 of the weight is NaN')
    const markup = shown.replace(/<script>[\s\S]*?<\/script>/g, '')
    expect(/NaN%|(?<!value=")Infinity|NaN"|undefined/.exec(markup)?.[0]).toBeUndefined()
  })
})

describe('names from files', () => {
  it.each(hostileNames.map((name) => [JSON.stringify(name).slice(0, 40), name] as const))(
    '%s stays text',
    (_, name) => {
      const text = renderHtml(named(hostileReport(name), name), plain)
      const innocent = renderHtml(named(hostileReport('a'), 'a'), plain)
      const tags = (markup: string) => [...markup.matchAll(/<\/?([a-z][\w-]*)/gi)].map((match) => match[1])
      expect(new Set(tags(text))).toEqual(new Set(tags(innocent)))
      expect(text.match(/<script/g)).toHaveLength(1)
      expect(text.length).toBeLessThan(200_000)
    },
  )
})

describe('explanations', () => {
  it.each(Object.entries(rules).filter(([, { level }]) => level !== 'gate'))('%s has a page', (rule) => {
    expect(explanationOf(rule)).toMatch(/\w/)
  })

  it('are looked for under known rules alone', () => {
    expect(explanationOf('../report')).toBeNull()
  })

  it('become paragraphs, lists and code', () => {
    expect(renderMarkdown('# rule\n\nSay `a<b`, see [page](page.md):\n\n- one\n  more\n- `two`\n')).toBe(
      '<p>Say <code>a&lt;b</code>, see page:</p>\n<ul><li>one more</li><li><code>two</code></li></ul>',
    )
  })
})
