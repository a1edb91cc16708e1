import { describe, expect, it } from 'vitest'
import { audit } from '../../src/audit/audit.ts'
import type { AuditOptions } from '../../src/audit/options.ts'
import { model, node, writeTemporary } from '../helpers/onnx-builder.ts'

/** y = x·z, elementwise: |Δy| ≤ sup|z|·|Δx| + sup|x|·|Δz|. */
const file = writeTemporary(
  model({
    inputs: { x: [1, 4], z: [1, 4] },
    outputs: { y: [1, 4] },
    nodes: [node('Mul', ['x', 'z'], ['y'])],
  }),
)

async function auditWith(inputRanges: AuditOptions['inputRanges']) {
  const { models, errors } = await audit(file, { threads: 1, inputRanges })
  return { model: models[0], error: errors[0] }
}

const x = { input: 'x', lo: 0, hi: 3 }
const z = { input: 'z', lo: -4, hi: 4 }

describe('the domain', () => {
  it('is everything where no range is given', async () => {
    const { model } = await auditWith(undefined)
    expect(model.domain).toEqual({ kind: 'global' })
    expect(model.lipschitz.upper.unbounded).toBe(true)
  })

  it('is a box where ranges are given, and a finding says so', async () => {
    const { model } = await auditWith([x, z])
    expect(model.domain).toEqual({ kind: 'box', ranges: [x, z] })
    expect(model.lipschitz.upper.value).toBeCloseTo(5, 9)
    expect(model.findings).toContainEqual({
      rule: 'input-range',
      level: 'warning',
      message: 'the bound holds for x in [0, 3], z in [-4, 4] alone',
    })
  })

  it('takes a range without a name for all other inputs', async () => {
    const { model } = await auditWith([{ ...z, input: null }, x])
    expect(model.lipschitz.upper.value).toBeCloseTo(5, 9)
  })

  it.each([
    [[{ ...x, input: 'w' }], "the model has no input 'w'"],
    [[x, x], 'the range of x is given twice'],
    [[{ ...x, lo: 4 }], 'the range of x is 4,3'],
  ])('refuses %j', async (ranges, message) => {
    expect((await auditWith(ranges)).error).toMatchObject({ code: 'usage', message })
  })
})
