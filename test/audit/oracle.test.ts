import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { audit } from '../../src/audit/audit.ts'
import { collection, collectionIsThere, readTable } from '../helpers/collection.ts'

/** Norms that LAPACK, or a sparse operator at the inferred input size, gave in float64. */
const rows = collectionIsThere ? readTable('ORACLE.tsv') : []
const paths = [...new Set(rows.map((row) => row.path))]

describe.skipIf(!collectionIsThere)('layers of real models', () => {
  it('has rows to compare with', () => {
    expect(rows.length).toBeGreaterThan(200)
  })

  it.each(paths)('%s: every reference norm lies in its enclosure', async (path) => {
    const { models } = await audit([join(collection, path)], { threads: 1 })
    for (const row of rows.filter((candidate) => candidate.path === path)) {
      const found = models[0].layers.filter((layer) =>
        row.node === '' ? layer.weight === row.weight : layer.node === row.node && layer.op === row.op,
      )
      expect(
        found.map((layer) => layer.shape.join('x')),
        `${row.node} ${row.weight}`,
      ).toEqual([row.weight_shape])
      const { lower, upper } = found[0].spectral
      const sigma = Number(row.sigma1)
      expect(lower, row.node).toBeLessThanOrEqual(sigma * (1 + 1e-6))
      expect(upper, row.node).toBeGreaterThanOrEqual(sigma * (1 - 1e-6))
      expect((upper! - lower!) / upper!, row.node).toBeLessThanOrEqual(1e-3)
    }
  })
})
