import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { main } from '../../src/cli/main.ts'
import { fakeSurroundings } from './fake-streams.ts'

const fixtures = resolve(import.meta.dirname, '../../fixtures/trained')
const [mlp, resnet] = ['digits-mlp.onnx', 'digits-resnet.onnx'].map((name) => join(fixtures, name))
const folder = mkdtempSync(join(tmpdir(), 'lipschitz-'))
const part = (index: number) => join(folder, `part-${index}.json`)

async function run(args: readonly string[], environment: Record<string, string> = {}) {
  const surroundings = fakeSurroundings(environment)
  const code = await main([...args, '--no-config'], surroundings)
  return { code, stdout: surroundings.stdout.text(), stderr: surroundings.stderr.text() }
}

const asked = ['--effort', 'fast', '--tolerance', '1e-2', '--input-range', '0,1']
const shard = (index: number, ...args: string[]) =>
  run(['audit', mlp, resnet, ...asked, '--threads', '1', '--shard', `${index}/2`, '-o', part(index), ...args])

beforeAll(async () => {
  for (const index of [1, 2]) expect(await shard(index)).toEqual({ code: 0, stdout: '', stderr: '' })
})

describe('shards and their merge', () => {
  it('give the bytes of one run, asked for what the shards were asked for', async () => {
    const gates = ['--max-layer', '5', '--max-lipschitz', '1e6']
    const whole = await run(['audit', mlp, resnet, ...asked, ...gates, '--threads', '1', '--json'])
    const merged = await run(['merge', part(2), part(1), ...gates, '--json'], { LIPSCHITZ_TOLERANCE: '0.5' })
    expect(merged.stdout).toBe(whole.stdout)
    expect([merged.code, merged.stderr]).toEqual([1, whole.stderr])
  })

  it('judge gates at the end alone, and say so', async () => {
    const { code, stderr } = await shard(1, '--max-layer', '1e-3')
    expect([code, stderr]).toEqual([0, 'lipschitz: shard 1/2: gates are judged by lipschitz merge\n'])
    expect((await shard(1, '--max-layer', '1e-3', '-q')).stderr).toBe('')
  })

  it('update a baseline by the merge', async () => {
    const path = join(folder, 'baseline.json')
    const updated = await run(['merge', part(1), part(2), '-q', '--baseline', path, '--update-baseline'])
    expect(updated.code).toBe(0)
    expect(JSON.parse(readFileSync(path, 'utf8')).models).toHaveLength(2)
    expect((await run(['merge', part(1), part(2), '-q', '--baseline', path])).code).toBe(0)
  })

  it('write json to standard output where nothing else is said', async () => {
    const { code, stdout } = await run(['audit', mlp, '--effort', 'fast', '--shard', '1/1'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout).shard).toMatchObject({ index: 1, count: 1, complete: true })
  })

  it.each([
    [['audit', mlp, '--shard', '2/1'], "--shard expects i/n, not '2/1'"],
    [['audit', mlp, '--shard', '1/2', '-f', 'table'], 'a shard is written as json'],
    [
      ['audit', mlp, '--shard', '1/2', '--baseline', 'x', '--update-baseline'],
      'a shard has no baseline to write',
    ],
    [['merge', part(1)], 'shard 2/2 missing'],
    [['merge', part(1), part(1)], 'shard 1/2 is there twice'],
    [['merge', mlp], 'it is no JSON'],
    [['merge'], "missing required argument 'report.json'"],
    [['merge', part(1), part(2), '--tolerance', '1e-2'], "unknown option '--tolerance'"],
  ])('refuse in one line: %s', async (args, message) => {
    const { code, stdout, stderr } = await run(args)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^lipschitz: [^\n]+\n$/)
    expect(stderr).toContain(message)
  })

  it('report a model that cannot be read as one run does', async () => {
    const nowhere = join(folder, 'nowhere.onnx')
    const whole = await run(['audit', mlp, nowhere, '--effort', 'fast', '--json'])
    const codes = []
    for (const index of [1, 2]) {
      const args = ['audit', mlp, nowhere, '--effort', 'fast', '--shard', `${index}/2`, '-o', part(index)]
      codes.push((await run(args)).code)
    }
    expect(codes.sort()).toEqual([0, 2])
    expect(await run(['merge', part(1), part(2), '--json'])).toEqual(whole)
  })
})

describe('limits of a run', () => {
  it('end an audit with what is proven, and leave its gates open', async () => {
    const { code, stdout } = await run([resnet, '--time-limit', '1e-3', '--max-layer', '5', '--json'])
    const report = JSON.parse(stdout === '' ? '{"models":[]}' : stdout)
    // where there was no time to read it, it is an error
    expect(code).toBe(report.models.length === 0 ? 2 : 1)
  })

  it.each([
    ['--time-limit', '0', 'a finite number above 0'],
    ['--memory-limit', '5MiB', 'a size of at least 64MiB'],
    ['--memory-limit', '5XiB', 'a size of at least 64MiB'],
    ['--cache', '', 'a value'],
  ])('are read: %s %s', async (option, value, expected) => {
    const { code, stderr } = await run([mlp, option, value])
    expect([code, stderr.includes(`${option} expects ${expected}`)]).toEqual([2, true])
  })

  it('change no byte where they are not met', async () => {
    const plain = await run([mlp, '--json', '--effort', 'fast'])
    const cache = join(folder, 'cache')
    const limits = ['--time-limit', '1e5', '--memory-limit', '64MiB', '--cache', cache]
    for (let i = 0; i < 2; i++)
      expect(await run([mlp, '--json', '--effort', 'fast', ...limits])).toEqual(plain)
  })

  it('say before an audit that the cache cannot be written', async () => {
    const { code, stderr } = await run([mlp, '--cache', mlp])
    expect([code, stderr]).toEqual([2, `lipschitz: cannot write ${mlp}: it is no folder\n`])
  })
})
