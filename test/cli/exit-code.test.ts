import { describe, expect, it } from 'vitest'
import type { Gate } from '../../src/audit/report-schema.ts'
import { exitCodeOf } from '../../src/cli/exit-code.ts'
import { sampleModel, sampleReport } from '../report/sample.ts'

const gate = (verdict: Gate['verdict']): Gate => ({
  rule: 'max-lipschitz',
  limit: 1,
  lower: null,
  upper: null,
  verdict,
})
const reportOf = (...verdicts: Gate['verdict'][]) =>
  sampleReport(verdicts.map((verdict) => sampleModel({ gates: [gate(verdict)] })))
const broken = { path: 'x.onnx', code: 'not-onnx', message: 'no ONNX model' }

describe('exitCodeOf', () => {
  it('is 0 without gates and when every gate is met', () => {
    expect(exitCodeOf(sampleReport(), {})).toBe(0)
    expect(exitCodeOf(reportOf('pass', 'pass'), {})).toBe(0)
  })

  it('is 1 when a gate fails or is inconclusive', () => {
    expect(exitCodeOf(reportOf('pass', 'fail'), {})).toBe(1)
    expect(exitCodeOf(reportOf('inconclusive', 'pass'), {})).toBe(1)
  })

  it('lets inconclusive gates pass with a warning when asked, never failed ones', () => {
    expect(exitCodeOf(reportOf('inconclusive'), { inconclusive: 'warn' })).toBe(0)
    expect(exitCodeOf(reportOf('inconclusive', 'fail'), { inconclusive: 'warn' })).toBe(1)
  })

  it('is 2 when a model could not be audited, whatever else', () => {
    expect(exitCodeOf({ ...reportOf('fail'), errors: [broken] }, {})).toBe(2)
    expect(exitCodeOf({ ...reportOf('pass'), errors: [broken] }, { exitCode: false })).toBe(2)
  })

  it('is 0 for gates under --no-exit-code', () => {
    expect(exitCodeOf(reportOf('fail'), { exitCode: false })).toBe(0)
  })
})
