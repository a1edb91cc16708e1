import { describe, expect, it } from 'vitest'
import * as mag from '../../src/core/magnitude.ts'
import type { Value } from '../../src/graph/graph.ts'
import { boundFile, constantOf } from '../helpers/bounds.ts'
import { conformanceCases, conformanceDataExists } from '../helpers/conformance.ts'
import { norm, openNetwork, steepestSecants } from '../helpers/slope.ts'

/** Runtimes draw anew, or differ from the standard. */
const unfit = /dropout|bernoulli|random/

const cases = conformanceCases().filter(({ name }) => !unfit.test(name))

/** Elements of inputs and outputs that are still run hundreds of times. */
const largest = 4_000

function isSmallFloat({ declared: { type, shape } }: Value): boolean {
  const size = (shape ?? []).reduce<number>((product, dim) => product * (dim ?? 1), 1)
  return type === 'float32' && size <= largest
}

async function heldAgainstSecants(one: (typeof cases)[number]): Promise<boolean> {
  const given = one.withOneInput()
  if (given === null) return false
  const bounds = await boundFile(given.path, { inputs: [given.name] }, 1e-3).catch(() => null)
  if (bounds === null || bounds.refusal !== null) return false
  const { joint } = bounds.best
  const { outputs: selected } = bounds.selected
  if (given.value.length > largest || selected.some((output) => !isSmallFloat(output))) return false
  const outputs = selected.map((output) => output.name)
  const network = await openNetwork(given.path, { [given.name]: given.dims }, { outputs }).catch(() => null)
  if (network === null) return false
  try {
    const scale = Math.max(0.1, norm(given.value) / Math.sqrt(given.value.length))
    const small = network.size <= 64
    const search = { points: small ? 2 : 4, jacobian: small, scale }
    const secants = [
      ...(await steepestSecants(network, { seed: 1, ...search })),
      ...(await steepestSecants(network, { seed: 2, ...search, flat: true })),
    ]
    const [bound, offset] = [constantOf(joint), mag.toNumber(joint.offset.value)]
    for (const { difference, distance } of secants) {
      if (!Number.isFinite(difference)) continue
      expect(difference).toBeLessThanOrEqual(bound * distance * (1 + 1e-4) + offset + 1e-6)
    }
    return true
  } catch (error) {
    if (
      error instanceof Error &&
      /onnxruntime|ORT|Non-zero status|Unexpected|Invalid rank/.test(error.message)
    )
      return false
    throw error
  } finally {
    await network.release()
  }
}

/** Tests of one operator that are run at most. */
const mostPerOperator = 8

describe.skipIf(!conformanceDataExists)('operators of the standard, as its own tests use them', () => {
  const kinds = [...new Set(cases.flatMap(({ operators }) => operators.slice(0, 1)))].sort()
  let held = 0

  it.each(kinds)('%s: no secant is steeper than a finite bound', async (kind) => {
    for (const one of cases.filter(({ operators }) => operators[0] === kind).slice(0, mostPerOperator)) {
      if (await heldAgainstSecants(one)) held++
    }
  })

  it('finds bounds for hundreds of them', () => {
    expect(held).toBeGreaterThan(200)
  })
})
