import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bestOf, boundModel, constantOf, rungOf } from '../helpers/bounds.ts'
import { type Message, type ModelSpec, model, node } from '../helpers/onnx-builder.ts'
import { randomNetworks } from '../helpers/random-network.ts'
import { openNetwork, steepest, steepestSecants } from '../helpers/slope.ts'

describe('bounds of random networks', () => {
  it('are above every secant, in every rung, jointly and for each output', async () => {
    await fc.assert(
      fc.asyncProperty(randomNetworks(), fc.nat({ max: 1000 }), async ({ spec, shapes }, seed) => {
        const bounds = await boundModel(spec)
        const names = bounds.selected.outputs.map((output) => output.name)
        for (const [i, outputs] of [names, ...names.map((name) => [name])].entries()) {
          const network = await openNetwork(model(spec), shapes, { outputs })
          const secants = await steepestSecants(network, { seed, points: 2, scale: 2 })
          await network.release()
          for (const rung of bounds.ladder) {
            const bound = constantOf(i === 0 ? rung.joint : rung.outputs[i - 1])
            expect(steepest(secants)).toBeLessThanOrEqual(bound * (1 + 1e-5) + 1e-6)
          }
        }
      }),
      { numRuns: 150 },
    )
  })

  it('never get looser by refinement', async () => {
    await fc.assert(
      fc.asyncProperty(randomNetworks(15), async ({ spec }) => {
        const bounds = await boundModel(spec)
        const [plain, graph] = [rungOf(bounds, 'spectral-product'), rungOf(bounds, 'graph')]
        expect(constantOf(graph)).toBeLessThanOrEqual(constantOf(plain))
        expect(constantOf(plain)).toBeLessThanOrEqual(
          constantOf(rungOf(bounds, 'frobenius-product')) * (1 + 1e-12),
        )
        for (const output of bounds.best.outputs) {
          expect(constantOf(output)).toBeLessThanOrEqual(constantOf(graph) * (1 + 1e-12))
        }
      }),
      { numRuns: 150 },
    )
  })
})

/** Models that compute the same function, written otherwise. */
const rewritings: Readonly<Record<string, (spec: ModelSpec) => ModelSpec>> = {
  'other names': (spec) => renamed(spec, (name) => `layer/${name}:0`),
  'nodes in another order': (spec) => ({ ...spec, nodes: [...(spec.nodes ?? [])].reverse() }),
  'an Identity behind every node': (spec) => ({ ...spec, nodes: (spec.nodes ?? []).flatMap(wrapped) }),
  'MatMul and Add for Gemm': (spec) => ({ ...spec, nodes: (spec.nodes ?? []).flatMap(split) }),
}

function renamed(spec: ModelSpec, rename: (name: string) => string): ModelSpec {
  const keys = <V>(record: Readonly<Record<string, V>> = {}) =>
    Object.fromEntries(Object.entries(record).map(([name, value]) => [rename(name), value]))
  const all = (names: unknown) => (names as string[]).map(rename)
  return {
    ...spec,
    inputs: keys(spec.inputs as Record<string, readonly number[]>),
    outputs: keys(spec.outputs as Record<string, readonly number[]>),
    initializers: keys(spec.initializers),
    nodes: spec.nodes?.map((one) => ({ ...one, input: all(one.input), output: all(one.output) })),
  }
}

function wrapped(one: Message): Message[] {
  const [output] = one.output as string[]
  return [{ ...one, output: [`${output}_inner`] }, node('Identity', [`${output}_inner`], [output])]
}

/** Gemm with transB as Transpose, MatMul and Add. */
function split(one: Message): Message[] {
  if (one.opType !== 'Gemm') return [one]
  const [x, weights, bias] = one.input as string[]
  const [output] = one.output as string[]
  return [
    node('Transpose', [weights], [`${output}_w`], { perm: [1, 0] }),
    node('MatMul', [x, `${output}_w`], [`${output}_p`]),
    node('Add', [bias, `${output}_p`], [output]),
  ]
}

describe('bounds do not depend on how a model is written', () => {
  it.each(Object.entries(rewritings))('%s', async (_, rewrite) => {
    await fc.assert(
      fc.asyncProperty(randomNetworks(), async ({ spec }) => {
        const [before, after] = [bestOf(await boundModel(spec)), bestOf(await boundModel(rewrite(spec)))]
        expect(after).toBeGreaterThanOrEqual(before * (1 - 1e-6))
        expect(after).toBeLessThanOrEqual(before * (1 + 1e-6))
      }),
      { numRuns: 40 },
    )
  })
})
