import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { auditOptions } from '../../src/cli/options.ts'
import { renderCsv } from '../../src/report/csv.ts'
import { renderOpenmetrics } from '../../src/report/openmetrics/openmetrics.ts'
import { formatNames } from '../../src/report/renderer.ts'
import { sortKeys } from '../../src/report/sort.ts'
import { plain, sampleReport } from '../report/sample.ts'

const page = (name: string) => readFileSync(resolve(import.meta.dirname, '../../docs', name), 'utf8')

describe('the page of audit', () => {
  const text = page('commands/audit.md').replaceAll('\\|', '|')
  const documented = [...text.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1])

  it('has every option, and no other', () => {
    const flags: string[] = Object.values(auditOptions).map((option) => option.flags)
    expect(documented.filter((term) => term.startsWith('-')).toSorted()).toEqual(flags.toSorted())
  })

  it('has every key of --sort', () => {
    for (const key of Object.keys(sortKeys)) expect(text).toContain(`\`${key}\``)
  })
})

describe('the pages of formats', () => {
  it('list every format', () => {
    const text = page('formats/README.md')
    for (const name of formatNames) expect(text).toMatch(new RegExp(`^\\| \\[?\`${name}\``, 'm'))
  })

  it('name every gauge of openmetrics and every column of csv', () => {
    const csv = renderCsv(sampleReport([])).trimEnd().split(',')
    for (const column of csv) expect(page('formats/csv.md')).toContain(`\`${column}\``)
    const gauges = renderOpenmetrics(sampleReport(), plain).matchAll(/^# TYPE (\w+)/gm)
    for (const [, name] of gauges) expect(page('formats/openmetrics.md')).toContain(`\`${name}\``)
  })
})

describe('the page of the report', () => {
  it('names every key of the schema', () => {
    const schema = JSON.parse(
      readFileSync(resolve(import.meta.dirname, '../../schema/report-v1.json'), 'utf8'),
    )
    const text = page('report.md')
    const objects = [schema, ...Object.values(schema.$defs)] as { properties?: object }[]
    const keys = new Set(objects.flatMap(({ properties }) => Object.keys(properties ?? {})))
    expect(keys.size).toBeGreaterThan(40)
    expect([...keys].filter((key) => !new RegExp(`\\b${key.replace('$', '')}\\b`).test(text))).toEqual([])
  })
})
