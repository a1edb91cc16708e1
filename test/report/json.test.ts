import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Report } from '../../src/audit/report-schema.ts'
import { renderJson } from '../../src/report/json.ts'
import { layer, sampleModel, sampleReport } from './sample.ts'

describe('renderJson', () => {
  it('is exactly the report', () => {
    const report = sampleReport()
    expect(JSON.parse(renderJson(report))).toEqual(report)
    expect(Report.parse(JSON.parse(renderJson(report)))).toEqual(report)
  })

  it('writes any value as JSON.stringify would, but for white space', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = renderJson({ value } as never)
        expect(JSON.stringify(JSON.parse(text))).toBe(JSON.stringify({ value }))
      }),
    )
  })

  it('leaves members without a value out', () => {
    expect(renderJson({ a: undefined, b: [1, 2] } as never)).toBe('{ "b": [1, 2] }\n')
  })

  it('keeps what fits on a line on one line, and no line long', () => {
    const text = renderJson(
      sampleReport([sampleModel({ layers: Array.from({ length: 50 }, (_, i) => layer(i + 1)) })]),
    )
    expect(text).toContain('"frobenius": { "weight": 20, "operator": 20 },\n')
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(180)
  })
})
