import { describe, expect, it } from 'vitest'
import type { Ignore } from '../../src/audit/ignore.ts'
import { judgeModel } from '../../src/audit/judge.ts'
import { sampleModel } from '../report/sample.ts'

const finding = {
  rule: 'wide-enclosure',
  level: 'warning',
  message: 'wide',
  node: '/layers/layers.1/Gemm',
} as const
const model = sampleModel({ findings: [finding] })
const first = (node: string) => node.startsWith('/layers/layers.0')
const judge = (...ignores: Ignore[]) => judgeModel(model, { maxLipschitz: 100, maxLayer: 7, ignores }, [])

describe('ignores', () => {
  it('are none by default', () => {
    const { verdict, gates } = judge()
    expect([verdict, ...gates.map((gate) => gate.verdict)]).toEqual(['fail', 'inconclusive', 'fail'])
  })

  it('keep a gate as it is judged, with the reason, and out of the verdict', () => {
    const { verdict, gates } = judge(
      { rule: 'max-layer', reason: 'known', until: '2999-01-01' },
      { rule: 'max-lipschitz', reason: 'known too' },
    )
    expect(verdict).toBe('none')
    expect(gates).toMatchObject([
      { verdict: 'inconclusive', ignored: { reason: 'known too' } },
      { verdict: 'fail', ignored: { reason: 'known', until: '2999-01-01' } },
    ])
  })

  it('leave layers out of a gate of layers, and say so', () => {
    const { gates, findings } = judge({ rule: 'max-layer', matchesNode: first, reason: 'rescaled' })
    expect(gates[1]).toMatchObject({ rule: 'max-layer', verdict: 'pass', upper: 5 })
    expect(findings.find(({ rule }) => rule === 'ignored-layers')).toMatchObject({
      level: 'note',
      node: '/layers/layers.0/Gemm',
      message: 'max-layer leaves out layers: rescaled',
    })
  })

  it('with a node do not ignore the gate on the whole network', () => {
    const { gates } = judge({ rule: 'max-lipschitz', matchesNode: () => true, reason: 'r' })
    expect(gates[0].ignored).toBeUndefined()
  })

  it('mark findings by rule and node', () => {
    const marked = (ignore: Ignore) =>
      judge(ignore).findings.find(({ rule }) => rule === 'wide-enclosure')?.ignored
    expect(marked({ rule: 'wide-enclosure', reason: 'fine' })).toEqual({ reason: 'fine' })
    expect(marked({ rule: 'wide-enclosure', matchesNode: first, reason: 'fine' })).toBeUndefined()
    expect(marked({ rule: 'any-size', reason: 'fine' })).toBeUndefined()
  })

  it('have no effect after their date, and say so', () => {
    const { verdict, findings } = judge({
      rule: 'max-layer',
      reason: 'r',
      until: '2020-01-01',
      expired: true,
    })
    expect(verdict).toBe('fail')
    expect(findings.at(-1)).toMatchObject({
      rule: 'expired-ignore',
      level: 'warning',
      message: 'the ignore of max-layer has ended on 2020-01-01: r',
    })
  })
})
