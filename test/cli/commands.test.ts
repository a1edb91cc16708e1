import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { main } from '../../src/cli/main.ts'
import { commandNames, makeProgram } from '../../src/cli/program.ts'
import { renderJson } from '../../src/report/json.ts'
import { formatNames } from '../../src/report/renderer.ts'
import { rules } from '../../src/report/rules.ts'
import { sampleModel, sampleReport } from '../report/sample.ts'
import { fakeSurroundings } from './fake-streams.ts'

const root = resolve(import.meta.dirname, '../..')
const mlp = join(root, 'fixtures/trained/digits-mlp.onnx')
const folder = mkdtempSync(join(tmpdir(), 'lipschitz-'))
mkdirSync(join(folder, '.git'))

async function run(argv: readonly string[], directory = folder, environment = {}) {
  const surroundings = { ...fakeSurroundings(environment), directory }
  const code = await main(argv, surroundings)
  return { code, stdout: surroundings.stdout.text(), stderr: surroundings.stderr.text() }
}

function file(name: string, content: string): string {
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}

describe('report', () => {
  const gate = { rule: 'max-layer', limit: 1, lower: 9, upper: 10, verdict: 'fail' } as const
  const text = renderJson(sampleReport([sampleModel({ verdict: 'fail', gates: [gate] })]))
  const path = file('report.json', text)

  it.each(formatNames)('renders a stored report as %s, whatever its verdict', async (format) => {
    const { code, stdout, stderr } = await run(['report', path, '-f', format])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('net.onnx')
  })

  it('renders JSON byte for byte, keys of later versions included', async () => {
    expect((await run(['report', path, '--json'])).stdout).toBe(text)
    const later = file('later.json', JSON.stringify({ ...JSON.parse(text), added: { by: 'later' } }))
    expect(JSON.parse((await run(['report', later, '--json'])).stdout).added).toEqual({ by: 'later' })
  })

  it('writes several formats at once', async () => {
    const [csv, sarif] = [join(folder, 'r.csv'), join(folder, 'r.sarif')]
    await run(['report', path, '-f', `csv:${csv}`, '-f', `sarif:${sarif}`])
    expect(readFileSync(csv, 'utf8')).toContain('net.onnx')
    expect(JSON.parse(readFileSync(sarif, 'utf8')).version).toBe('2.1.0')
  })

  it.each([
    ['', 'the file is empty'],
    ['no json', 'it is no JSON'],
    ['[1]', "it has no 'schemaVersion'"],
    ['{"schemaVersion": 2}', 'it is a report of version 2'],
    [text.replace('"rank": 1', '"rank": "first"'), 'models[0].layers[0].rank: '],
    [text.replace('"verdict": "none"', '"verdict": "good"'), 'verdict: '],
  ])('refuses %#', async (content, message) => {
    const { code, stdout, stderr } = await run(['report', file('bad.json', content)])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^lipschitz: [^\n]+\n$/)
    expect(stderr).toContain(message)
  })

  it('refuses what is not there', async () => {
    expect((await run(['report', 'missing.json'])).stderr).toContain('missing.json: no such file')
    expect((await run(['report', folder])).stderr).toContain('it is a directory')
  })
})

describe('explain', () => {
  it.each(Object.keys(rules))('has a text for %s', async (rule) => {
    const { code, stdout } = await run(['explain', rule])
    expect(code).toBe(0)
    expect(stdout.split('\n')[0]).toContain(rule)
    expect(stdout).not.toContain('](')
  })

  it('lists all rules', async () => {
    expect((await run(['explain'])).stdout.trimEnd().split('\n')).toHaveLength(Object.keys(rules).length)
  })

  it('knows what was meant', async () => {
    const { code, stderr } = await run(['explain', 'unbouned-op'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/did you mean unbounded-op\?\n$/)
  })
})

describe('schema', () => {
  it.each(['report', 'config'])('prints that of the %s', async (name) => {
    const published = readFileSync(join(root, `schema/${name}-v1.json`), 'utf8')
    expect((await run(['schema', name])).stdout).toBe(published)
  })
})

describe('completion', () => {
  const hasShell = (shell: string) => spawnSync(shell, ['--version']).status === 0
  const script = async (shell: string) => (await run(['completion', shell])).stdout

  it('knows every command', async () => {
    const program = makeProgram([], () => {})
    expect(program.commands.map((command) => command.name())).toEqual(
      commandNames.filter((name) => name !== 'help'),
    )
    for (const shell of ['bash', 'zsh', 'fish']) {
      for (const name of commandNames) if (name !== 'help') expect(await script(shell)).toContain(name)
    }
    expect((await run(['completion', 'tcsh'])).code).toBe(2)
  })

  it.skipIf(!hasShell('bash'))('completes in bash', async () => {
    const complete = async (...words: string[]) => {
      const ask = `COMP_WORDS=(lipschitz ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _lipschitz; printf '%s\\n' "\${COMPREPLY[@]}"`
      const { stdout, stderr, status } = spawnSync('bash', ['-c', `${await script('bash')}\n${ask}`], {
        encoding: 'utf8',
        cwd: folder,
      })
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      return stdout.trimEnd().split('\n')
    }
    expect(await complete('rep')).toEqual(['report', 'report.json'])
    expect(await complete('audit', '--max-l')).toEqual(['--max-lipschitz', '--max-layer'])
    expect(await complete('net.onnx', '--max-i')).toEqual(['--max-increase'])
    expect(await complete('audit', '-f', 'js')).toEqual(['json'])
    expect(await complete('explain', 'unb')).toEqual(['unbounded-op'])
    expect(await complete('report', '-c')).toEqual([''])
    expect(await complete('audit', '--sort', 's')).toEqual(expect.arrayContaining(['share', 'sigma']))
  })

  it.skipIf(!hasShell('fish'))('completes in fish', async () => {
    const path = file('lipschitz.fish', await script('fish'))
    const complete = (line: string) => {
      const { stdout, stderr } = spawnSync(
        'fish',
        ['--no-config', '-c', `source ${path}; complete -C '${line}'`],
        {
          encoding: 'utf8',
          cwd: folder,
        },
      )
      expect(stderr).toBe('')
      return stdout
        .trimEnd()
        .split('\n')
        .map((reply) => reply.split('\t')[0])
    }
    expect(complete('lipschitz explain unb')).toEqual(['unbounded-op'])
    expect(complete('lipschitz audit --max-lip')).toEqual(['--max-lipschitz'])
    expect(complete('lipschitz net.onnx --max-lip')).toEqual(['--max-lipschitz'])
    expect(complete('lipschitz audit -f sar')).toContain('sarif')
  })

  it.skipIf(!hasShell('zsh'))('is read by zsh', async () => {
    const { stderr, status } = spawnSync(
      'zsh',
      ['-f', '-c', `autoload -U compinit; compinit -u -D; ${await script('zsh')}`],
      {
        encoding: 'utf8',
      },
    )
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })
})

describe('audit with a configuration', () => {
  it('takes limits from it, below the environment and flags', async () => {
    file('lipschitz.config.json', JSON.stringify({ maxLayer: 1e-3 }))
    expect((await run([mlp, '-q'])).code).toBe(1)
    expect((await run([mlp, '-q', '--no-config'])).code).toBe(0)
    expect((await run([mlp, '-q', '--max-layer', '100'])).code).toBe(0)
    expect((await run([mlp, '-q'], folder, { LIPSCHITZ_MAX_LAYER: '100' })).code).toBe(0)
    expect((await run([mlp, '-q', '-c', 'missing.json'])).code).toBe(2)
    file('other.json', JSON.stringify({ models: [{ path: '*.onnx', maxLayer: 100 }] }))
    expect((await run([mlp, '-q', '-c', 'other.json'])).code).toBe(0)
    expect((await run([mlp, '-q'], folder, { LIPSCHITZ_CONFIG: 'other.json' })).code).toBe(0)
  })

  it('leaves out what is ignored, and tells of ignores that nothing needs', async () => {
    const ignore = [
      { rule: 'max-layer', node: '/1/*', reason: 'rescaled' },
      { rule: 'max-lipschitz', reason: 'not yet' },
      { rule: 'unbounded-op', reason: 'old' },
    ]
    file('lipschitz.config.json', JSON.stringify({ maxLayer: 4, maxLipschitz: 10, ignore }))
    const { code, stdout, stderr } = await run([mlp])
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'lipschitz: lipschitz.config.json: the ignore of unbounded-op is not needed any more (old)\n',
    })
    expect(stdout).toMatch(/FAIL +Lipschitz constant ≤ 10: .* – ignored: not yet\n/)
    expect(stdout).toMatch(/ok +largest layer's ‖A‖₂ ≤ 4: proven ≤ 3\.8/)
    expect(stdout).toMatch(/ignored-layers +max-layer leaves out layers: rescaled \(\/1\/Gemm\)/)
  })

  it('prints every setting with its origin', async () => {
    file(
      'lipschitz.config.json',
      JSON.stringify({ maxLayer: 2, top: 3, models: [{ path: 'b.onnx', maxLayer: 1 }] }),
    )
    const { code, stdout } = await run(['--print-config', 'a.onnx', 'b.onnx', '--top', '5'])
    expect(code).toBe(0)
    const shown = JSON.parse(stdout)
    expect(shown.config).toBe('lipschitz.config.json')
    expect(shown.settings).toMatchObject({
      maxLayer: { value: '2', from: 'maxLayer in lipschitz.config.json' },
      top: { value: '5', from: '--top' },
    })
    expect(shown.models).toEqual([
      { path: 'a.onnx', settings: {}, ignore: [] },
      {
        path: 'b.onnx',
        settings: { maxLayer: { value: '1', from: 'maxLayer in models[0] of lipschitz.config.json' } },
        ignore: [],
      },
    ])
    expect(JSON.parse((await run(['--print-config', '--no-config'])).stdout).config).toBeNull()
  })
})

describe('audit of models that cannot be', () => {
  const bad = file('bad.onnx', 'no model')

  it.each(formatNames.filter((name) => name !== 'table'))('says which in a file of %s', async (format) => {
    const path = join(folder, `failed.${format}`)
    const { code, stdout, stderr } = await run([bad, '--no-config', '-f', `${format}:${path}`])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^lipschitz: [^\n]+\n$/)
    if (format === 'csv') expect(readFileSync(path, 'utf8').split('\r\n')).toHaveLength(2)
    else expect(readFileSync(path, 'utf8')).toContain('bad.onnx')
  })

  it.each(formatNames)('leaves standard output empty in %s', async (format) => {
    expect(await run([bad, '--no-config', '-f', format])).toMatchObject({ code: 2, stdout: '' })
  })

  it('has no table', async () => {
    expect(await run([bad, '--no-config', '-o', join(folder, 'table.txt')])).toMatchObject({
      code: 2,
      stdout: '',
    })
    expect(existsSync(join(folder, 'table.txt'))).toBe(false)
  })
})

describe('audit with a baseline', () => {
  const audit = (...argv: string[]) => run([mlp, '--no-config', '-q', ...argv])

  it('is written when it is asked for, and by nothing else', async () => {
    const path = join(folder, 'base.json')
    expect(await audit('--baseline', path)).toMatchObject({
      code: 2,
      stderr: `lipschitz: there is no baseline ${path}: write it with --update-baseline\n`,
    })
    expect((await audit('--baseline', path, '--update-baseline')).code).toBe(0)
    const before = readFileSync(path)
    expect((await audit('--baseline', path)).code).toBe(0)
    expect((await audit('--baseline', path, '--max-layer', '1e-3')).code).toBe(1)
    expect(readFileSync(path)).toEqual(before)
  })

  it('breaks the run when a bound rose', async () => {
    const stored = JSON.parse(readFileSync(join(folder, 'base.json'), 'utf8'))
    for (const layer of stored.models[0].layers) {
      layer.spectral.lower /= 2
      layer.spectral.upper /= 2
      layer.weightSha256 = ''
    }
    stored.models[0].lipschitz.upper.value /= 8
    const path = file('lower.json', JSON.stringify(stored))
    const { code, stdout } = await run([mlp, '--no-config', '--baseline', path])
    expect(code).toBe(1)
    expect(stdout).toMatch(
      /FAIL layer's ‖A‖₂ ≤ 2\.338\d \(baseline 2\.335\d\): at least 4\.67\d+, 2\.00× the limit\n +3 layers: /,
    )
    expect((await audit('--baseline', path, '--max-increase', '100')).code).toBe(1)
    expect((await audit('--baseline', path, '--max-increase', '800%')).code).toBe(0)
  })

  it('is left as it is in a step that fails', async () => {
    const path = join(folder, 'base.json')
    const before = readFileSync(path)
    const { code, stderr } = await audit('--baseline', path, '--update-baseline', '--max-layer', '1e-3')
    expect(code).toBe(1)
    expect(stderr).toContain('is left as it is: not every gate is met')
    expect(
      (await audit('--baseline', path, '--update-baseline', '--max-layer', '1e-3', '--no-exit-code')).stderr,
    ).toContain('is left as it is')
    expect(readFileSync(path)).toEqual(before)
  })

  it('keeps models of other runs while they exist, and tells of those that are gone', async () => {
    const stored = JSON.parse(readFileSync(join(folder, 'base.json'), 'utf8'))
    const other = join(root, 'fixtures/trained/digits-spectral.onnx')
    const models = [
      { ...stored.models[0], path: 'gone.onnx' },
      { ...stored.models[0], path: other },
      ...stored.models,
    ]
    const path = file('stale.json', JSON.stringify({ ...stored, models }))
    const { code, stderr } = await audit('--baseline', path)
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: `lipschitz: ${path} holds gone.onnx, which is gone: --update-baseline drops it\n`,
    })
    await audit('--baseline', path, '--update-baseline')
    const kept = JSON.parse(readFileSync(path, 'utf8')).models.map((model: { path: string }) => model.path)
    expect(kept).toEqual([other, mlp])
  })

  it('is overwritten by no format', async () => {
    const path = join(folder, 'base.json')
    const { code, stderr } = await audit('--baseline', path, '-f', `json:${path}`)
    expect(code).toBe(2)
    expect(stderr).toContain('would overwrite the baseline')
  })

  it('is needed by what speaks of it', async () => {
    expect((await audit('--max-increase', '5')).code).toBe(2)
    expect((await audit('--update-baseline')).stderr).toContain('needs --baseline')
  })
})
