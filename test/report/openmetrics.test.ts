import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import type { Report } from '../../src/audit/report-schema.ts'
import { renderOpenmetrics } from '../../src/report/openmetrics/openmetrics.ts'
import { hostileNames, hostileReport } from './hostile.ts'
import { layer, plain, sampleModel, sampleReport } from './sample.ts'

const promtool = spawnSync('promtool', ['--version']).status === 0
const render = (report: Report) => renderOpenmetrics(report, plain)
const gates = [
  { rule: 'max-lipschitz', limit: 100, lower: null, upper: 500 / 3, verdict: 'inconclusive' },
] as const
const report: Report = {
  ...sampleReport([sampleModel({ gates: [...gates] }), sampleModel({ path: 'b.onnx' })]),
  errors: [{ path: 'c.onnx', code: 'malformed', message: 'cut' }],
}

/** Name and labels of every sample. */
const series = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.replace(/ \S+$/, ''))

describe('openmetrics', () => {
  it('has gauges of models, layers and gates', () => {
    const text = render(report)
    expect(text).toContain('\nlipschitz_bound{model="net.onnx",norm="l2",kind="upper"} 166.66666666666666\n')
    expect(text).toContain('\nlipschitz_ladder{model="b.onnx",norm="l2",method="frobenius-product"} 1333.3')
    expect(text).toContain(
      '\nlipschitz_layer_norm{model="net.onnx",layer="/layers/layers.0/Gemm",op="Gemm",kind="upper"} 10\n',
    )
    expect(text).toContain('\nlipschitz_gate_limit{model="net.onnx",rule="max-lipschitz"} 100\n')
    expect(text).toContain('verdict="inconclusive"} 1\n')
    expect(text).toContain('\nlipschitz_model_error{model="c.onnx",code="malformed"} 1\n')
    expect(text).toMatch(/\n# EOF\n$/)
  })

  it('says +Inf where nothing is proven', () => {
    const { lipschitz } = sampleModel()
    const upper = { ...lipschitz.upper, value: null, log10: null, unbounded: true as const }
    const text = render(sampleReport([sampleModel({ lipschitz: { ...lipschitz, upper } })]))
    expect(text).toContain('kind="upper"} +Inf\n')
    expect(text).not.toContain('lipschitz_bound_log10')
  })

  it('never writes a series twice', () => {
    const twins = sampleModel({ layers: [layer(1, { node: 'x' }), layer(2, { node: 'x' })] })
    const text = series(render(sampleReport([twins, twins])))
    expect(new Set(text).size).toBe(text.length)
    expect(text.some((line) => line.includes('layer="x#2"'))).toBe(true)
  })

  it.each(hostileNames)('holds %j in a label', (name) => {
    const lines = render(hostileReport(name)).trimEnd().split('\n')
    for (const line of lines) {
      expect(line).toMatch(
        /^(# (HELP|TYPE) lipschitz_\w+ .+|# EOF|lipschitz_\w+(\{(\w+="([^"\\]|\\[\\"n])*",?)*\})? \S+)$/,
      )
    }
  })
})

describe.skipIf(!promtool)('openmetrics, checked by promtool', () => {
  const check = (text: string) => {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input: text,
      encoding: 'utf8',
    })
    return { status, said: stdout + stderr }
  }

  it('is accepted without a word', () => {
    expect(check(render(report))).toEqual({ status: 0, said: '' })
    expect(check(render(sampleReport([])))).toEqual({ status: 0, said: '' })
  })

  it('is accepted with hostile names', () => {
    for (const name of hostileNames)
      expect(check(render(hostileReport(name)))).toEqual({ status: 0, said: '' })
  })

  it('would not be with a mistake', () => {
    expect(check('lipschitz_bound{model="x} 1\n').status).not.toBe(0)
  })
})
