import { describe, expect, it } from 'vitest'
import type { Tensor } from '../../../src/core/tensor.ts'
import { numericFamilies } from '../../../src/ops/numeric/families.ts'
import { findOperator } from '../../../src/ops/registry.ts'
import { conformanceNames, hasConformanceData, readConformanceCase } from '../../helpers/node-cases.ts'
import { inferOnly, run } from '../../helpers/operator-bench.ts'

const declared = new Set(numericFamilies.flat().map((operator) => `${operator.domain ?? ''}:${operator.op}`))
const cases = conformanceNames()
  .map(readConformanceCase)
  .filter((one) => one !== null)
  .filter((one) => declared.has(`${one.domain}:${one.op}`) && one.isNumeric)

/** Stored in uint16, bfloat16 is not the type that the operator writes. */
const isMistyped = (name: string) => name.includes('BFLOAT16')

function expectClose(actual: Tensor, expected: Tensor): void {
  expect(actual.type).toBe(expected.type)
  expect(actual.dims).toEqual(expected.dims)
  for (let i = 0; i < expected.data.length; i++) {
    const [a, b] = [actual.data[i], expected.data[i]]
    if (Object.is(a, b) || (Number.isNaN(a) && Number.isNaN(b))) continue
    if (!(Math.abs(a - b) <= 1e-5 * (0.1 + Math.abs(b)))) expect.fail(`element ${i} is ${a}, expected ${b}`)
  }
}

describe.skipIf(!hasConformanceData)('numeric operators on the node tests of the standard', () => {
  it('covers the families', () => {
    expect(cases.length).toBeGreaterThan(300)
  })

  it.each(cases.map((one) => [one.name, one] as const))('%s', (name, one) => {
    const spec = { ...one, outputs: one.outputs.length }
    const infos = inferOnly(spec, one.inputs)
    one.outputs.forEach((expected, i) => {
      if (expected === null) return
      if (!isMistyped(name)) expect(infos[i].type).toBe(expected.type)
      expect(infos[i].shape).toEqual(expected.dims)
    })
    if (findOperator(one.domain, one.op, one.version)?.fold === undefined || isMistyped(name)) return
    const folded = run(spec, one.inputs)
    one.outputs.forEach((expected, i) => {
      if (expected !== null && folded !== null) expectClose(folded[i], expected)
    })
  })
})
