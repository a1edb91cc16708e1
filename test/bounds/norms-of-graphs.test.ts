import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { both, boundOf, pairsApart } from '../helpers/norm-cases.ts'
import { model } from '../helpers/onnx-builder.ts'
import { type Network, openNetwork } from '../helpers/slope.ts'
import { randomGraph } from '../helpers/soundness/random-graph.ts'

const boxes = [undefined, [-1, 1], [0.2, 1.5], [-3, -0.5]] as const
const graphs = Number(process.env.NORM_RUNS ?? 60)

const runs = (network: Network) =>
  network.run(new Float32Array(network.size).fill(0.5)).then(
    () => true,
    () => false,
  )

describe('bounds of random graphs in ℓ∞ and ℓ1', () => {
  it('hold for all pairs of points that are tried', async () => {
    let measured = 0
    const property = fc.asyncProperty(
      fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      fc.constantFrom(...boxes),
      async (seed, box) => {
        const graph = randomGraph(seed)
        if (graph === null) return
        const inputs = graph.spec.inputs as Record<string, readonly number[]>
        const claims = both.map((norm) => ({ norm, ...boundOf(graph.spec, norm, box) }))
        if (claims.every(({ refusal }) => refusal !== null)) return
        const network = await openNetwork(model(graph.spec), inputs).catch(() => null)
        // what onnxruntime does not implement
        if (network === null || !(await runs(network))) return
        for (const { norm, value, offset, refusal } of claims) {
          if (refusal !== null) continue
          measured++
          for (const { distance, change, noise } of await pairsApart(network, norm, box ?? [-2, 2], 30, seed))
            if (change - noise > (value * distance + offset) * (1 + 1e-3) + 1e-4)
              expect({ norm, value, offset, distance, change, noise, graph: graph.description }).toBeNull()
        }
        await network.release()
      },
    )
    await fc.assert(property, { numRuns: graphs, seed: 11, endOnFailure: true })
    expect(measured).toBeGreaterThan(graphs)
  })
})
