import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import proto from 'onnx-proto'
import { describe, expect, it } from 'vitest'
import { audit } from '../../src/audit/audit.ts'
import { type ModelReport, Report } from '../../src/audit/report-schema.ts'
import { collection, collectionIsThere } from '../helpers/collection.ts'

const fixtures = resolve(import.meta.dirname, '../../fixtures')
const twins = readdirSync(join(fixtures, 'formats')).filter((file) => file.endsWith('.onnx'))

async function auditOne(path: string): Promise<ModelReport> {
  const { models, errors } = await audit(path, { threads: 1 })
  expect(errors).toEqual([])
  return models[0]
}

const norms = (model: ModelReport) =>
  [...model.layers].sort((a, b) => a.order - b.order).map((layer) => layer.spectral.upper as number)

describe('twins of the digit network', () => {
  const original = auditOne(join(fixtures, 'trained/digits-mlp.onnx'))

  it.each(twins)('%s: the same layers and the same bound', async (file) => {
    const [expected, twin] = [await original, await auditOne(join(fixtures, 'formats', file))]
    const digits = file.startsWith('same-') ? 1e-9 : 0.02
    const [ours, theirs] = [expected, twin].map(
      ({ lipschitz }) => lipschitz.ladder.find(({ method }) => method === 'graph')?.value ?? Number.NaN,
    )
    expect(Math.abs(theirs / ours - 1)).toBeLessThan(digits)
    // a descent ends a little elsewhere where sums run in another order, and a body of If ends a window
    const best = (twin.lipschitz.upper.value as number) / (expected.lipschitz.upper.value as number)
    expect(Math.abs(best - 1)).toBeLessThan(file.includes('if') ? 0.2 : 0.02)
    for (const norm of norms(expected)) {
      expect(norms(twin).some((other) => Math.abs(other / norm - 1) < digits)).toBe(true)
    }
  })

  it('lists the layers of branches that are never taken, without elasticity', async () => {
    const { layers } = await auditOne(join(fixtures, 'formats/same-if-bodies.onnx'))
    const never = layers.filter((layer) => layer.node.includes('never'))
    expect(never.map((layer) => [layer.spectral.upper, layer.elasticity])).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
    ])
  })
})

describe('a residual network', () => {
  it('gives its branches elasticities that add to that of the trunk', async () => {
    const { layers } = await auditOne(join(fixtures, 'trained/digits-resnet-folded.onnx'))
    const elasticity = (node: string) => layers.find((layer) => layer.node === node)?.elasticity as number
    expect(elasticity('/0/Conv')).toBeCloseTo(1, 9)
    expect(elasticity('/5/main/main.3/Conv') + elasticity('/5/skip/Conv')).toBeCloseTo(1, 9)
    expect(elasticity('/3/main/main.0/Conv')).toBeLessThan(1)
  })
})

describe('a spectrally normalised network', () => {
  it('has convolutions whose true norm is not 1, the reshaped kernels having it', async () => {
    const { layers } = await auditOne(join(fixtures, 'trained/digits-spectral.onnx'))
    const conv = layers.filter((layer) => layer.kind === 'conv')
    const dense = layers.filter((layer) => layer.kind === 'dense')
    expect(conv).toHaveLength(2)
    for (const layer of conv) expect(layer.spectral.lower).toBeGreaterThan(1.3)
    expect(dense).toHaveLength(1)
    // torch's one power iteration per step leaves a few per cent
    expect(dense[0].spectral.lower).toBeGreaterThan(0.95)
    expect(dense[0].spectral.upper).toBeLessThan(1.1)
  })
})

describe('reports', () => {
  const paths = ['trained/digits-mlp.onnx', 'trained/digits-resnet.onnx', 'formats/near-int8-channel.onnx']
  const all = paths.map((path) => join(fixtures, path))

  it('validate against the schema and hold the contract of one model each', async () => {
    const report = await audit(all, { maxLipschitz: 100, maxLayer: 5 })
    expect(Report.parse(report)).toEqual(report)
    expect(report.models.map((model) => model.path)).toEqual(all)
    expect(report.verdict).toBe('fail')
  })

  it('are equal to the byte, whatever the number of threads', async () => {
    const once = JSON.stringify(await audit(all, { threads: 1 }))
    expect(JSON.stringify(await audit(all, { threads: 2 }))).toBe(once)
    expect(JSON.stringify(await audit(all, { threads: 3 }))).toBe(once)
  })

  it('keep what can be audited when a file cannot', async () => {
    const missing = join(fixtures, 'missing.onnx')
    const report = await audit([missing, all[0]])
    expect(report.models).toHaveLength(1)
    expect(report.errors).toMatchObject([{ path: missing, code: 'not-found' }])
  })

  it('refuse options that no model could meet', async () => {
    for (const options of [
      { maxLipschitz: -1 },
      { maxLayer: Number.NaN },
      { tolerance: 0 },
      { threads: 1.5 },
    ]) {
      await expect(audit(all, options)).rejects.toMatchObject({ code: 'usage' })
    }
  })
})

describe.skipIf(!collectionIsThere)('a real model with external data', () => {
  it('audits as its twin with the data inside', async () => {
    const path = join(collection, 'rten/external/mnist.onnx')
    const model = proto.onnx.ModelProto.decode(readFileSync(path))
    for (const tensor of model.graph?.initializer ?? []) {
      const facts = new Map(tensor.externalData?.map(({ key, value }) => [key, value]))
      if (!facts.has('location')) continue
      const offset = Number(facts.get('offset') ?? 0)
      const bytes = readFileSync(join(collection, 'rten/external', facts.get('location') as string))
      tensor.rawData = bytes.subarray(offset, offset + Number(facts.get('length') ?? bytes.length - offset))
      tensor.externalData = []
      tensor.dataLocation = 0
    }
    const inline = join(mkdtempSync(join(tmpdir(), 'lipschitz-')), 'inline.onnx')
    writeFileSync(inline, proto.onnx.ModelProto.encode(model).finish())
    const [outside, inside] = [await auditOne(path), await auditOne(inline)]
    expect(inside.layers).toEqual(outside.layers)
    expect(inside.lipschitz).toEqual(outside.lipschitz)
  })
})
