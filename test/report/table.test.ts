import { describe, expect, it } from 'vitest'
import type { ModelReport } from '../../src/audit/report-schema.ts'
import type { RenderOptions } from '../../src/report/renderer.ts'
import { renderTable } from '../../src/report/table/table.ts'
import { displayWidth } from '../../src/report/text.ts'
import { bound, layer, plain, sampleModel, sampleReport } from './sample.ts'

const show = (model: Partial<ModelReport> = {}, options: Partial<RenderOptions> = {}) =>
  renderTable(sampleReport([sampleModel(model)]), { ...plain, ...options })

const refused = {
  upper: {
    value: null,
    log10: null,
    method: 'graph',
    certificate: null,
    failureProbability: null,
    unbounded: true as const,
    reason: 'multiplies two tensors that depend on the input',
    node: '/attention/MatMul_1',
    op: 'MatMul',
  },
  lower: null,
  offset: null,
  ladder: [],
}

describe('the table of a report', () => {
  it('says what the file is, the layers, the bounds', () => {
    const text = show()
    expect(text).toMatch(
      /^net\.onnx\nopset 17 · IR 8 · 602,112 parameters · pytorch 2\.1\.0\nx 1×784 float32 → y 1×10 float32\n/,
    )
    expect(text).toMatch(
      /^1 +\/layers\/layers\.0\/Gemm +Gemm +256×784 .*\[9\.9990, 10\].* 50\.0 % {2}████████$/m,
    )
    expect(text).toMatch(/^ +total of 3 layers .* 166\.67 .* 100\.0 %$/m)
    expect(text).toMatch(/^ +Frobenius product +≤ 1333\.4$/m)
    expect(text).toMatch(/^ +spectral product +≤ 166\.67 {2}8\.00× tighter$/m)
    expect(text).toMatch(/proven, except with probability 1e-10 over the seeded start/)
  })

  it.each([60, 80, 100, 120, 160, 200])(
    'keeps the table within %d columns and the essential columns in it',
    (width) => {
      const long = layer(1, { node: `/model${'/very/long/name'.repeat(10)}/Conv` })
      const lines = show({ layers: [long, layer(2), layer(3)] }, { width }).split('\n')
      const table = lines.slice(
        lines.findIndex((line) => line.startsWith('─')) - 1,
        lines.findLastIndex((line) => line.startsWith('─')),
      )
      for (const line of table) expect(displayWidth(line)).toBeLessThanOrEqual(width)
      expect(table[0]).toMatch(/# +layer .*‖A‖₂.*share/)
      expect(table[2]).toContain('…')
    },
  )

  it('shows both Frobenius norms, the enclosure, stable rank, gain and elasticity at 120 columns', () => {
    const head = show()
      .split('\n')
      .find((line) => line.startsWith('#'))
    expect(head?.trim().split(/ {2,}/)).toEqual([
      '#',
      'layer',
      'op',
      'weight',
      '‖W‖F',
      '‖A‖F',
      '‖A‖₂',
      'st.rank',
      'gain',
      'elast.',
      'share',
    ])
  })

  it('shows the top layers and sums up the rest', () => {
    const text = show({}, { top: 1 })
    expect(text).not.toContain('layers.1/Gemm')
    expect(text).toMatch(/… 2 more layers +41\.7 %/)
  })

  it('sorts by what is asked for and keeps the ranks', () => {
    const ranks = [...show({}, { sort: 'order' }).matchAll(/^(\d) +\/layers/gm)].map((match) => match[1])
    expect(ranks).toEqual(['1', '2', '3'])
    const byGain = show({ layers: [layer(1, { gain: 1 }), layer(2)] }, { sort: 'gain' })
    expect([...byGain.matchAll(/^(\d) +\/layers/gm)].map((match) => match[1])).toEqual(['2', '1'])
  })

  it('has no colour unless asked, and the same text with it', () => {
    const model = {
      gates: [{ rule: 'max-lipschitz', limit: 1, lower: 2, upper: 500 / 3, verdict: 'fail' as const }],
    }
    const coloured = show(model, { colour: true })
    expect(show(model)).not.toContain('\x1b')
    expect(coloured).toContain('\x1b[')
    expect(coloured.replace(/\x1b\[[\d;]*m/g, '').replace(/ +$/gm, '')).toBe(show(model).replace(/ +$/gm, ''))
  })

  it('escapes everything that comes from the file', () => {
    const evil = '\x1b[2J\u202e\n'
    const text = show({
      path: evil,
      producer: evil,
      opsets: { [evil]: 1 },
      inputs: [{ name: evil, shape: [1], dtype: 'float32' }],
      layers: [layer(1, { node: evil, weight: evil, op: evil, role: evil })],
      findings: [{ rule: evil, level: 'error', message: evil, node: evil, hint: evil }],
      gates: [
        {
          rule: evil,
          limit: 1,
          lower: null,
          upper: null,
          verdict: 'inconclusive',
          reason: evil,
          layers: [evil],
        },
      ],
      lipschitz: {
        ...refused,
        upper: { ...refused.upper, node: evil, op: evil, reason: evil, method: evil },
      },
    })
    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/)
    expect(text).toContain('\\x1b[2J\\u{202e}\\n')
  })

  it('says where and why there is no certificate', () => {
    expect(show({ lipschitz: refused })).toMatch(
      /^ {2}graph {2}none {2}MatMul multiplies two tensors that depend on the input \(\/attention\/MatMul_1\)$/m,
    )
  })

  it('shows the lower bound, the slack and the offset', () => {
    const lipschitz = {
      ...sampleModel().lipschitz,
      lower: { value: 25, log10: Math.log10(25), method: 'jacobian' },
      offset: 0.5,
    }
    const text = show({ lipschitz })
    expect(text).toMatch(/lower \(Jacobian\) +≥ 25 {2}the upper bound is at most 6\.67× too large/)
    expect(text).toMatch(/offset +\+ 0\.50000/)
  })

  it('prints bounds beyond float64', () => {
    const upper = { ...bound(1), value: null, log10: 400.25 }
    expect(show({ lipschitz: { upper, lower: null, offset: 0, ladder: [upper] } })).toContain('≤ 1.78e400')
  })

  it('lists outputs one by one where there are several', () => {
    const [output] = sampleModel().outputs
    const text = show({ outputs: [output, { ...output, name: 'z', lipschitz: refused }] })
    expect(text).toMatch(/output y +≤ 166\.67\n +output z +none +MatMul multiplies/)
  })

  it('says that there is no layer', () => {
    expect(show({ layers: [] })).toContain('no layers with constant weights')
  })
})

describe('gates in the table', () => {
  const gate = { rule: 'max-lipschitz', limit: 100, lower: null, upper: 500 / 3 }

  it('marks the three verdicts with words, not only colours', () => {
    const gates = [
      { ...gate, verdict: 'inconclusive' as const },
      { ...gate, limit: 200, verdict: 'pass' as const },
      { ...gate, limit: 2, lower: 20, verdict: 'fail' as const },
    ]
    const text = show({ gates })
    expect(text).toMatch(
      /^ {2}\? +Lipschitz constant ≤ 100: not proven: the bound is 166\.67, 1\.67× the limit/m,
    )
    expect(text).toMatch(/^ {2}ok +Lipschitz constant ≤ 200: proven ≤ 166\.67$/m)
    expect(text).toMatch(/^ {2}FAIL +Lipschitz constant ≤ 2: at least 20, 10\.0× the limit$/m)
  })

  it('says which layers to blame and what would help', () => {
    const text = show({ gates: [{ ...gate, verdict: 'inconclusive' }] })
    expect(text).toContain('most sensitive: /layers/layers.0/Gemm (50.0 %)')
    expect(text).toContain('bringing its norm to 1 would put the bound near 16.667')
    expect(text).toMatch(/divide the norms of all 3 layers on the way by 1\.186/)
  })

  it('marks the rows of layers beyond the limit', () => {
    const text = show({
      gates: [
        {
          rule: 'max-layer',
          limit: 4,
          lower: 9.999,
          upper: 10,
          verdict: 'fail',
          layers: ['/layers/layers.0/Gemm', '/layers/layers.1/Gemm'],
        },
      ],
    })
    expect(text).toMatch(/\[9\.9990, 10\] ! /)
    expect(text).not.toMatch(/\[3\.3330, 3\.3334\] [!?]/)
    expect(text).toContain('2 layers: /layers/layers.0/Gemm, /layers/layers.1/Gemm')
  })

  it('tells an unbounded model from a high bound', () => {
    const text = show({
      lipschitz: refused,
      gates: [{ ...gate, upper: null, verdict: 'inconclusive', unbounded: true, reason: 'multiplies' }],
    })
    expect(text).toContain('Lipschitz constant ≤ 100: not proven: MatMul multiplies two tensors')
  })
})

describe('findings in the table', () => {
  const finding = { rule: 'no-bound', level: 'warning' as const, message: 'Softmax has no rule' }
  const many = Array.from({ length: 9 }, (_, i) => ({ ...finding, node: `n${i}` }))

  it('joins findings that say the same, worst first', () => {
    const text = show({ findings: [{ rule: 'batch', level: 'note', message: 'batch is 1' }, ...many] })
    expect(text).toMatch(/warning {2}no-bound {2}Softmax has no rule \(n0, n1, n2, n3 and 5 more\)\n {2}note/)
  })

  it('names every node when verbose', () => {
    expect(show({ findings: many }, { verbosity: 'verbose' })).toContain('n7, n8)')
  })
})

describe('several models', () => {
  it('end with one line each', () => {
    const report = sampleReport([
      sampleModel({ verdict: 'pass' }),
      sampleModel({ path: 'vit.onnx', lipschitz: refused, verdict: 'inconclusive' }),
    ])
    expect(renderTable(report, plain)).toMatch(
      /2 models\nok +net\.onnx +≤ 166\.67 \(graph\)\n\? +vit\.onnx +no certificate: MatMul/,
    )
  })

  it('are one line each when quiet', () => {
    expect(
      renderTable(sampleReport([sampleModel({ verdict: 'pass' })]), { ...plain, verbosity: 'quiet' }),
    ).toBe('ok   net.onnx  ≤ 166.67 (graph)\n')
  })
})
