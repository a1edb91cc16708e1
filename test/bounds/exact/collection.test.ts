import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { auditModel } from '../../../src/audit/model.ts'
import { collection, collectionIsThere, readTable } from '../../helpers/collection.ts'

describe.runIf(collectionIsThere)('networks whose constant others have computed', () => {
  const rows = collectionIsThere ? readTable('exact/EXACT.tsv') : []

  it.each(rows.map(({ net, exact }) => [net, Number(exact)] as const))('%s is %d', async (net, exact) => {
    // the one with sixty neurons is no matter of milliseconds
    const effort = net === 'lipsdp-random' ? 'high' : 'normal'
    const path = join(collection, 'exact', `${net}.onnx`)
    const { lipschitz } = await auditModel(path, { threads: 1, effort })
    expect(lipschitz.upper).toMatchObject({ method: 'exact', certificate: 'deterministic' })
    expect(lipschitz.upper.value).toBeGreaterThanOrEqual(exact * (1 - 1e-9))
    expect(lipschitz.upper.value).toBeLessThanOrEqual(exact * (1 + 1e-6))
    expect(lipschitz.lower?.value).toBeGreaterThanOrEqual(exact * (1 - 1e-6))
    expect(lipschitz.lower?.value).toBeLessThanOrEqual(lipschitz.upper.value as number)
  })
})
