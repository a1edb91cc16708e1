import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { Report } from '../../src/audit/report-schema.ts'
import { layer, sampleModel, sampleReport } from '../report/sample.ts'
import { buildWhereStale, fixtures, lipschitz, root } from './built-program.ts'

const mlp = join(fixtures, 'digits-mlp.onnx')
const resnet = join(fixtures, 'digits-resnet.onnx')
const folder = mkdtempSync(join(tmpdir(), 'lipschitz-'))

function file(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}

function parse(text: string): Report {
  const report = Report.parse(JSON.parse(text))
  expect(report).toEqual(JSON.parse(text))
  return report
}

beforeAll(buildWhereStale)

describe('the program, audit', () => {
  it('prints a table and exits with 0 without gates', async () => {
    const { code, stdout, stderr } = await lipschitz([mlp])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('digits-mlp.onnx')
    expect(stdout).toMatch(/^ {2}graph +≤ \d/m)
    expect(stdout).not.toContain('\x1b')
  })

  it('prints a report that the schema describes, key for key', async () => {
    const { code, stdout, stderr } = await lipschitz(['audit', resnet, '--json'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const [model] = parse(stdout).models
    expect(model.layers.map(({ rank }) => rank)).toEqual(model.layers.map((_, i) => i + 1))
    expect(model.lipschitz.upper.value).toBeGreaterThan(0)
  })

  it('gives equal bytes again, and with any number of threads', async () => {
    const outputs = await Promise.all(
      [[], ['--threads', '1'], ['--threads', '3']].map((args) => lipschitz([resnet, '--json', ...args])),
    )
    expect(new Set(outputs.map(({ stdout }) => stdout)).size).toBe(1)
  })

  it('judges gates by its exit code', async () => {
    const codeOf = async (...args: string[]) => (await lipschitz([mlp, '-q', ...args])).code
    expect(await codeOf('--max-lipschitz', '1e9')).toBe(0)
    expect(await codeOf('--max-lipschitz', '1e-3')).toBe(1)
    expect(await codeOf('--max-layer', '1e-3')).toBe(1)
    expect(await codeOf('--max-layer', '1e-3', '--no-exit-code')).toBe(0)
    const between = ['--max-lipschitz', '45']
    expect(await codeOf(...between)).toBe(1)
    expect(await codeOf(...between, '--inconclusive', 'warn')).toBe(0)
  })

  it('takes options from the environment, below flags', async () => {
    const environment = { LIPSCHITZ_MAX_LAYER: '1e-3' }
    expect((await lipschitz([mlp, '-q'], { environment })).code).toBe(1)
    expect((await lipschitz([mlp, '-q', '--max-layer', '1e3'], { environment })).code).toBe(0)
  })

  it('names gates that are not met on standard error where no table shows them', async () => {
    const { stdout, stderr } = await lipschitz([mlp, '--json', '--max-layer', '1e-3'])
    expect(stderr).toMatch(
      /^lipschitz: \S*digits-mlp\.onnx: gate max-layer 0?\.?\S*: fail \(lower bound [\d.]+, upper bound [\d.]+\)\n$/,
    )
    expect(parse(stdout).verdict).toBe('fail')
  })

  it('writes several formats in one run', async () => {
    const path = join(folder, 'report.json')
    const { code, stdout } = await lipschitz([mlp, '-f', 'table', '-f', `json:${path}`])
    expect(code).toBe(0)
    expect(stdout).toContain('Lipschitz constant')
    expect(parse(readFileSync(path, 'utf8')).models).toHaveLength(1)
  })

  it('audits every model where one is bad, and says so', async () => {
    const bad = file('bad.onnx', '<html>')
    const { code, stdout, stderr } = await lipschitz([mlp, bad, resnet, '--json'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/^lipschitz: [^\n]*bad\.onnx[^\n]*\n$/)
    const report = parse(stdout)
    expect(report.models.map(({ path }) => path)).toEqual([mlp, resnet])
    expect(report.errors.map(({ path }) => path)).toEqual([bad])
  })

  it('answers a file that is no model, and wrong usage, with one line, 2, and nothing on standard output', async () => {
    const page = file('page.onnx', '<!DOCTYPE html><html></html>')
    for (const args of [[page], [mlp, '--max-lipschitz', 'abc'], [mlp, '--frmat', 'json']]) {
      expect(await lipschitz(args)).toEqual({
        code: 2,
        stdout: '',
        stderr: expect.stringMatching(/^lipschitz: [^\n]+\n$/),
      })
    }
  })
})

describe('the program, its streams', () => {
  it('colours when asked or forced, never under NO_COLOR', async () => {
    const coloured = async (args: string[], environment = {}) =>
      (await lipschitz([mlp, ...args], { environment })).stdout.includes('\x1b[')
    expect(await coloured(['--color'])).toBe(true)
    expect(await coloured([], { FORCE_COLOR: '1' })).toBe(true)
    expect(await coloured([], { FORCE_COLOR: '1', NO_COLOR: '1' })).toBe(false)
    expect(await coloured(['--no-color'], { FORCE_COLOR: '1' })).toBe(false)
    expect(await coloured([], { TERM: 'dumb' })).toBe(false)
  })

  it('writes a large report whole into a pipe', async () => {
    const { code, stdout } = await lipschitz([...Array.from({ length: 60 }, () => mlp), '--json'])
    expect(code).toBe(0)
    expect(stdout.length).toBeGreaterThan(2 ** 17)
    expect(parse(stdout).models).toHaveLength(60)
  })

  it('writes ten megabytes whole into a pipe', async () => {
    const layers = Array.from({ length: 40_000 }, (_, i) => layer(i + 1))
    const path = file('large.json', JSON.stringify(sampleReport([sampleModel({ layers })])))
    for (const format of ['json', 'csv']) {
      const { code, stdout, stderr } = await lipschitz(['report', path, '-f', format, '--top', '40000'])
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(stdout).toContain('layers.39999')
      if (format === 'json') expect(stdout.length).toBeGreaterThan(10 * 2 ** 20)
      if (format === 'json') expect(JSON.parse(stdout).models[0].layers).toHaveLength(40_000)
    }
    const pipe = `'${process.execPath}' '${join(root, 'bin/lipschitz.js')}' report '${path}' -f csv | head -c 10`
    const { stdout, stderr } = await promisify(execFile)('bash', ['-c', pipe])
    expect({ stdout: stdout.length, stderr }).toEqual({ stdout: 10, stderr: '' })
  })

  it('is quiet when its reader has seen enough', async () => {
    const models = Array.from({ length: 60 }, () => `'${mlp}'`).join(' ')
    const command = `'${process.execPath}' '${join(root, 'bin/lipschitz.js')}' ${models} --json | head -c 10; exit "\${PIPESTATUS[0]}"`
    const { stdout, stderr } = await promisify(execFile)('bash', ['-c', command])
    expect({ stdout: stdout.length, stderr }).toEqual({ stdout: 10, stderr: '' })
  })

  it('prints what is finished when interrupted, and exits with 130', async () => {
    const models = Array.from({ length: 200 }, () => resnet)
    const outcome = await lipschitz([...models, '-v', '--json'], { signalOnStderr: 'SIGINT' })
    expect(outcome.code).toBe(130)
    expect(outcome.stderr).toMatch(/\nlipschitz: interrupted: \d+ of 200 models not audited\n$/)
    const { models: audited, errors } = parse(outcome.stdout)
    expect(audited.length).toBeGreaterThan(0)
    expect(audited.length + errors.length).toBe(200)
    expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['interrupted']))
  })
})
