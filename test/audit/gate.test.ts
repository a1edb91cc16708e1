import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { judge, judgeGates, worstVerdict } from '../../src/audit/gate.ts'
import type { Layer, Lipschitz } from '../../src/audit/report-schema.ts'

const bound = (value: number | null): Lipschitz => ({
  upper: {
    value,
    log10: value === null ? null : Math.log10(value),
    method: 'graph',
    certificate: value === null ? null : 'deterministic',
    failureProbability: 0,
    ...(value === null ? { unbounded: true as const, reason: 'Exp has no bound' } : {}),
  },
  lower: null,
  offset: 0,
  ladder: [],
})

const layer = (node: string, lower: number | null, upper: number | null, kind: Layer['kind'] = 'dense') =>
  ({
    node,
    role: '',
    kind,
    share: 0.5,
    spectral: { lower, upper, ...(upper === null ? { unbounded: true } : {}) },
  }) as Layer

describe('judge', () => {
  it('passes exactly when the upper bound is within the limit', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, noNaN: true }),
        fc.double({ min: 0, noNaN: true }),
        fc.double({ min: 0, noNaN: true }),
        (a, b, limit) => {
          const [lower, upper] = [Math.min(a, b), Math.max(a, b)]
          const expected = upper <= limit ? 'pass' : lower > limit ? 'fail' : 'inconclusive'
          expect(judge(lower, upper, limit)).toBe(expected)
        },
      ),
    )
  })

  it('never passes the unknown', () => {
    expect(judge(null, null, Number.MAX_VALUE)).toBe('inconclusive')
    expect(judge(0, Number.NaN, 1)).toBe('inconclusive')
    expect(judge(3, null, 2)).toBe('fail')
  })
})

describe('gates', () => {
  it('judges the network by its upper bound and names the layers that drive it', () => {
    const [gate] = judgeGates({ maxLipschitz: 10 }, bound(20), [layer('fc1', 4, 4.1)])
    expect(gate).toMatchObject({ rule: 'max-lipschitz', verdict: 'inconclusive', upper: 20, layers: ['fc1'] })
    expect(judgeGates({ maxLipschitz: 20 }, bound(20), [])[0].verdict).toBe('pass')
  })

  it('is inconclusive without a certificate and says why', () => {
    const [gate] = judgeGates({ maxLipschitz: 10 }, bound(null), [])
    expect(gate).toMatchObject({
      verdict: 'inconclusive',
      upper: null,
      unbounded: true,
      reason: 'Exp has no bound',
    })
  })

  it('judges layers by the worst of them, embeddings left out', () => {
    const layers = [
      layer('fc1', 2, 2.1),
      layer('fc2', 2.9, 3.1),
      layer('fc3', 5, 5.1),
      layer('table', 90, 90, 'embedding'),
    ]
    const gate = (maxLayer: number) => judgeGates({ maxLayer }, bound(1), layers)[0]
    expect(gate(6)).toMatchObject({ verdict: 'pass', node: 'fc3' })
    expect(gate(5.05)).toMatchObject({ verdict: 'inconclusive', node: 'fc3', layers: ['fc3'] })
    expect(gate(3)).toMatchObject({ verdict: 'fail', node: 'fc3', lower: 5, layers: ['fc3', 'fc2'] })
  })

  it('does not pass a layer that has no enclosure', () => {
    const [gate] = judgeGates({ maxLayer: 100 }, bound(1), [
      layer('fc1', 2, 2.1),
      layer('broken', null, null),
    ])
    expect(gate).toMatchObject({ verdict: 'inconclusive', node: 'broken', upper: null })
  })
})

describe('worstVerdict', () => {
  it('orders fail, inconclusive, pass, none', () => {
    expect(worstVerdict([])).toBe('none')
    expect(worstVerdict(['none', 'pass'])).toBe('pass')
    expect(worstVerdict(['pass', 'fail', 'inconclusive'])).toBe('fail')
  })
})
