import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { relativeWidth } from '../../src/core/enclosure.ts'
import { readModel } from '../../src/graph/read-model.ts'
import { inferModel } from '../../src/infer/infer.ts'
import { layersOf } from '../../src/infer/layers.ts'
import { measureLayers } from '../../src/norms/measure.ts'
import type { MeasureOptions } from '../../src/norms/measurement.ts'

const collection = resolve(import.meta.dirname, '../../../shared/models')
const oracle = join(collection, 'ORACLE.tsv')

const options: MeasureOptions = {
  tolerance: 1e-3,
  certify: 'probabilistic',
  seed: 0,
  threads: 1,
  failureProbability: 1e-10,
}

interface Row {
  readonly op: string
  readonly node: string
  readonly weight: string
  readonly norm: number
}

function rowsByModel(): Map<string, Row[]> {
  const byModel = new Map<string, Row[]>()
  for (const line of readFileSync(oracle, 'utf8').trim().split('\n').slice(1)) {
    const [path, , op, node, weight, , , , , , , , sigma] = line.split('\t')
    byModel.set(path, [...(byModel.get(path) ?? []), { op, node, weight, norm: Number(sigma) }])
  }
  return byModel
}

describe.skipIf(!existsSync(oracle))('layer norms of real models', () => {
  for (const [path, rows] of existsSync(oracle) ? rowsByModel() : []) {
    it(`encloses the independently computed norms of ${path}`, async () => {
      const layers = layersOf(inferModel(readModel(join(collection, path))))
      const measured = await measureLayers(layers, options)
      for (const row of rows) {
        const found = layers.filter(
          ({ node, spec }) => spec.weightName === row.weight && (row.node === '' || node.name === row.node),
        )
        expect(found.length, `${row.node} ${row.weight}`).toBeGreaterThan(0)
        const enclosures = found.map(({ key }) => measured.get(key)?.spectral ?? null)
        const enclosing = enclosures.find(
          (enclosure) =>
            enclosure !== null &&
            enclosure.lower <= row.norm * (1 + 1e-9) &&
            enclosure.upper >= row.norm * (1 - 1e-9),
        )
        expect(enclosing, `${row.op} ${row.weight} ${row.norm} ${JSON.stringify(enclosures)}`).toBeDefined()
        if (enclosing) expect(relativeWidth(enclosing), row.weight).toBeLessThanOrEqual(options.tolerance)
      }
    })
  }
})
