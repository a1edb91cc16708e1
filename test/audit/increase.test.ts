import { describe, expect, it } from 'vitest'
import { compare } from '../../src/audit/increase.ts'
import { judgeModel } from '../../src/audit/judge.ts'
import type { Layer, ModelReport } from '../../src/audit/report-schema.ts'
import { bound, layer, sampleModel, sampleReport } from '../report/sample.ts'

const slack = { maxIncrease: 5, tolerance: 1e-3 }

/** The sample with its bound, and its first layer's norm, times a factor. */
function scaled(factor: number, sha = 'ff'.repeat(32)): ModelReport {
  const model = sampleModel()
  const { spectral } = model.layers[0]
  const first: Layer = {
    ...model.layers[0],
    weightSha256: sha,
    spectral: { ...spectral, lower: spectral.lower! * factor, upper: spectral.upper! * factor },
  }
  const upper = { ...model.lipschitz.upper, ...bound((500 / 3) * factor) }
  return { ...model, lipschitz: { ...model.lipschitz, upper }, layers: [first, ...model.layers.slice(1)] }
}

const verdicts = (now: ModelReport, before: ModelReport | null, absolute = false) =>
  compare(now, before, now.layers, slack, absolute).gates.map(({ rule, verdict }) => [rule, verdict])

describe('compare', () => {
  it('passes what is equal, and what rose within the limit or the tolerance', () => {
    const passes = [
      ['max-increase', 'pass'],
      ['max-layer-increase', 'pass'],
    ]
    expect(verdicts(sampleModel(), sampleModel())).toEqual(passes)
    expect(verdicts(scaled(1.05), sampleModel())).toEqual(passes)
    expect(verdicts(scaled(1.0509), sampleModel())).toEqual(passes)
    expect(verdicts(scaled(0.5), sampleModel())).toEqual(passes)
  })

  it('tells a proven rise from one that may be', () => {
    expect(verdicts(scaled(1.2), sampleModel())).toEqual([
      ['max-increase', 'inconclusive'],
      ['max-layer-increase', 'fail'],
    ])
    const proven = scaled(1.2)
    const lower = { value: 190, log10: Math.log10(190), method: 'jacobian' }
    const [gate] = compare(
      { ...proven, lipschitz: { ...proven.lipschitz, lower } },
      sampleModel(),
      [],
      slack,
      false,
    ).gates
    expect(gate).toMatchObject({ verdict: 'fail', baseline: 500 / 3 })
    expect(gate.limit).toBeCloseTo((500 / 3) * 1.05 * 1.001, 6)
  })

  it('names the layers that rose, the worst first', () => {
    const { gates } = compare(scaled(1.2), sampleModel(), scaled(1.2).layers, slack, false)
    expect(gates[1]).toMatchObject({
      node: '/layers/layers.0/Gemm',
      layers: ['/layers/layers.0/Gemm'],
      baseline: 10,
    })
  })

  it('takes a layer with the weights of the baseline as it was, unless its input has another size', () => {
    const same = scaled(1.2, 'ab'.repeat(32))
    expect(verdicts(same, sampleModel())[1]).toEqual(['max-layer-increase', 'pass'])
    const [first, ...rest] = same.layers
    const resized = { ...same, layers: [{ ...first, inputShape: [1, 100] }, ...rest] }
    expect(verdicts(resized, sampleModel())[1]).toEqual(['max-layer-increase', 'fail'])
  })

  it('knows a layer by node, operator and role, not by its count or its place', () => {
    const before = sampleModel()
    const now = { ...before, layers: [layer(1, { node: 'new' }), ...before.layers.slice(1).toReversed()] }
    const { gates, findings } = compare(now, before, now.layers, slack, false)
    expect(gates[1].verdict).toBe('pass')
    expect(findings.map(({ rule, node }) => [rule, node])).toEqual([
      ['new-layers', 'new'],
      ['vanished-layers', '/layers/layers.0/Gemm'],
    ])
  })

  it('says that a bound fell', () => {
    const { findings } = compare(scaled(0.5), sampleModel(), [], slack, false)
    expect(findings).toMatchObject([
      { rule: 'improved-bound', message: 'the bound is 83.333, in the baseline it was 166.67' },
    ])
  })

  it('leaves a model that the baseline does not hold to the absolute gate, and without one to nobody', () => {
    expect(verdicts(sampleModel(), null, true)).toEqual([])
    expect(verdicts(sampleModel(), null, false)).toEqual([['max-increase', 'inconclusive']])
    expect(compare(sampleModel(), null, [], slack, true).findings[0].rule).toBe('not-in-baseline')
  })

  it('compares answers to the same question alone', () => {
    const [input] = sampleModel().inputs
    const box = (input: string, hi: number) => ({ kind: 'box' as const, ranges: [{ input, lo: 0, hi }] })
    const others: Partial<ModelReport>[] = [
      { norm: 'linf' },
      { domain: box('x', 1) },
      { inputs: [{ ...input, audited: false }] },
      { outputs: [{ name: 'y', shape: [1, 10], dtype: 'float32', lipschitz: null }] },
    ]
    for (const other of others) {
      expect(verdicts(sampleModel(other), sampleModel(), true)).toEqual([['max-increase', 'inconclusive']])
      expect(verdicts(sampleModel(other), sampleModel(other))[0]).toEqual(['max-increase', 'pass'])
    }
    const within = [box('hidden', 1), box('hidden', 2)].map((domain) => sampleModel({ domain }))
    expect(verdicts(within[0], within[1])[0]).toEqual(['max-increase', 'pass'])
  })

  it('compares bounds beyond float64 by their logarithms', () => {
    const huge = (log10: number): ModelReport => {
      const upper = { ...bound(1), value: null, log10 }
      return sampleModel({ lipschitz: { upper, lower: null, offset: 0, ladder: [] } })
    }
    expect(verdicts(huge(400.01), huge(400))[0][1]).toBe('pass')
    expect(verdicts(huge(400.1), huge(400))[0][1]).toBe('inconclusive')
    expect(verdicts(huge(400), sampleModel())[0][1]).toBe('inconclusive')
    expect(verdicts(sampleModel(), huge(400))[0][1]).toBe('pass')
  })

  it('never passes what is not bounded, and passes the first bound there is', () => {
    const upper = { ...bound(1), value: null, log10: null, unbounded: true as const, reason: 'Exp grows' }
    const none = sampleModel({ lipschitz: { upper, lower: null, offset: null, ladder: [] } })
    expect(verdicts(none, sampleModel())[0][1]).toBe('inconclusive')
    expect(verdicts(none, none)[0][1]).toBe('inconclusive')
    expect(verdicts(sampleModel(), none)[0][1]).toBe('pass')
  })

  it('judges values of zero, whose percentages are nothing', () => {
    const zero = scaled(0)
    expect(verdicts(zero, zero).map(([, verdict]) => verdict)).toEqual(['pass', 'pass'])
    expect(verdicts(scaled(1e-3), zero)[0][1]).toBe('inconclusive')
  })
})

describe('judgeModel, against a baseline', () => {
  it('leaves out the layers that are ignored', () => {
    const ignores = [
      { rule: 'max-layer-increase', matchesNode: (node: string) => node.includes('.0'), reason: 'r' },
    ]
    const demands = { baseline: { report: sampleReport() }, tolerance: 1e-3 }
    const verdict = (extra: object) =>
      judgeModel(scaled(1.2), { ...demands, ...extra }, []).gates.find(
        ({ rule }) => rule === 'max-layer-increase',
      )?.verdict
    expect(verdict({})).toBe('fail')
    expect(verdict({ ignores })).toBe('pass')
  })
})
