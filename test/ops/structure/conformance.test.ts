import { describe, expect, it } from 'vitest'
import type { Tensor } from '../../../src/core/tensor.ts'
import { findOperator } from '../../../src/ops/registry.ts'
import { structureFamilies } from '../../../src/ops/structure/families.ts'
import { conformanceNames, hasConformanceData, readConformanceCase } from '../../helpers/node-cases.ts'
import { inferOnly, run } from '../../helpers/operator-bench.ts'

/** Operators whose results are random, or that are typed but not computed. */
const notFolded = new Set([
  'Bernoulli',
  'BitCast',
  'CenterCropPad',
  'NonMaxSuppression',
  'Resize',
  'ReverseSequence',
  'StringNormalizer',
  'TfIdfVectorizer',
  'TopK',
  'Unique',
  'Upsample',
])

/** Stored bit patterns of bfloat16 under the name of uint16: not the type that the operator writes. */
const isMistyped = (name: string) => name.includes('BFLOAT16')

/** The expected values of windows were computed with π cut after a few digits. */
const toleranceOf = (op: string) => (op.endsWith('Window') ? 1e-3 : 1e-5)

const declared = new Set(
  structureFamilies.flat().map((operator) => `${operator.domain ?? ''}:${operator.op}`),
)
const cases = conformanceNames()
  .map(readConformanceCase)
  .filter((one) => one !== null)
  .filter((one) => declared.has(`${one.domain}:${one.op}`) && one.isNumeric && !isMistyped(one.name))

/** An element that folding leaves unknown (NaN) is right whatever is expected, but only where NaN is an input. */
function expectClose(actual: Tensor, expected: Tensor, tolerance: number, mayBeUnknown: boolean): void {
  expect(actual.type).toBe(expected.type)
  expect(actual.dims).toEqual(expected.dims)
  for (let i = 0; i < expected.data.length; i++) {
    const [a, b] = [actual.data[i], expected.data[i]]
    if (mayBeUnknown && Number.isNaN(a)) continue
    if (a !== b && !(Math.abs(a - b) <= tolerance * (0.1 + Math.abs(b)))) {
      expect.fail(`element ${i} is ${a}, expected ${b}`)
    }
  }
}

describe.skipIf(!hasConformanceData)('structural operators on the node tests of the standard', () => {
  it('covers the families', () => {
    expect(cases.length).toBeGreaterThan(250)
  })

  it.each(cases.map((one) => [one.name, one] as const))('%s', (_, one) => {
    const spec = { ...one, outputs: one.outputs.length }
    const infos = inferOnly(spec, one.inputs)
    one.outputs.forEach((expected, i) => {
      if (expected === null) return
      expect(infos[i].type).toBe(expected.type)
      expect(infos[i].shape?.length).toBe(expected.dims.length)
      const wrong = infos[i].shape?.findIndex((dim, axis) => dim !== null && dim !== expected.dims[axis])
      expect(wrong).toBe(-1)
      if (!findOperator(one.domain, one.op, one.version)?.shapesFollowData)
        expect(infos[i].shape).toEqual(expected.dims)
    })
    if (notFolded.has(one.op)) return
    const folded = run(spec, one.inputs)
    if (one.name.includes('training')) {
      expect(folded).toBeNull()
      return
    }
    expect(folded).not.toBeNull()
    const mayBeUnknown = one.inputs.some((input) => input?.data.some(Number.isNaN))
    one.outputs.forEach((expected, i) => {
      if (expected !== null) expectClose(folded![i], expected, toleranceOf(one.op), mayBeUnknown)
    })
  })
})
