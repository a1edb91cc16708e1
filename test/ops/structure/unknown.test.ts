import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Shape, Tensor } from '../../../src/core/tensor.ts'
import { structureFamilies } from '../../../src/ops/structure/families.ts'
import { conformanceNames, hasConformanceData, readConformanceCase } from '../../helpers/node-cases.ts'
import { type Input, inferOnly, run } from '../../helpers/operator-bench.ts'

/** What is inferred from less must hold of what is inferred from more: the laws that keep unknowns sound. */

const declared = new Set(
  structureFamilies.flat().map((operator) => `${operator.domain ?? ''}:${operator.op}`),
)
const cases = conformanceNames()
  .map(readConformanceCase)
  .filter((one) => one !== null)
  .filter((one) => declared.has(`${one.domain}:${one.op}`) && one.isNumeric)

/** How much of an input is forgotten: nothing, its elements, its elements and some dims, or even its rank. */
type Forgetting = 'nothing' | 'elements' | 'dims' | 'rank'
const forgettings = fc.constantFrom<Forgetting>('nothing', 'elements', 'dims', 'rank')

function forget(tensor: Tensor | null, how: Forgetting, dims: readonly boolean[]): Input {
  if (tensor === null || how === 'nothing') return tensor
  if (how === 'elements') return { type: tensor.type, shape: tensor.dims }
  if (how === 'rank') return { type: tensor.type, shape: null }
  return { type: tensor.type, shape: tensor.dims.map((dim, axis) => (dims[axis % dims.length] ? null : dim)) }
}

function weakens(shape: Shape | null, dims: readonly number[]): boolean {
  return (
    shape === null ||
    (shape.length === dims.length && shape.every((dim, axis) => dim === null || dim === dims[axis]))
  )
}

describe.skipIf(!hasConformanceData)('inference that knows less', () => {
  it('never contradicts the expected shapes', () => {
    const choices = fc.record({
      one: fc.constantFrom(...cases),
      how: fc.array(forgettings, { minLength: 5, maxLength: 5 }),
      dims: fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }),
    })
    fc.assert(
      fc.property(choices, ({ one, how, dims }) => {
        const inputs = one.inputs.map((input, i) => forget(input, how[i % how.length], dims))
        const infos = inferOnly({ ...one, outputs: one.outputs.length }, inputs)
        one.outputs.forEach((expected, i) => {
          if (expected !== null) expect(weakens(infos[i].shape, expected.dims), one.name).toBe(true)
        })
      }),
      { numRuns: 4000, seed: 7 },
    )
  })
})

describe.skipIf(!hasConformanceData)('folding over unknown entries', () => {
  it('gives elements that are right or unknown', () => {
    const choices = fc.record({
      one: fc.constantFrom(
        ...cases.filter((one) => !one.op.includes('Random') && !one.op.includes('Bernoulli')),
      ),
      at: fc.array(fc.nat(30), { minLength: 1, maxLength: 3 }),
      which: fc.nat(4),
    })
    fc.assert(
      fc.property(choices, ({ one, at, which }) => {
        const spec = { ...one, outputs: one.outputs.length }
        const known = run(spec, one.inputs)
        const blank = which % Math.max(one.inputs.length, 1)
        const inputs = one.inputs.map((input, i) => {
          if (input === null || i !== blank || input.data.length === 0) return input
          const data = input.data.slice()
          for (const position of at) data[position % data.length] = Number.NaN
          return { ...input, data }
        })
        const unknown = run(spec, inputs)
        for (const [i, tensor] of (unknown ?? []).entries()) {
          const expected = known?.[i]
          expect(tensor.dims, one.name).toEqual(expected?.dims)
          tensor.data.forEach((x, n) => {
            if (!Number.isNaN(x) && !Number.isNaN(expected!.data[n]))
              expect(x, one.name).toBe(expected!.data[n])
          })
        }
      }),
      { numRuns: 4000, seed: 11 },
    )
  })
})
