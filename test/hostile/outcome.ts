import { expect } from 'vitest'
import type { Report } from '../../src/audit/report-schema.ts'
import type { Outcome } from './row.ts'

/** What a run over one model came to. */
export interface Audited {
  readonly code: number
  readonly errors: string
  readonly report: Report | null
}

/** Holds a run against what the row says of it. */
export function check(found: Audited, outcome: Outcome): void {
  const { code, errors, report } = found
  if (outcome !== 'audited' && 'oneOf' in outcome) {
    const one = outcome.oneOf.find((each) => each !== 'audited' && 'refused' in each === (code === 2))
    check(found, one ?? outcome.oneOf[0])
    return
  }
  const [model] = report?.models ?? []
  if (outcome !== 'audited' && 'refused' in outcome) {
    expect(errors).toMatch(outcome.says)
    expect(report?.errors.map((error) => error.code)).toEqual([outcome.refused])
    expect(code).toBe(2)
    // one line, that says what, and where
    expect(errors).toMatch(/^lipschitz: [^\n]{10,1100}\n$/)
    expect(errors).toContain('model.onnx')
    expect(errors).not.toMatch(/internal/)
    return
  }
  expect([code, errors]).toEqual([0, ''])
  if (outcome === 'audited') return
  const upper = model.lipschitz.upper.value
  if ('unbounded' in outcome) {
    expect(model.findings.map(({ message }) => message).join('\n')).toMatch(outcome.unbounded)
    expect(upper).toBeNull()
    return
  }
  if ('exponent' in outcome) {
    const { log10 } = model.lipschitz.upper
    expect([upper, log10 && Math.floor(log10 * 10) / 10]).toEqual([null, outcome.exponent])
    return
  }
  if ('finding' in outcome) expect(model.findings.map(({ rule }) => rule)).toContain(outcome.finding)
  if (outcome.bound === undefined) return
  expect(upper).toBeGreaterThanOrEqual(outcome.bound[0])
  expect(upper).toBeLessThanOrEqual(outcome.bound[1])
}
