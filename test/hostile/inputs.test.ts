import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { main } from '../../src/cli/main.ts'
import { createRandom } from '../../src/core/random.ts'
import { fakeSurroundings } from '../cli/fake-streams.ts'
import { model, node, tensor } from '../helpers/onnx-builder.ts'
import { mutateBytes } from './mutate-bytes.ts'
import { mutateJson } from './mutate-json.ts'

/** Mutated files of each kind; `FUZZ_INPUTS=1000` for more, `FUZZ_SEED` for others. */
const runs = Number(process.env.FUZZ_INPUTS ?? 80)
const seed = Number(process.env.FUZZ_SEED ?? 1)

const folder = mkdtempSync(join(tmpdir(), 'lipschitz-inputs-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const within = (name: string) => join(folder, name)
const path = within('model.onnx')

async function run(args: readonly string[], directory = folder) {
  const surroundings = { ...fakeSurroundings(), directory }
  const code = await main(args, surroundings)
  return { code, stdout: surroundings.stdout.text(), stderr: surroundings.stderr.text() }
}

const plainly = ['--threads', '1', '--effort', 'fast', '--no-step-summary']
const audit = (...args: string[]) => run(['audit', path, '--no-config', ...plainly, ...args])

/** What must hold whatever the bytes were: an exit code of ours, lines of ours, and a whole report or none. */
function checkEnding({ code, stdout, stderr }: Awaited<ReturnType<typeof run>>): void {
  expect([0, 1, 2]).toContain(code)
  expect(stderr).not.toMatch(/internal/)
  expect(stderr).toMatch(/^(lipschitz: [^\p{Cc}\p{Bidi_C}]{1,1200}\n)*$/u)
  if (code === 2) expect(stderr).not.toBe('')
  if (stdout !== '') JSON.parse(stdout)
}

/** Mutates the text so often and holds each run to what must hold; says which one it was. */
async function fuzz(
  kind: number,
  mutate: (random: ReturnType<typeof createRandom>) => string | Uint8Array,
  file: string,
  attempt: () => ReturnType<typeof run>,
): Promise<Map<number, number>> {
  const random = createRandom(seed * 100 + kind)
  const codes = new Map<number, number>()
  for (let i = 0; i < runs; i++) {
    const content = mutate(random)
    writeFileSync(file, content)
    const ended = await attempt()
    codes.set(ended.code, (codes.get(ended.code) ?? 0) + 1)
    try {
      checkEnding(ended)
    } catch (error) {
      const text = Buffer.from(content).toString('latin1')
      throw new Error(`run ${i} of seed ${seed}: ${ended.stderr} ${text}`.slice(0, 20_000), { cause: error })
    }
  }
  return codes
}

beforeAll(async () => {
  writeFileSync(
    path,
    model({
      inputs: { x: [1, 2] },
      outputs: ['y'],
      initializers: { w: tensor([2, 2], [1, 2, 3, 4]), v: tensor([2, 2], [1, 0, 1, 1]) },
      nodes: [
        node('MatMul', ['x', 'w'], ['h']),
        node('Relu', ['h'], ['r']),
        node('MatMul', ['r', 'v'], ['y']),
      ],
    }),
  )
  for (const [name, args] of [
    ['report.json', ['--json']],
    ['part-1.json', ['--shard', '1/2']],
    ['part-2.json', ['--shard', '2/2']],
  ] as const)
    expect((await audit(...args, '-o', within(name))).code).toBe(0)
})

const textOf = (name: string) => readFileSync(within(name), 'utf8')

describe('whatever bytes a file holds', () => {
  it('a stored report is shown or refused', async () => {
    const text = textOf('report.json')
    const codes = await fuzz(
      1,
      (random) => mutateJson(text, random),
      within('fuzzed.json'),
      () => run(['report', within('fuzzed.json'), '--json']),
    )
    expect([...codes.keys()].sort()).toEqual([0, 2])
  })

  it('a stored report is rendered in all formats or refused', async () => {
    const text = textOf('report.json')
    const formats = ['html', 'markdown', 'csv', 'sarif', 'junit', 'github', 'openmetrics', 'table']
    const outputs = formats.flatMap((name) => ['-f', `${name}:${within(`out.${name}`)}`])
    const codes = await fuzz(
      2,
      (random) => mutateJson(text, random),
      within('fuzzed.json'),
      () => run(['report', within('fuzzed.json'), ...outputs]),
    )
    expect([...codes.keys()].sort()).toEqual([0, 2])
  })

  it('a baseline is compared with or refused', async () => {
    const text = textOf('report.json')
    await fuzz(
      3,
      (random) => mutateJson(text, random),
      within('base.json'),
      () => audit('--json', '--baseline', within('base.json')),
    )
  })

  it('a report of a shard is merged or refused', async () => {
    const text = textOf('part-1.json')
    const codes = await fuzz(
      4,
      (random) => mutateJson(text, random),
      within('fuzzed.json'),
      () =>
        run([
          'merge',
          within('fuzzed.json'),
          within('part-2.json'),
          '--json',
          '--no-config',
          '--no-step-summary',
        ]),
    )
    expect(codes.get(2)).toBeGreaterThan(runs / 2)
  })

  it('a configuration is followed or refused', async () => {
    const text = JSON.stringify({
      effort: 'fast',
      threads: 1,
      maxLipschitz: 100,
      limit: { nodes: 1000 },
      models: { '*.onnx': { maxLayer: 10, ignore: [{ rule: 'max-layer', layer: 'h', reason: 'known' }] } },
    })
    mkdirSync(within('configured'))
    const file = within('configured/lipschitz.config.json')
    await fuzz(
      5,
      (random) => mutateJson(text, random),
      file,
      () => run(['audit', path, '--json', '--no-step-summary', '--config', file], within('configured')),
    )
  })

  it('a point in a .npy file is taken or refused', async () => {
    const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }"
    const head = Buffer.from(`\x93NUMPY\x01\x00\x76\x00${header.padEnd(117)}\n`, 'latin1')
    const bytes = Buffer.concat([head, Buffer.from(Float32Array.of(1, 2).buffer)])
    writeFileSync(within('point.npy'), bytes)
    const attempt = () => audit('--json', '--around', within('point.npy'), '--radius', '0.1')
    expect((await attempt()).code).toBe(0)
    await fuzz(6, (random) => mutateBytes(bytes, bytes, random), within('point.npy'), attempt)
  })

  it('a point in a JSON file is taken or refused', async () => {
    const text = JSON.stringify({ x: [[1, 2]] })
    await fuzz(
      7,
      (random) => mutateJson(text, random),
      within('point.json'),
      () => audit('--json', '--around', within('point.json'), '--radius', '0.1'),
    )
  })

  it('an entry of the cache is used or measured anew, and no other report comes of it', async () => {
    const cache = within('cache')
    const { stdout: whole } = await audit('--json', '--cache', cache)
    const entries = readdirSync(cache, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.json'),
    )
    const texts = entries.map((name) => readFileSync(join(cache, name), 'utf8'))
    const random = createRandom(seed)
    for (let i = 0; i < runs; i++) {
      for (const [at, name] of entries.entries()) {
        const text = texts[at]
        const isJson = random.uniform() < 0.5
        const content = isJson
          ? mutateJson(text, random)
          : mutateBytes(Buffer.from(text), Buffer.from(texts[0]), random)
        // an entry under another's name, too
        writeFileSync(join(cache, name), random.uniform() < 0.1 ? texts[(at + 1) % texts.length] : content)
      }
      expect(await audit('--json', '--cache', cache)).toEqual({ code: 0, stdout: whole, stderr: '' })
    }
  })
})
