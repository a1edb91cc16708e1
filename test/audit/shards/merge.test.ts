import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { audit, auditEach } from '../../../src/audit/audit.ts'
import type { AuditOptions } from '../../../src/audit/options.ts'
import { checkShards, mergeShards } from '../../../src/audit/shards/merge.ts'
import { decodeMeasurement, encodeMeasurement, type ShardReport } from '../../../src/audit/shards/record.ts'
import { auditShard } from '../../../src/audit/shards/shard.ts'
import { createRandom } from '../../../src/core/random.ts'
import { createStop } from '../../../src/core/stop.ts'
import { renderJson } from '../../../src/report/json.ts'
import { model, modelFile, node, tensor } from '../../helpers/onnx-builder.ts'

const fixtures = resolve(import.meta.dirname, '../../../fixtures/trained')
const resnet = join(fixtures, 'digits-resnet.onnx')
const mlp = join(fixtures, 'digits-mlp.onnx')

/** A model with a weight that is not finite, one that stands twice, and a scale. */
function odd(): string {
  const random = createRandom(5)
  const weights = (...dims: number[]) =>
    tensor(
      dims,
      Float32Array.from({ length: dims.reduce((a, b) => a * b) }, () => random.gaussian()),
    )
  return modelFile({
    inputs: { x: [1, 50] },
    outputs: ['y'],
    initializers: {
      twice: weights(50, 50),
      scale: weights(50),
      broken: tensor([50, 2], new Float32Array(100).fill(Number.NaN, 3, 4)),
    },
    nodes: [
      node('MatMul', ['x', 'twice'], ['a']),
      node('Mul', ['a', 'scale'], ['b']),
      node('Relu', ['b'], ['c']),
      node('MatMul', ['c', 'twice'], ['d']),
      node('MatMul', ['d', 'broken'], ['y']),
    ],
  })
}

const requestsOf = (paths: readonly string[], options: AuditOptions = {}) =>
  paths.map((path) => ({
    path,
    options: { threads: 1, effort: 'fast' as const, ...options },
    question: { seed: ['0'] },
  }))

/** All shards, written and read again. */
async function shardsOf(
  paths: readonly string[],
  count: number,
  options: AuditOptions = {},
): Promise<ShardReport[]> {
  const shards: ShardReport[] = []
  for (let index = count; index >= 1; index--) {
    const report = await auditShard(requestsOf(paths, options), { index, count })
    shards.push(JSON.parse(renderJson(report)))
  }
  return shards
}

const named = (shards: readonly ShardReport[]) =>
  shards.map((report) => ({ path: `part-${report.shard?.index}.json`, report }))

describe('shards', () => {
  it.each([
    ['one model', () => [resnet]],
    ['several models', () => [mlp, resnet, odd()]],
    ['a model twice, and one that is not there', () => [resnet, '/nowhere/x.onnx', resnet, odd()]],
  ])('join to the bytes of a run without shards: %s', async (_, pathsOf) => {
    const paths = pathsOf()
    const options = { maxLayer: 5, maxLipschitz: 100 }
    const whole = renderJson(await audit(paths, { threads: 1, effort: 'fast', ...options }))
    let parted = 0
    for (const count of [1, 4]) {
      const shards = checkShards(named(await shardsOf(paths, count)))
      parted += shards.flatMap(({ shard }) => shard.parts).length
      expect(renderJson(await mergeShards(shards, requestsOf(paths, options)))).toBe(whole)
    }
    expect(parted).toBeGreaterThan(1)
  })

  it('that ended at a time limit join to bounds that are proven, and say so', async () => {
    const expired = createStop({ timeLimit: 1e9 })
    const whole = await auditShard(requestsOf([resnet]), { index: 1, count: 2 })
    const [part] = whole.shard.parts
    const survey = part.layers.map(({ key, measurement }) => ({
      key,
      measurement: { ...measurement, unfinished: 'time-limit' },
    }))
    const cut = { ...whole, shard: { ...whole.shard, parts: [{ ...part, layers: survey }] } }
    const other = await auditShard(requestsOf([resnet]), { index: 2, count: 2 })
    const shards = checkShards(named([cut, other]))
    const { models } = await mergeShards(shards, requestsOf([resnet]), { stop: expired })
    const open = models[0].findings.filter(({ rule }) => rule === 'time-limit')
    expect(open.length).toBeGreaterThan(0)
  })
})

describe('a merge', () => {
  const refused = (reports: readonly ShardReport[]) => {
    try {
      checkShards(named(reports))
    } catch (error) {
      return (error as Error).message
    }
    throw new Error('it was not refused')
  }

  it('refuses what is not all shards of one run, and says what is wrong', async () => {
    const [three, two, one] = await shardsOf([mlp, resnet], 3)
    expect(refused([one, three])).toBe('shard 2/3 missing')
    expect(refused([two])).toBe('shards 1/3, 3/3 missing')
    expect(refused([one, two, three, two])).toContain(
      'shard 2/3 is there twice, as part-2.json and as part-2.json',
    )
    const changed = (changes: object): ShardReport => ({ ...two, shard: { ...two.shard, ...changes } })
    expect(refused([one, changed({ count: 4 }), three])).toContain('of 3 and of 4 shards')
    expect(refused([one, changed({ index: 7 }), three])).toContain('shard 7 of 3')
    expect(refused([one, changed({ plan: 'other' }), three])).toContain('part the work in different ways')
    expect(refused([one, changed({ complete: false }), three])).toContain('shard 2/3 was interrupted')
    const modelOf = (changes: object) =>
      changed({ models: two.shard.models.map((each) => ({ ...each, ...changes })) })
    expect(refused([one, modelOf({ path: 'other.onnx' }), three])).toContain('are of different models')
    expect(refused([one, modelOf({ sha256: '00' }), three])).toContain(`read different files as ${mlp}`)
    expect(refused([one, modelOf({ question: { seed: ['1'] } }), three])).toContain(
      `differ in a setting of ${mlp}: seed is 0 in one, 1 in the other`,
    )
    const older = { ...two, tool: { ...two.tool, version: '0.0.1' } }
    expect(refused([one, older, three])).toContain('was made by version 0.0.1')
    const { shard: _, ...plain } = two
    expect(refused([one, plain as ShardReport])).toContain('is no report of a shard')
    expect(refused([])).toContain('no report is given')
  })

  it('finds that the model is no longer what the shards have read', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'lipschitz-')), 'net.onnx')
    const network = (value: number) => ({
      inputs: { x: [1, 60] },
      outputs: ['y'],
      initializers: {
        a: tensor([60, 60], new Float32Array(3600).fill(value)),
        b: tensor([60, 60], new Float32Array(3600).fill(2)),
      },
      nodes: [node('MatMul', ['x', 'a'], ['h']), node('MatMul', ['h', 'b'], ['y'])],
    })
    const { readFileSync } = await import('node:fs')
    writeFileSync(path, readFileSync(modelFile(network(1))))
    const shards = checkShards(named(await shardsOf([path], 2)))
    writeFileSync(path, readFileSync(modelFile(network(3))))
    const report = await mergeShards(shards, requestsOf([path]))
    expect(report.errors).toMatchObject([
      { path, code: 'malformed', message: expect.stringContaining('not the one') },
    ])
  })

  it('finds that weights beside the model are no longer what the shards have read', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lipschitz-'))
    const path = join(folder, 'net.onnx')
    const outside = (location: string) => ({
      dims: [60, 60],
      dataType: 1,
      dataLocation: 1,
      externalData: [{ key: 'location', value: location }],
    })
    const write = (name: string, value: number) =>
      writeFileSync(join(folder, name), new Float32Array(3600).fill(value))
    const initializers = { a: outside('a.bin'), b: outside('b.bin') }
    const nodes = [node('MatMul', ['x', 'a'], ['h']), node('MatMul', ['h', 'b'], ['y'])]
    writeFileSync(path, model({ inputs: { x: [1, 60] }, outputs: ['y'], initializers, nodes }))
    write('a.bin', 1)
    write('b.bin', 2)
    const shards = checkShards(named(await shardsOf([path], 2)))
    // written anew with the same content is the same
    write('b.bin', 2)
    expect((await mergeShards(shards, requestsOf([path]))).errors).toEqual([])
    write('b.bin', 3)
    expect((await mergeShards(shards, requestsOf([path]))).errors).toMatchObject([
      { path, code: 'malformed', tensor: 'b', message: expect.stringContaining('not those that a shard') },
    ])
  })
})

describe('a measurement in a report', () => {
  it('is what it was, numbers that JSON does not have included', async () => {
    const measurement = {
      frobenius: { weight: Number.NaN, operator: Infinity },
      spectral: null,
      weightSha256: 'ab',
      nonFinite: { index: 3, value: 'NaN' },
    }
    expect(decodeMeasurement(JSON.parse(JSON.stringify(encodeMeasurement(measurement))))).toEqual(measurement)
  })

  it('goes through a report without judging: verdicts are those of the merge', async () => {
    const [two, one] = await shardsOf([mlp, resnet], 2, { maxLayer: 1e-3 })
    expect([...one.models, ...two.models].flatMap(({ gates }) => gates)).toEqual([])
    const requests = requestsOf([mlp, resnet], { maxLayer: 1e-3 })
    expect(await mergeShards(checkShards(named([one, two])), requests)).toEqual(await auditEach(requests))
  })
})
