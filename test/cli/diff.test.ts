import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Diff } from '../../src/audit/diff/diff-schema.ts'
import { main } from '../../src/cli/main.ts'
import { fakeSurroundings } from './fake-streams.ts'

const fixtures = resolve(import.meta.dirname, '../../fixtures')
const [mlp, int8] = ['trained/digits-mlp.onnx', 'formats/near-int8-channel.onnx'].map((name) =>
  join(fixtures, name),
)
const folder = mkdtempSync(join(tmpdir(), 'lipschitz-diff-'))

async function run(...argv: string[]) {
  const surroundings = fakeSurroundings()
  const code = await main(argv, surroundings)
  return { code, stdout: surroundings.stdout.text(), stderr: surroundings.stderr.text() }
}
const diff = (...argv: string[]) => run('diff', ...argv, '--threads', '1', '--effort', 'fast')

describe('diff', () => {
  it('prints layers, bounds and the difference of the outputs', async () => {
    const { code, stdout, stderr } = await diff(mlp, int8, '--input-range', '0,1')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^\/4\/Gemm → gemm1 +changed, renamed +2 +3\.8140 +3\.8141/m)
    expect(stdout).toMatch(/^outputs differ by at most \d\.\d+ in ℓ2, for image in \[0, 1\]$/m)
    expect(stdout).toContain('3 layers: 3 changed, 3 renamed')
  })

  it('judges its gate by the exit code', async () => {
    const at = (limit: string, ...more: string[]) =>
      diff(mlp, int8, '--input-range', '0,1', '--max-output-change', limit, ...more)
    expect((await at('10')).code).toBe(0)
    const beyond = await at('0.1')
    expect(beyond.code).toBe(1)
    expect(beyond.stdout).toMatch(/^\? +difference of the outputs ≤ 0\.1\d*: not proven/m)
    expect((await at('0.1', '--inconclusive', 'warn')).code).toBe(0)
    expect((await at('0.1', '--no-exit-code')).code).toBe(0)
  })

  it('writes JSON that the schema describes, and Markdown to a file', async () => {
    const { stdout } = await diff(mlp, int8, '--json')
    expect(Diff.parse(JSON.parse(stdout))).toEqual(JSON.parse(stdout))
    const path = join(folder, 'diff.md')
    expect((await diff(mlp, int8, '-f', 'markdown', '-o', path)).stdout).toBe('')
    expect(readFileSync(path, 'utf8')).toContain('| layer | status | rank |')
  })

  it('is one line when quiet', async () => {
    const { stdout } = await diff(mlp, int8, '-q', '--input-range', '0,1')
    expect(stdout.trimEnd().split('\n')).toHaveLength(1)
    expect(stdout).toContain('outputs differ by at most')
  })

  it('says why there is no bound of the outputs', async () => {
    expect((await diff(mlp, int8)).stdout).toMatch(
      /outputs: how far they may differ is not proven: .*--input-range/,
    )
  })

  it('compares stored reports, not a report with a model', async () => {
    const [old, fresh] = [join(folder, 'old.json'), join(folder, 'new.json')]
    await run('audit', mlp, '-f', `json:${old}`, '--effort', 'fast', '--no-step-summary')
    await run('audit', int8, '-f', `json:${fresh}`, '--effort', 'fast', '--no-step-summary')
    const { code, stdout } = await diff(old, fresh)
    expect(code).toBe(0)
    expect(stdout).toContain('Lipschitz constant ≤ 54.188 → 54.223')
    expect(stdout).not.toContain('outputs')
    expect(await diff(old, mlp)).toMatchObject({ code: 2, stderr: expect.stringContaining('with a report') })
  })

  it.each([
    [[mlp], 'missing required argument'],
    [[mlp, join(folder, 'none.onnx')], 'no such file'],
    [[mlp, int8, '-f', 'html'], '--format expects one of table, json, markdown'],
    [[mlp, int8, '--max-output-change', '-1'], 'expects a finite number above 0'],
    [[mlp, int8, '-o', join(folder, 'no', 'file')], 'its folder does not exist'],
  ])('%j: exit code 2 and one line', async (argv, message) => {
    const { code, stdout, stderr } = await diff(...argv)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(message)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  })
})
