import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { buildWhereStale } from './cli/built-program.ts'

const root = resolve(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'lipschitz-'))

beforeAll(() => {
  buildWhereStale()
  for (const name of ['bin', 'models/deep', 'with space']) mkdirSync(join(folder, name), { recursive: true })
  const npx = `#!/usr/bin/env bash\nprintf '%s\\n' "$@" > "${folder}/asked"\nshift 2\nexec '${process.execPath}' '${root}/bin/lipschitz.js' "$@"\n`
  writeFileSync(join(folder, 'bin/npx'), npx)
  chmodSync(join(folder, 'bin/npx'), 0o755)
  const fixtures = join(root, 'fixtures/trained')
  cpSync(join(fixtures, 'digits-mlp.onnx'), join(folder, 'models/mlp.onnx'))
  cpSync(join(fixtures, 'digits-spectral.onnx'), join(folder, 'models/deep/spectral.onnx'))
  writeFileSync(join(folder, 'models/bad.model'), 'no model')
})

/** The step of the action as a runner would start it. */
function step(inputs: Record<string, string>) {
  const output = join(folder, 'output')
  const summary = join(folder, 'summary.md')
  for (const path of [output, summary]) writeFileSync(path, '')
  const given = Object.entries(inputs).map(([name, value]) => [
    `INPUT_${name.replaceAll('-', '_').toUpperCase()}`,
    value,
  ])
  const { status, stdout, stderr } = spawnSync('bash', [join(root, 'scripts/action.sh')], {
    cwd: folder,
    encoding: 'utf8',
    env: {
      PATH: `${folder}/bin:${process.env.PATH}`,
      GITHUB_ACTION_PATH: root,
      GITHUB_WORKSPACE: folder,
      GITHUB_OUTPUT: output,
      GITHUB_STEP_SUMMARY: summary,
      RUNNER_TEMP: folder,
      CI: 'true',
      ...Object.fromEntries(given),
    },
  })
  const lines = readFileSync(output, 'utf8').trimEnd().split('\n')
  const outputs = Object.fromEntries(lines.map((line) => line.split(/=(.*)/s)))
  return { status, stdout, stderr, outputs, summary: readFileSync(summary, 'utf8') }
}

describe('the action', () => {
  it('passes, says by how much, and leaves a report and a summary', () => {
    const { status, stdout, outputs, summary } = step({ models: 'models/mlp.onnx', 'max-lipschitz': '1000' })
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' })
    expect(outputs.verdict).toBe('pass')
    expect(Number(outputs.lipschitz)).toBeGreaterThan(1)
    expect(JSON.parse(readFileSync(outputs.report, 'utf8')).models).toHaveLength(1)
    expect(summary).toMatch(/^## Lipschitz audit: every gate is met\n/)
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    expect(readFileSync(join(folder, 'asked'), 'utf8')).toMatch(
      new RegExp(`^--yes\nlipschitz@${version}\naudit\n`),
    )
  })

  it('fails with annotations where a gate is not met', () => {
    const { status, stdout, outputs } = step({
      models: 'models/mlp.onnx',
      'max-layer': '1',
      'sarif-file': 'x.sarif',
    })
    expect(status).toBe(1)
    expect(stdout).toMatch(/^::error file=models\/mlp\.onnx,line=1,title=max-layer/)
    expect(outputs.verdict).toBe('fail')
    expect(JSON.parse(readFileSync(join(folder, 'x.sarif'), 'utf8')).runs[0].results[0].ruleId).toBe(
      'max-layer',
    )
  })

  it('takes globs and lines of models, more arguments, and a version', () => {
    const { status, outputs } = step({
      models: 'models/mlp.onnx\nmodels/**/spec*.onnx',
      args: '--threads 1\n--no-exit-code --max-layer 1e-3',
      version: '9.9.9',
    })
    expect(status).toBe(0)
    expect(outputs.verdict).toBe('fail')
    expect(JSON.parse(readFileSync(outputs.report, 'utf8')).models).toHaveLength(2)
    expect(readFileSync(join(folder, 'asked'), 'utf8')).toContain('lipschitz@9.9.9\n')
  })

  it('tells of models that cannot be audited or are not there', () => {
    expect(step({ models: 'models/bad.model' })).toMatchObject({ status: 2, outputs: { verdict: 'error' } })
    const missing = step({ models: 'nothing/*.onnx' })
    expect(missing).toMatchObject({
      status: 2,
      stdout: '::error title=lipschitz::no file matches nothing/*.onnx\n',
    })
  })

  it('reads no input as a command', () => {
    for (const name of ['models', 'args', 'max-layer', 'baseline', 'config', 'version']) {
      const text = `$(touch ${folder}/hit) \`touch ${folder}/hit\`; touch ${folder}/hit`
      expect(step({ models: 'models/mlp.onnx', [name]: text }).status).not.toBe(1)
      expect(existsSync(join(folder, 'hit'))).toBe(false)
    }
  })

  it('hands every input to its step', () => {
    const text = readFileSync(join(root, 'action.yml'), 'utf8')
    const inputs = [...text.split('outputs:')[0].matchAll(/^ {2}([a-z-]+):$/gm)].map(([, name]) => name)
    expect(inputs).toEqual([
      'models',
      'max-lipschitz',
      'max-layer',
      'baseline',
      'max-increase',
      'config',
      'sarif-file',
      'args',
      'version',
    ])
    const script = readFileSync(join(root, 'scripts/action.sh'), 'utf8')
    for (const name of inputs) {
      const variable = `INPUT_${name.replaceAll('-', '_').toUpperCase()}`
      expect(text).toContain(`${variable}: \${{ inputs.${name} }}`)
      expect(script).toContain(variable)
    }
  })
})
