import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../../src/cli/config/config.ts'
import { configJsonSchema } from '../../../src/cli/config/schema.ts'
import { type AnyDeclaration, auditOptions, readSettings } from '../../../src/cli/options.ts'

/** A repository with these files; texts are written as they are, the rest as JSON. */
function repository(files: Record<string, unknown>): string {
  const root = mkdtempSync(join(tmpdir(), 'lipschitz-'))
  mkdirSync(join(root, '.git'))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(resolve(root, name, '..'), { recursive: true })
    writeFileSync(join(root, name), typeof content === 'string' ? content : JSON.stringify(content))
  }
  return root
}

const load = (directory: string, path?: string) => loadConfig(path, { directory }, '2026-06-15')
const settings = async (directory: string, model?: string) => {
  const config = await load(directory)
  return readSettings([...(model ? config!.sourcesFor(model) : []), config!.source])
}

describe('a configuration is found', () => {
  it('in the working directory, in its three places, in this order', async () => {
    const files = {
      'lipschitz.config.json': { maxLayer: 1 },
      '.lipschitzrc.json': { maxLayer: 2 },
      'package.json': { name: 'x', lipschitz: { maxLayer: 3 } },
    }
    const names = Object.keys(files) as (keyof typeof files)[]
    for (const [i] of names.entries()) {
      const root = repository(Object.fromEntries(names.slice(i).map((name) => [name, files[name]])))
      expect(await settings(root)).toEqual({ maxLayer: i + 1 })
    }
  })

  it('above the working directory, up to the root of the repository and no further', async () => {
    const root = repository({
      '.lipschitzrc.json': { maxLayer: 2 },
      'a/b/x': '',
      'inner/.git/x': '',
      'inner/y/x': '',
    })
    expect((await load(join(root, 'a/b')))?.path).toBe('../../.lipschitzrc.json')
    expect(await load(join(root, 'inner/y'))).toBeNull()
  })

  it('beside a package.json that has none', async () => {
    const root = repository({ 'a/package.json': { name: 'x' }, '.lipschitzrc.json': { maxLayer: 2 } })
    expect((await load(join(root, 'a')))?.path).toBe('../.lipschitzrc.json')
  })

  it('where -c says, or not at all', async () => {
    const root = repository({ 'other.json': { maxLayer: 4 }, 'package.json': {} })
    expect((await load(root, 'other.json'))?.path).toBe('other.json')
    await expect(load(root, 'missing.json')).rejects.toThrow('missing.json: no such file')
    await expect(load(root, 'package.json')).rejects.toThrow("it has no key 'lipschitz'")
    await expect(load(root, '.')).rejects.toThrow('it is a directory')
  })
})

describe('a configuration sets', () => {
  it('every option, in the types of JSON', async () => {
    const root = repository({
      'lipschitz.config.json': {
        $schema: 'https://unpkg.com/lipschitz/schema/config-v1.json',
        format: ['table', 'json:out/r.json'],
        maxLipschitz: 1e2,
        exitCode: false,
        inputShape: { x: [1, 3, null], y: [] },
        inputRange: { x: [0, 1] },
        input: 'x',
        sort: 'sigma',
        baseline: 'base.json',
      },
      'a/x': '',
    })
    expect(await settings(join(root, 'a'))).toEqual({
      format: [
        { name: 'table', path: null },
        { name: 'json', path: '../out/r.json' },
      ],
      maxLipschitz: 100,
      exitCode: false,
      inputShape: [
        { name: 'x', dims: [1, 3, null] },
        { name: 'y', dims: [] },
      ],
      inputRange: [{ input: 'x', lo: 0, hi: 1 }],
      input: ['x'],
      sort: 'sigma',
      baseline: '../base.json',
    })
  })

  it('limits of models by glob, the last block that says it', async () => {
    const root = repository({
      'lipschitz.config.json': {
        maxLayer: 1,
        maxLipschitz: 5,
        models: [
          { path: 'models/**', maxLayer: 2 },
          { path: ['b.onnx', 'models/a.onnx'], maxLayer: 3 },
        ],
      },
      'models/x': '',
    })
    expect(await settings(root, 'models/a.onnx')).toEqual({ maxLayer: 3, maxLipschitz: 5 })
    expect(await settings(root, join(root, 'models/b.onnx'))).toEqual({ maxLayer: 3, maxLipschitz: 5 })
    expect(await settings(root, 'models/c.onnx')).toEqual({ maxLayer: 2, maxLipschitz: 5 })
    expect(await settings(root, 'c.onnx')).toEqual({ maxLayer: 1, maxLipschitz: 5 })
    expect(await settings(join(root, 'models'), 'c.onnx')).toEqual({ maxLayer: 2, maxLipschitz: 5 })
  })

  it('ignores, with a last day', async () => {
    const ignore = [
      { rule: 'max-layer', node: '/head/*', reason: 'r', until: '2026-06-15' },
      { rule: 'any-size', model: 'old/*', reason: 's', until: '2026-06-14' },
    ]
    const config = await load(repository({ 'lipschitz.config.json': { ignore } }))
    const [first, second] = config!.ignoresFor('old/net.onnx')
    expect(first).toMatchObject({ rule: 'max-layer', expired: false })
    expect([first.matchesNode?.('/head/Gemm'), first.matchesNode?.('/body/Gemm')]).toEqual([true, false])
    expect(second).toMatchObject({ rule: 'any-size', expired: true })
    expect(config!.ignoresFor('net.onnx')).toHaveLength(1)
  })

  it('names itself in messages', async () => {
    const root = repository({ 'lipschitz.config.json': { maxLayer: -1 } })
    await expect(settings(root)).rejects.toThrow(
      "maxLayer in lipschitz.config.json expects a finite number above 0, not '-1'",
    )
  })
})

describe('a configuration is refused', () => {
  it.each([
    [{ maxLipshitz: 1 }, "unknown key 'maxLipshitz'", 'did you mean maxLipschitz?'],
    [{ xyzzy: 1 }, "unknown key 'xyzzy'", undefined],
    [{ models: [{ paths: 'a' }] }, "unknown key 'models[0].paths'", 'did you mean path?'],
    [{ models: [{ path: 'a', maxlayer: 1 }] }, "unknown key 'models[0].maxlayer'", 'did you mean maxLayer?'],
    [{ models: [{ path: 'a', threads: 1 }] }, "unknown key 'models[0].threads'", undefined],
    [{ models: [{ maxLayer: 1 }] }, 'models[0].path is missing', undefined],
    [{ ignore: [{ rule: 'max-layer' }] }, 'ignore[0].reason is missing', undefined],
    [
      { ignore: [{ rule: 'max-layr', reason: 'r' }] },
      "ignore[0].rule: there is no rule 'max-layr'",
      'did you mean max-layer?',
    ],
    [{ ignore: [{ rule: 'max-layer', reason: 'r', until: 'soon' }] }, 'ignore[0].until: ', undefined],
    [{ maxLayer: '1' }, 'maxLayer: ', undefined],
    [{ debug: true }, "unknown key 'debug'", undefined],
    [[1], 'the file: ', undefined],
    ['{ "maxLayer": 1, }', 'no JSON: ', undefined],
  ])('%j', async (content, message, hint) => {
    const error = await load(repository({ '.lipschitzrc.json': content })).catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'config' })
    expect(error.message).toContain(`.lipschitzrc.json: ${message}`)
    if (hint !== undefined) expect(error.facts.hint).toBe(hint)
  })
})

describe('the schema of the configuration', () => {
  const published = JSON.parse(
    readFileSync(resolve(import.meta.dirname, '../../../schema/config-v1.json'), 'utf8'),
  )

  it('is published as it is', () => {
    expect(published).toEqual(configJsonSchema())
  })

  it('has every option but those that concern one run', () => {
    const options = Object.entries<AnyDeclaration>(auditOptions)
    const names = options.filter(([, { isForOneRun }]) => !isForOneRun).map(([name]) => name)
    expect(Object.keys(published.properties).toSorted()).toEqual(
      ['$schema', ...names, 'ignore', 'models'].toSorted(),
    )
    expect(published.additionalProperties).toBe(false)
  })
})
