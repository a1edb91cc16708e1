import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { createRandom } from '../../src/core/random.ts'
import { buildWhereStale, fixtures, lipschitz, root } from './built-program.ts'

const program = join(root, 'bin/lipschitz.js')
const models = ['digits-mlp', 'digits-spectral'].map((name) => join(fixtures, `${name}.onnx`))
const common = ['--threads', '1', '--effort', 'fast', '--no-config']
const folder = mkdtempSync(join(tmpdir(), 'lipschitz-'))

let duration = 0

/** Starts the program and kills it after so many milliseconds; whether it had not ended by itself. */
function killAfter(milliseconds: number, args: readonly string[]): Promise<boolean> {
  const child = spawn(process.execPath, [program, ...args], { stdio: 'ignore' })
  setTimeout(() => child.kill('SIGKILL'), milliseconds)
  return new Promise((done) => child.on('close', (_, signal) => done(signal === 'SIGKILL')))
}

/** Moments over a whole run, most of them near its end, where files are written. */
function* moments(count: number, seed: number): Generator<number> {
  const random = createRandom(seed)
  for (let i = 0; i < count; i++)
    yield duration * (i % 3 === 0 ? random.uniform() : 0.7 + 0.4 * random.uniform())
}

beforeAll(async () => {
  buildWhereStale()
  const begun = performance.now()
  await lipschitz([...models, ...common, '-q'])
  duration = performance.now() - begun
})

describe('a program that is killed', () => {
  it('leaves the old report or the new one', async () => {
    const path = join(folder, 'report.json')
    const args = [...models, ...common, '--json', '-o', path]
    await lipschitz(args)
    const whole = readFileSync(path, 'utf8')
    let killed = 0
    for (const moment of moments(6, 1)) {
      writeFileSync(path, 'the old one')
      if (await killAfter(moment, args)) killed++
      expect(['the old one', whole]).toContain(readFileSync(path, 'utf8'))
    }
    expect(killed).toBeGreaterThan(0)
  })

  it('leaves the old baseline or the new one', async () => {
    const path = join(folder, 'baseline.json')
    const args = [...models, ...common, '-q', '--baseline', path, '--update-baseline']
    await lipschitz([models[0], ...common, '-q', '--baseline', path, '--update-baseline'])
    const old = readFileSync(path, 'utf8')
    await lipschitz(args)
    const whole = readFileSync(path, 'utf8')
    expect(whole).not.toBe(old)
    for (const moment of moments(5, 2)) {
      writeFileSync(path, old)
      await killAfter(moment, args)
      expect([old, whole]).toContain(readFileSync(path, 'utf8'))
    }
  })

  it('leaves the old copy of a normalized model or the new one', async () => {
    const place = join(folder, 'copies')
    mkdirSync(place)
    const path = join(place, 'copy.onnx')
    const args = [
      'normalize',
      models[0],
      '--target',
      '1',
      '-o',
      path,
      '--force',
      '--threads',
      '1',
      '--effort',
      'fast',
      '-q',
    ]
    const begun = performance.now()
    expect((await lipschitz(args)).code).toBe(0)
    const took = performance.now() - begun
    const whole = readFileSync(path)
    const old = readFileSync(models[1])
    const random = createRandom(4)
    for (let i = 0; i < 6; i++) {
      writeFileSync(path, old)
      await killAfter(took * (0.5 + 0.6 * random.uniform()), args)
      const found = readFileSync(path)
      expect(found.equals(old) || found.equals(whole)).toBe(true)
    }
    // the next run is not in the way of what killed ones have left
    expect((await lipschitz(args)).code).toBe(0)
    expect(readFileSync(path).equals(whole)).toBe(true)
  })

  it('leaves a cache of whole entries, which the next run goes on with', async () => {
    const cache = join(folder, 'cache')
    const args = [...models, ...common, '--json']
    const { stdout: whole } = await lipschitz(args)
    const entries = () =>
      readdirSync(cache, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'))
    for (const moment of moments(3, 3)) {
      rmSync(cache, { recursive: true, force: true })
      await killAfter(moment, [...args, '--cache', cache])
      const { code, stdout } = await lipschitz([...args, '--cache', cache])
      expect({ code, stdout }).toEqual({ code: 0, stdout: whole })
      for (const name of entries()) JSON.parse(JSON.parse(readFileSync(join(cache, name), 'utf8')).entry)
      expect(entries().length).toBeGreaterThan(5)
    }
  })
})
