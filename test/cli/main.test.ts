import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { main } from '../../src/cli/main.ts'
import { fakeSurroundings } from './fake-streams.ts'

const root = resolve(import.meta.dirname, '../..')
const model = join(root, 'fixtures/trained/digits-resnet.onnx')

async function run(argv: readonly string[], ...world: Parameters<typeof fakeSurroundings>) {
  const surroundings = fakeSurroundings(...world)
  const code = await main(argv, surroundings)
  return { code, stdout: surroundings.stdout.text(), stderr: surroundings.stderr.text() }
}

describe('main', () => {
  it('prints help and version on standard output', async () => {
    expect(await run(['--version'])).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      stderr: '',
    })
    expect(await run(['help', 'inspect'])).toEqual({
      code: 0,
      stdout: expect.stringContaining('Fields'),
      stderr: '',
    })
  })

  it('answers wrong usage with one line on standard error and 2', async () => {
    expect(await run(['inspect', model, '--topp', '3'])).toEqual({
      code: 2,
      stdout: '',
      stderr: "lipschitz: unknown option '--topp': lipschitz --help lists commands and options\n",
    })
  })

  it('shows stacks in debug mode alone', async () => {
    expect((await run(['inspect', 'missing.onnx', '--debug'])).stderr).toContain('\n    at ')
    expect((await run(['inspect', 'missing.onnx'], { LIPSCHITZ_DEBUG: '1' })).stderr).toContain('\n    at ')
    expect((await run(['inspect', 'missing.onnx'], { LIPSCHITZ_DEBUG: '0' })).stderr.trimEnd()).not.toContain(
      '\n',
    )
  })
})

describe('schema', () => {
  it('prints the published schema', async () => {
    const published = readFileSync(join(root, 'schema/report-v1.json'), 'utf8')
    expect(await run(['schema', 'report'])).toEqual({ code: 0, stdout: published, stderr: '' })
  })

  it('knows no other', async () => {
    expect((await run(['schema', 'repotr'])).stderr).toBe(
      "lipschitz: schema expects one of report, config, diff, not 'repotr': did you mean report?\n",
    )
  })
})

describe('what cannot be audited', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lipschitz-'))
  const bytes = readFileSync(model)
  const file = (name: string, content: string | Uint8Array) => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  }

  it.each([
    ['a missing file', join(folder, 'missing.onnx'), /no such file/],
    ['a directory', folder, /directory/],
    ['an empty file', file('empty.onnx', ''), /empty/],
    ['an HTML page', file('page.onnx', '<!DOCTYPE html><html></html>'), /HTML/],
    ['a zip archive', file('zip.onnx', 'PK\x03\x04 and more of that'), /zip/],
    ['a truncated model', file('cut.onnx', bytes.subarray(0, bytes.length / 2)), /cut short|damaged/],
  ])('is %s: one line, 2, nothing on standard output', async (_, path, message) => {
    for (const command of ['audit', 'inspect']) {
      const { code, stdout, stderr } = await run([command, path])
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      expect(stderr).toMatch(/^lipschitz: [^\n]+\n$/)
      expect(stderr).toMatch(message)
      expect(stderr).toContain(path)
    }
  })

  it('may have been meant as a command', async () => {
    expect((await run(['adit', model])).stderr).toContain('did you mean audit?')
  })

  it('is needed', async () => {
    for (const argv of [[], ['audit'], ['-q'], ['audit', '--json']]) {
      expect(await run(argv)).toEqual({
        code: 2,
        stdout: '',
        stderr: 'lipschitz: no model is given: lipschitz audit <model...>, or lipschitz --help\n',
      })
    }
  })

  it.each([
    [['--max-lipschitz', 'abc'], "--max-lipschitz expects a finite number above 0, not 'abc'"],
    [['--frmat', 'json'], "unknown option '--frmat' (did you mean --format?)"],
    [['-f', 'xml'], 'expects one of'],
    [['-f', 'table', '--json'], 'only one format can go to standard output'],
    [['-o', join(folder, 'no', 'such', 'folder.txt')], 'its folder does not exist'],
    [['--input', 'nosuch'], 'nosuch'],
    [['--output-name', 'nosuch'], 'nosuch'],
    [['--input-shape', 'nosuch=1,2'], 'nosuch'],
    [['--input-shape', 'image=1,1,8,8', '--input-shape', 'image=1,1,8,8'], 'twice'],
  ])('is wrong usage, %j: one line and 2', async (args, message) => {
    const { code, stdout, stderr } = await run([model, ...args])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^lipschitz: [^\n]+\n$/)
    expect(stderr).toContain(message)
  })
})
