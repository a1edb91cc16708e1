import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import Ajv from 'ajv'
import { describe, expect, it } from 'vitest'
import type { Gate } from '../../src/audit/report-schema.ts'
import { toUri } from '../../src/report/sarif/location.ts'
import { renderSarif } from '../../src/report/sarif/sarif.ts'
import { hostileNames, hostileReport } from './hostile.ts'
import { plain, sampleModel, sampleReport } from './sample.ts'

const { resolve } = createRequire(import.meta.url)
const read = (path: string) => JSON.parse(readFileSync(resolve(path), 'utf8'))
const ajv = new Ajv({ schemaId: 'id', meta: false, unknownFormats: ['uri', 'uri-reference', 'date-time'] })
ajv.addMetaSchema(read('ajv/lib/refs/json-schema-draft-04.json'))
const validate = ajv.compile(read('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json'))

const gates: Gate[] = [
  {
    rule: 'max-layer',
    limit: 5,
    lower: 9.999,
    upper: 10,
    verdict: 'fail',
    node: '/layers/layers.0/Gemm',
    layers: ['/layers/layers.0/Gemm'],
  },
  { rule: 'max-lipschitz', limit: 100, lower: null, upper: 500 / 3, verdict: 'inconclusive' },
  { rule: 'max-lipschitz', limit: 1000, lower: null, upper: 500 / 3, verdict: 'pass' },
]

const model = sampleModel({
  path: 'models/my net.onnx',
  gates,
  findings: [{ rule: 'any-size', level: 'note', message: 'of any size', node: 'Conv_0' }],
})

function render(report = sampleReport([model]), options = plain) {
  const log = JSON.parse(renderSarif(report, options))
  expect(validate(log), JSON.stringify(validate.errors)).toBe(true)
  return log.runs[0]
}

describe('sarif', () => {
  it('is valid against the schema, and a log with a mistake is not', () => {
    expect(validate({ version: '2.1.0', runs: [{ tool: {} }] })).toBe(false)
    render()
  })

  it('has one result for each gate that is not met and each finding', () => {
    const { results } = render()
    expect(results.map(({ ruleId, level }: { ruleId: string; level: string }) => [ruleId, level])).toEqual([
      ['max-layer', 'error'],
      ['max-lipschitz', 'error'],
      ['any-size', 'note'],
    ])
    expect(results[0].message.text).toMatch(
      /at least 9\.9990, 2\.00× the limit\n1 layer: .*\ndividing the weights/,
    )
  })

  it('has what code scanning asks for: a relative URI and a line, fingerprints, rules with help', () => {
    const { results, tool, automationDetails } = render()
    for (const result of results) {
      const [{ physicalLocation }] = result.locations
      expect(physicalLocation).toEqual({
        artifactLocation: { uri: 'models/my%20net.onnx' },
        region: { startLine: 1 },
      })
      expect(result.partialFingerprints.primaryLocationLineHash).toMatch(/^[0-9a-f]{16}:1$/)
      expect(tool.driver.rules[result.ruleIndex].id).toBe(result.ruleId)
    }
    expect(new Set(results.map((result: object) => JSON.stringify(result))).size).toBe(results.length)
    for (const rule of tool.driver.rules) expect(rule.helpUri).toMatch(/^https:.*\.md$/)
    expect(results[0].locations[0].logicalLocations[0].name).toBe('/layers/layers.0/Gemm')
    expect(automationDetails.id).toMatch(/\/$/)
  })

  it('keeps its fingerprints when numbers change', () => {
    const prints = (upper: number) =>
      render(sampleReport([{ ...model, gates: [{ ...gates[1], upper }] }])).results.map(
        (result: { partialFingerprints: object }) => result.partialFingerprints,
      )
    expect(prints(200)).toEqual(prints(300))
  })

  it('warns of what is inconclusive where that is accepted, and suppresses what is ignored', () => {
    const ignored = { ...gates[1], ignored: { reason: 'known' } }
    const { results } = render(sampleReport([{ ...model, findings: [], gates: [ignored] }]), {
      ...plain,
      inconclusive: 'warn',
    })
    expect(results).toMatchObject([
      { level: 'warning', suppressions: [{ kind: 'external', justification: 'known' }] },
    ])
  })

  it('says that the run failed where a model could not be audited', () => {
    const report = { ...sampleReport([]), errors: [{ path: 'b.onnx', code: 'malformed', message: 'cut' }] }
    expect(render(report).invocations[0]).toMatchObject({
      executionSuccessful: false,
      toolExecutionNotifications: [{ level: 'error', message: { text: 'malformed: cut' } }],
    })
  })

  it.each(hostileNames)('is valid with %j', (name) => {
    const { results } = render(hostileReport(name))
    expect(results.length).toBeGreaterThan(3)
    for (const { locations } of results) {
      expect(locations[0].physicalLocation.artifactLocation.uri).toMatch(/^[A-Za-z0-9\-._~/%:]*$/)
    }
  })

  it('writes paths as URIs', () => {
    expect(toUri('a/ä #?.onnx')).toBe('a/%C3%A4%20%23%3F.onnx')
    expect(toUri('/tmp/x y')).toBe('file:///tmp/x%20y')
    expect(toUri('C:/x y')).toBe('file:///C:/x%20y')
    expect(toUri('http://x')).toBe('http%3A//x')
  })
})
