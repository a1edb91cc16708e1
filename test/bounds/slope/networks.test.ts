import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { auditModel } from '../../../src/audit/model.ts'
import type { AuditOptions, BallOption } from '../../../src/audit/options.ts'
import { model, writeTemporary } from '../../helpers/onnx-builder.ts'
import { randomStack } from '../../helpers/random-stack.ts'
import { generator } from '../../helpers/seeded.ts'
import { judgeModel } from '../../helpers/soundness/soundness.ts'

const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 })
const stackOf = (seed: number, options = {}) =>
  writeTemporary(model(randomStack(seed, options)), 'stack.onnx')

/** A point of seeded elements, and all points within a distance. */
function ballAround(seed: number, radius: number, norm: BallOption['norm']): BallOption {
  return {
    name: 'point.npy',
    radius,
    norm,
    read: (inputs) => {
      const random = generator(seed)
      const elements = (shape: readonly (number | null)[]) =>
        Float64Array.from(
          { length: shape.reduce<number>((size, dim) => size * (dim ?? 1), 1) },
          () => 2 * random() - 1,
        )
      return new Map(inputs.map(({ name, shape }) => [name, { data: elements(shape ?? []) }]))
    },
  }
}

/** Upper bounds by method, and the largest lower bound that was found. */
async function boundsOf(path: string, options: AuditOptions) {
  const { lipschitz } = await auditModel(path, { threads: 1, ...options })
  const ladder = new Map(lipschitz.ladder.map(({ method, value }) => [method, value ?? Infinity]))
  return { ladder, upper: lipschitz.upper.value ?? Infinity, lower: lipschitz.lower?.value ?? 0 }
}

const domains = fc.oneof(
  fc.constant<AuditOptions>({}),
  fc.constant<AuditOptions>({ certify: 'deterministic' }),
  fc.constant<AuditOptions>({ inputRanges: [{ input: null, lo: -0.5, hi: 0.7 }] }),
  fc
    .record({
      seed: seeds,
      radius: fc.constantFrom(0.001, 0.1, 1),
      norm: fc.constantFrom('l2' as const, 'linf' as const),
    })
    .map(({ seed, radius, norm }): AuditOptions => ({ ball: ballAround(seed, radius, norm) })),
)

describe('bounds over several layers', () => {
  it('lie above every lower bound that is found, and never above the graph bound', async () => {
    let better = 0
    const property = fc.asyncProperty(seeds, domains, async (seed, domain) => {
      const { ladder, upper, lower } = await boundsOf(stackOf(seed), domain)
      for (const [method, value] of ladder) expect(value, method).toBeGreaterThanOrEqual(lower)
      const [slope, graph] = [ladder.get('mean-slope') ?? Infinity, ladder.get('graph') ?? Infinity]
      expect(slope).toBeLessThanOrEqual(graph)
      expect(upper).toBe(Math.min(...ladder.values()))
      if (upper < 0.9 * graph) better++
    })
    await fc.assert(property, { numRuns: 24, endOnFailure: true })
    expect(better).toBeGreaterThan(12)
  })

  it('hold in onnxruntime', async () => {
    const property = fc.asyncProperty(seeds, async (seed) => {
      const { verdicts } = await judgeModel(stackOf(seed), { runs: 60, seed })
      for (const verdict of verdicts) expect(verdict).toMatchObject({ holds: true })
    })
    await fc.assert(property, { numRuns: 10, endOnFailure: true })
  })

  it('fall to the norm of the Jacobian as the domain shrinks to a point', async () => {
    const only = ['Relu', 'LeakyRelu', 'Tanh', 'Sigmoid', 'Gelu', 'Swish', 'Softplus', 'Elu', 'Sin']
    const property = fc.asyncProperty(
      seeds,
      fc.constantFrom('l2' as const, 'linf' as const),
      async (seed, norm) => {
        const path = stackOf(seed, { only, images: false })
        const { upper, lower } = await boundsOf(path, { ball: ballAround(seed, 1e-4, norm) })
        if (lower > 1e-3) expect(upper / lower).toBeLessThan(1.02)
      },
    )
    await fc.assert(property, { numRuns: 14, endOnFailure: true })
  })

  it('are the same bytes for the same seed', async () => {
    const path = stackOf(5)
    const run = async () => JSON.stringify((await auditModel(path, { threads: 1, seed: 3 })).lipschitz)
    expect(await run()).toBe(await run())
  })
})
