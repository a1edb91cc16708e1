import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { boundBelow } from '../../../src/audit/lower.ts'
import type { AuditOptions } from '../../../src/audit/options.ts'
import { proveBounds } from '../../../src/audit/proof.ts'
import * as mag from '../../../src/core/magnitude.ts'
import { normNames } from '../../../src/core/norm-name.ts'
import { createRandom, gaussianVector } from '../../../src/core/random.ts'
import { readModel } from '../../../src/graph/read-model.ts'
import { inferModel } from '../../../src/infer/infer.ts'
import type { TypedGraph } from '../../../src/infer/typed-graph.ts'
import type { TensorBound } from '../../../src/ops/bound.ts'
import { type ModelSpec, model, writeTemporary } from '../../helpers/onnx-builder.ts'
import { blockKinds, randomBlock } from '../../helpers/random-blocks.ts'
import { randomStack } from '../../helpers/random-stack.ts'
import { randomGraph } from '../../helpers/soundness/random-graph.ts'

/** Networks of each generator; more by `PROPERTY_RUNS=1000 npx vitest run test/bounds/lower/consistency.test.ts`. */
const runs = Number(process.env.PROPERTY_RUNS ?? 10)

const domains = ['global', 'box', 'l2', 'linf'] as const

function domainOf(
  typed: TypedGraph,
  domain: (typeof domains)[number],
  seed: number,
): Pick<AuditOptions, 'inputRanges' | 'ball'> {
  if (domain === 'global') return {}
  if (domain === 'box') return { inputRanges: [{ input: null, lo: -1, hi: 0.5 }] }
  const random = createRandom(seed)
  const elements = new Map(
    typed.graph.inputs.map((input) => {
      const dims = typed.operand(input).shape as number[]
      const size = dims.reduce((product, dim) => product * dim, 1)
      return [input.name, { dims, data: gaussianVector(size, random) }] as const
    }),
  )
  return { ball: { name: 'p', read: () => elements, radius: 10 ** -(seed % 4), norm: domain } }
}

const boundOf = ({ lipschitz, refusal }: TensorBound) =>
  refusal === null ? mag.toNumber(lipschitz.value) : Infinity

/** Whether both sides were proven, and the lower one is not above any rung, of all outputs or of one. */
async function holds(spec: ModelSpec, seed: number, options: AuditOptions, description: string) {
  const typed = inferModel(readModel(writeTemporary(model(spec))))
  const proof = await proveBounds(typed, { threads: 1, ...options })
  const lower = await boundBelow(typed, proof, { seed, ...options }, {})
  if (lower === null) return false
  let isBounded = false
  for (const { method, joint, outputs } of proof.bounds.ladder) {
    const context = `${method} ${JSON.stringify(options)} seed ${seed}\n${description}`
    // a rounding node between may add an offset, which a quotient of near points cannot be held against
    if (mag.toNumber(joint.offset.value) > 0) continue
    isBounded ||= boundOf(joint) < Infinity
    expect(lower.value, context).toBeLessThanOrEqual(boundOf(joint))
    outputs.forEach((output, i) => {
      expect(lower.outputs[i], `output ${i}: ${context}`).toBeLessThanOrEqual(boundOf(output))
    })
  }
  return isBounded
}

/** A property over seeds, domains and norms; how many were bounded on both sides is at least `least` of all. */
async function checkAll(specOf: (seed: number) => { spec: ModelSpec; text: string } | null, least: number) {
  let [bounded, all] = [0, 0]
  const property = fc.asyncProperty(
    fc.integer({ min: 0, max: 2 ** 31 - 1 }),
    fc.constantFrom(...domains),
    fc.constantFrom('fast', 'normal'),
    fc.constantFrom('l2', ...normNames),
    async (seed, domain, effort, norm) => {
      const made = specOf(seed)
      if (made === null) return
      const typed = inferModel(readModel(writeTemporary(model(made.spec))))
      all++
      if (await holds(made.spec, seed, { effort, norm, ...domainOf(typed, domain, seed) }, made.text))
        bounded++
    },
  )
  await fc.assert(property, { numRuns: runs, endOnFailure: true })
  expect(bounded).toBeGreaterThan(least * all)
}

describe('no upper bound is below a lower one', () => {
  it('of stacks of dense layers, convolutions, pools, residuals and activations', async () => {
    await checkAll((seed) => ({ spec: randomStack(seed), text: '' }), 0.8)
  })

  it('of graphs of any operators', async () => {
    await checkAll((seed) => {
      const graph = randomGraph(seed)
      return graph && { spec: graph.spec, text: graph.description }
    }, 0.2)
  })

  it.each(blockKinds)('of %s networks', async (kind) => {
    await checkAll((seed) => ({ spec: randomBlock(kind, seed), text: kind }), 0.1)
  })
})
