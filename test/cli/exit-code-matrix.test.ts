import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { main } from '../../src/cli/main.ts'
import { formatNames } from '../../src/report/renderer.ts'
import { fakeSurroundings } from './fake-streams.ts'

const fixtures = resolve(import.meta.dirname, '../../fixtures/trained')
const folder = mkdtempSync(join(tmpdir(), 'lipschitz-'))
const inFolder = (name: string) => join(folder, name)

beforeAll(() => {
  mkdirSync(inFolder('.git'))
  const bytes = readFileSync(join(fixtures, 'digits-mlp.onnx'))
  for (const name of ['a.onnx', 'b.onnx']) writeFileSync(inFolder(name), bytes)
  writeFileSync(inFolder('bad.onnx'), bytes.subarray(0, 1000))
  writeFileSync(inFolder('good.json'), '{ "top": 1 }')
  writeFileSync(inFolder('bad.json'), '{ "tpo": 1 }')
})

/** What is asked of the models, and what it makes of the exit code; 45 lies between what is proven on both sides. */
const gates = {
  none: { flags: [], code: 0, warns: 0, verdict: 'none' },
  pass: { flags: ['--max-lipschitz', '1e9', '--max-layer', '1e9'], code: 0, warns: 0, verdict: 'pass' },
  inconclusive: { flags: ['--max-lipschitz', '45'], code: 1, warns: 0, verdict: 'inconclusive' },
  fail: { flags: ['--max-layer', '1e-3'], code: 1, warns: 1, verdict: 'fail' },
} as const
const models = {
  one: { paths: ['a.onnx'], code: 0 },
  several: { paths: ['a.onnx', 'b.onnx'], code: 0 },
  'a bad one': { paths: ['bad.onnx'], code: 2 },
  'a bad one among good ones': { paths: ['a.onnx', 'bad.onnx', 'b.onnx'], code: 2 },
} as const
const configs = {
  none: { flags: ['--no-config'], code: 0 },
  good: { flags: ['-c', 'good.json'], code: 0 },
  bad: { flags: ['-c', 'bad.json'], code: 2 },
  missing: { flags: ['-c', 'missing.json'], code: 2 },
} as const

const run = async (argv: readonly string[]) => {
  const surroundings = { ...fakeSurroundings(), directory: folder }
  const code = await main(argv, surroundings)
  return { code, stdout: surroundings.stdout.text(), stderr: surroundings.stderr.text() }
}

type Case = readonly [keyof typeof gates, keyof typeof models, keyof typeof configs]
const cases = (Object.keys(gates) as Case[0][]).flatMap((gate) =>
  (Object.keys(models) as Case[1][]).flatMap((model) =>
    (Object.keys(configs) as Case[2][]).map((config): Case => [gate, model, config]),
  ),
)

describe.each(cases)('gate %s, models %s, configuration %s', (gate, model, config) => {
  const paths = models[model].paths.map(inFolder)
  const flags = ['--threads', '1', ...gates[gate].flags, ...configs[config].flags]
  const broken = Math.max(models[model].code, configs[config].code)
  const audited = configs[config].code === 0 ? paths.filter((path) => !path.includes('bad')).length : 0

  it('exits as documented, in every format at once, and says why', async () => {
    const files = formatNames.flatMap((name) => ['-f', `${name}:${inFolder(`out.${name}`)}`])
    const { code, stdout, stderr } = await run([...paths, ...flags, ...files])
    expect({ code, stdout }).toEqual({ code: Math.max(broken, gates[gate].code), stdout: '' })
    const lines = stderr.split('\n').slice(0, -1)
    for (const line of lines) expect(line).toMatch(/^lipschitz: /)
    const unmet = gates[gate].code * audited
    expect(lines).toHaveLength(configs[config].code > 0 ? 1 : unmet + (models[model].code > 0 ? 1 : 0))
    if (audited > 0) {
      expect(JSON.parse(readFileSync(inFolder('out.json'), 'utf8')).verdict).toBe(gates[gate].verdict)
    }
  })

  it('lets what is inconclusive pass where that is asked for, and everything with --no-exit-code', async () => {
    expect((await run([...paths, ...flags, '-q', '--inconclusive', 'warn'])).code).toBe(
      Math.max(broken, gates[gate].warns),
    )
    expect((await run([...paths, ...flags, '-q', '--no-exit-code'])).code).toBe(broken)
  })
})

describe.each(formatNames)('%s on standard output', (format) => {
  it.each(Object.keys(gates) as Case[0][])('exits by its gate, %s', async (gate) => {
    const { code, stdout } = await run([
      inFolder('a.onnx'),
      '--no-config',
      '-f',
      format,
      ...gates[gate].flags,
    ])
    expect(code).toBe(gates[gate].code)
    if (format !== 'github' || code > 0) expect(stdout.length).toBeGreaterThan(50)
  })
})
