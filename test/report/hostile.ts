import type { ModelReport, Report } from '../../src/audit/report-schema.ts'
import { layer, sampleModel, sampleReport } from './sample.ts'

/** Names that do something where they are pasted into a terminal, a page, a sheet, a log or a query as they are. */
export const hostileNames: readonly string[] = [
  'line\nbreak\rand\ttab',
  '\x1b[31mred\x1b[0m\x07',
  '\x9b31m\x85next',
  '\u202egnp.exe\u2066\u200b',
  '\u2028line\u2029paragraph',
  '\ud800lone',
  '</script><script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  ']]>&amp;<!--',
  "=cmd()|' /C calc'!A0",
  '+1+1',
  '-2+3',
  '@SUM(A1)',
  '  =1+1',
  '::error::injected',
  '\n::error::injected on a line',
  '%0A::error::encoded',
  'a|b|`c`|*d*|_e_|[f](g)',
  '![x](http://evil.example/y.png) www.evil.example',
  '"quoted", \'both\'',
  'back\\slash{curly="x"}',
  '# HELP fake\nfake 1',
  '',
  `long${'x'.repeat(1_000_000)}`,
]

function hostileModel(name: string): ModelReport {
  const first = layer(1, { node: name, op: name, weight: name })
  return sampleModel({
    path: name,
    verdict: 'fail',
    producer: name,
    opsets: { '': 17, [name]: 1 },
    inputs: [{ name, shape: null, dtype: 'float32', audited: true }],
    outputs: [{ name, shape: [1], dtype: 'float32', lipschitz: null }],
    layers: [first, layer(2, { node: name, role: name })],
    findings: (['error', 'warning', 'note'] as const).map((level) => ({
      rule: name,
      level,
      message: `says ${name}`,
      node: name,
      tensor: name,
      op: name,
      hint: name,
    })),
    gates: [
      {
        rule: 'max-lipschitz',
        limit: 1,
        lower: null,
        upper: 500 / 3,
        verdict: 'inconclusive',
        layers: [name],
      },
      { rule: 'max-layer', limit: 1, lower: 9, upper: 10, verdict: 'fail', node: name, layers: [name] },
      {
        rule: name,
        limit: 1,
        lower: null,
        upper: null,
        verdict: 'inconclusive',
        unbounded: true,
        reason: name,
        node: name,
        ignored: { reason: name },
      },
    ],
  })
}

/** A report in which every text that can come from a file is this name. */
export function hostileReport(name: string): Report {
  return {
    ...sampleReport([hostileModel(name)]),
    verdict: 'fail',
    errors: [{ path: name, code: 'malformed', message: name, node: name, tensor: name, hint: name }],
  }
}

/** What may never reach a terminal or a log: controls but line ends, direction marks, invisible characters. */
export const unprintable = /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u
