import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { renderJunit } from '../../src/report/junit.ts'
import { hostileNames, hostileReport } from './hostile.ts'
import { plain, sampleModel, sampleReport } from './sample.ts'

const hasXmllint = spawnSync('xmllint', ['--version']).status === 0
const folder = mkdtempSync(join(tmpdir(), 'lipschitz-'))

function xpath(xml: string, expression: string): string {
  const file = join(folder, 'report.xml')
  writeFileSync(file, xml)
  return execFileSync('xmllint', ['--huge', '--xpath', `string(${expression})`, file], {
    encoding: 'utf8',
  }).replace(/\n$/, '')
}

function validate(xml: string): void {
  const file = join(folder, 'report.xml')
  writeFileSync(file, xml)
  const schema = resolve(import.meta.dirname, 'junit.xsd')
  const { status, stderr } = spawnSync('xmllint', ['--huge', '--noout', '--schema', schema, file], {
    encoding: 'utf8',
  })
  expect(status === 0 ? '' : stderr).toBe('')
}

const gates = [
  { rule: 'max-lipschitz', limit: 100, lower: null, upper: 500 / 3, verdict: 'inconclusive' },
  { rule: 'max-layer', limit: 100, lower: 9, upper: 10, verdict: 'pass' },
] as const
const report = {
  ...sampleReport([sampleModel({ gates: [...gates] })]),
  errors: [{ path: 'b.onnx', code: 'malformed', message: 'cut short' }],
}

describe('junit', () => {
  it('has a suite per model and a case per gate', () => {
    const xml = renderJunit(report, plain)
    expect(xml).toContain('<testsuites name="lipschitz" tests="4" failures="1" errors="1">')
    expect(xml).toContain('<testsuite name="net.onnx" tests="3" failures="1" errors="0" skipped="0">')
    expect(xml).toMatch(
      /<testcase name="max-lipschitz" classname="net.onnx"><failure type="max-lipschitz" message="Lipschitz constant ≤ 100: not proven[^"]*">[^<]*most sensitive/,
    )
    expect(xml).toContain('<error type="audit" message="malformed: cut short">')
  })

  it('skips what is inconclusive where that is accepted', () => {
    const xml = renderJunit(report, { ...plain, inconclusive: 'warn' })
    expect(xml).toContain('failures="0" errors="0" skipped="1"')
  })
})

describe.skipIf(!hasXmllint)('junit, read by another reader', () => {
  it('is as the schema says', () => validate(renderJunit(report, plain)))

  it.each(hostileNames)('is as the schema says with %j', (name) =>
    validate(renderJunit(hostileReport(name), plain)),
  )

  it('reads back as it was written', () => {
    const named = sampleReport([sampleModel({ path: '<a & "b">\'c\'' })])
    expect(xpath(renderJunit(named, plain), '//testcase/@classname')).toBe('<a & "b">\'c\'')
  })
})
