import { describe, expect, it } from 'vitest'
import type { Finding } from '../../src/audit/report-schema.ts'
import { renderGithub } from '../../src/report/github.ts'
import { hostileNames, hostileReport } from './hostile.ts'
import { plain, sampleModel, sampleReport } from './sample.ts'

const gate = {
  rule: 'max-lipschitz',
  limit: 100,
  lower: null,
  upper: 500 / 3,
  verdict: 'inconclusive',
} as const

describe('annotations', () => {
  it('are one command per broken gate, error and warning', () => {
    const unbounded: Finding = { rule: 'unbounded-op', level: 'error', message: 'Exp grows', node: 'a, b' }
    const model = sampleModel({
      gates: [gate, { ...gate, limit: 1000, verdict: 'pass' }],
      findings: [
        unbounded,
        { ...unbounded, node: 'c' },
        { rule: 'batch-bound', level: 'note', message: 'n' },
      ],
    })
    const lines = renderGithub(sampleReport([model]), plain)
      .trimEnd()
      .split('\n')
    expect(lines).toHaveLength(2)
    expect(lines[0]).toMatch(
      /^::error file=net\.onnx,line=1,title=max-lipschitz%3A Lipschitz constant ≤ 100 is not met::not proven: .*%0Amost sensitive: /,
    )
    expect(lines[1]).toBe('::error file=net.onnx,line=1,title=unbounded-op::Exp grows (a, b, c)')
  })

  it('warn of what is inconclusive where that is accepted, and leave out what is ignored', () => {
    const report = sampleReport([sampleModel({ gates: [gate] })])
    expect(renderGithub(report, { ...plain, inconclusive: 'warn' })).toMatch(/^::warning /)
    const ignored = sampleReport([sampleModel({ gates: [{ ...gate, ignored: { reason: 'known' } }] })])
    expect(renderGithub(ignored, plain)).toBe('')
  })

  it('place models where they are in the checkout', () => {
    const report = sampleReport([sampleModel({ gates: [gate] })])
    expect(renderGithub(report, { ...plain, locate: (path) => `sub, dir/${path}` })).toContain(
      'file=sub%2C dir/net.onnx,',
    )
  })

  it.each(hostileNames)('let %j begin no other command', (name) => {
    const lines = renderGithub(hostileReport(name), plain).trimEnd().split('\n')
    expect(lines).toHaveLength(5)
    for (const line of lines) {
      expect(line).toMatch(/^::(error|warning) file=[^:,]*,line=1,title=[^:,]*::[^\r\n]*$/)
    }
  })
})
