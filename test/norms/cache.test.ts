import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { audit } from '../../src/audit/audit.ts'
import type { AuditOptions } from '../../src/audit/options.ts'
import { createRandom } from '../../src/core/random.ts'
import { modelFile, node, tensor } from '../helpers/onnx-builder.ts'

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lipschitz-cache-'))
  folders.push(folder)
  return folder
}

/** Two dense layers, one of them folded, a scale, and a head that depends on `head`. */
function network(head: number): string {
  const random = createRandom(11)
  const weights = (...dims: number[]) => {
    const data = Float32Array.from({ length: dims.reduce((a, b) => a * b) }, () => random.gaussian())
    return tensor(dims, data)
  }
  return modelFile({
    inputs: { x: [1, 30] },
    outputs: ['y'],
    initializers: {
      first: weights(30, 40),
      folded: weights(40, 20),
      half: tensor([1], [0.5]),
      scale: weights(20),
      head: tensor(
        [20, 3],
        Float32Array.from({ length: 60 }, (_, i) => Math.sin(i * head)),
      ),
    },
    nodes: [
      node('MatMul', ['x', 'first'], ['a']),
      node('Relu', ['a'], ['b']),
      node('Mul', ['folded', 'half'], ['scaled']),
      node('MatMul', ['b', 'scaled'], ['c']),
      node('Mul', ['c', 'scale'], ['d']),
      node('Relu', ['d'], ['e']),
      node('MatMul', ['e', 'head'], ['y']),
    ],
  })
}

const entries = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.includes('.json'))
    .sort()
    .map((name) => join(folder, name))

const identityOf = (files: readonly string[]) => files.map((file) => `${file} ${statSync(file).ino}`)

const auditOf = (path: string, options: AuditOptions = {}) => audit(path, { threads: 1, ...options })

describe('the cache', () => {
  it('changes no byte of the report, and is not written again', async () => {
    const [path, cache] = [network(1), freshFolder()]
    const plain = await auditOf(path)
    expect(await auditOf(path, { cache })).toEqual(plain)
    const files = entries(cache)
    expect(files.length).toBeGreaterThanOrEqual(4)
    const before = identityOf(files)
    expect(JSON.stringify(await auditOf(path, { cache }))).toBe(JSON.stringify(plain))
    expect(identityOf(entries(cache))).toEqual(before)
  })

  it('is what is printed: a run takes from it what it would have measured', async () => {
    const [path, cache] = [network(1), freshFolder()]
    await auditOf(path, { cache })
    const upper = new Set<number>()
    for (const file of entries(cache))
      upper.add(JSON.parse(JSON.parse(readFileSync(file, 'utf8')).entry).measurement.spectral.upper)
    const [model] = (await auditOf(path, { cache })).models
    for (const { spectral } of model.layers) expect(upper).toContain(spectral.upper)
  })

  it('measures what has changed and nothing else', async () => {
    const cache = freshFolder()
    await auditOf(network(1), { cache })
    const before = identityOf(entries(cache))
    const retrained = network(2)
    expect(await auditOf(retrained, { cache })).toEqual(await auditOf(retrained))
    const after = identityOf(entries(cache))
    expect(after.filter((entry) => before.includes(entry))).toEqual(before)
    expect(after.length).toBe(before.length + 1)
  })

  it.each([
    ['tolerance', { tolerance: 0.1 }],
    ['certificate', { certify: 'deterministic' }],
    ['seed', { seed: 3 }],
  ] as const)('keeps answers to other questions apart: %s', async (_, options) => {
    const [path, cache] = [network(1), freshFolder()]
    await auditOf(path, { cache })
    const count = entries(cache).length
    expect(await auditOf(path, { cache, ...options })).toEqual(await auditOf(path, options))
    expect(entries(cache).length).toBe(2 * count)
  })

  it('takes nothing from entries that are damaged, cut short or of another layer, and writes them anew', async () => {
    const [path, cache] = [network(1), freshFolder()]
    const plain = await auditOf(path, { cache })
    const whole = entries(cache).map((file) => readFileSync(file, 'utf8'))
    const damages: ((text: string, index: number) => string)[] = [
      () => '',
      (text) => text.slice(0, text.length / 2),
      (text) => text.replace(/(upper\\":)\d/, '$19'),
      (text) => text.replace(/\d/, '7x'),
      () => 'null',
      () => '{"check":1,"entry":2}',
      (_, index) => whole[(index + 1) % whole.length],
    ]
    for (const damage of damages) {
      for (const [index, file] of entries(cache).entries()) writeFileSync(file, damage(whole[index], index))
      expect(await auditOf(path, { cache })).toEqual(plain)
      expect(entries(cache).map((file) => readFileSync(file, 'utf8'))).toEqual(whole)
    }
  })

  it('is shared by runs at the same time', async () => {
    const cache = freshFolder()
    const paths = [network(1), network(2), network(1), network(3)]
    const together = await Promise.all(paths.map((path) => auditOf(path, { cache })))
    for (const [index, path] of paths.entries()) expect(together[index]).toEqual(await auditOf(path))
  })

  it('does without a folder that cannot be written', async () => {
    const path = network(1)
    const cache = join(freshFolder(), 'file')
    writeFileSync(cache, 'no folder')
    expect(await auditOf(path, { cache })).toEqual(await auditOf(path))
  })

  it('spares a survey what it knows, and keeps no survey', async () => {
    const [path, cache] = [network(1), freshFolder()]
    const limited = await auditOf(path, { cache, timeLimit: 1e6 })
    expect(limited).toEqual(await auditOf(path))
    const before = identityOf(entries(cache))
    expect(await auditOf(path, { cache, timeLimit: 1e6 })).toEqual(limited)
    expect(identityOf(entries(cache))).toEqual(before)
  })
})
