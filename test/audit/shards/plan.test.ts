import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ModelCost, planShards } from '../../../src/audit/shards/plan.ts'

const cost = fc.integer({ min: 0, max: 1000 })
const models = fc.array(
  fc.record({ costs: fc.array(cost, { maxLength: 8 }), overhead: fc.integer({ min: 1, max: 20 }) }),
  { minLength: 1, maxLength: 8 },
)

function costsOf(drawn: readonly { costs: readonly number[]; overhead: number }[]): ModelCost[] {
  return drawn.map(({ costs, overhead }, model) => ({
    overhead,
    groups: costs.map((each, layer) => ({ keys: [`${model}.${layer}`, `${model}.${layer}'`], cost: each })),
  }))
}

describe('the plan of shards', () => {
  it('gives each model, or each of its layers, to one shard, and layers of one weight to the same', () => {
    fc.assert(
      fc.property(models, fc.integer({ min: 1, max: 6 }), (drawn, count) => {
        const costs = costsOf(drawn)
        const { wholes, parts } = planShards(costs, count)
        for (const [model, { groups }] of costs.entries()) {
          const shards = [...parts[model].values()]
          if (wholes[model] !== null) expect(shards).toEqual([])
          else expect([...parts[model].keys()].sort()).toEqual(groups.flatMap(({ keys }) => keys).sort())
          for (const shard of [...shards, wholes[model] ?? 1]) {
            expect(shard).toBeGreaterThanOrEqual(1)
            expect(shard).toBeLessThanOrEqual(count)
          }
          for (const { keys } of groups)
            expect(new Set(keys.map((key) => parts[model].get(key))).size).toBe(1)
        }
      }),
    )
  })

  it('is balanced: no shard has more than the even share and the largest thing that cannot be parted', () => {
    fc.assert(
      fc.property(models, fc.integer({ min: 1, max: 6 }), (drawn, count) => {
        const costs = costsOf(drawn)
        const { wholes, loads } = planShards(costs, count)
        const total = loads.reduce((a, b) => a + b, 0)
        const largest = Math.max(
          ...costs.map(({ groups, overhead }, model) =>
            wholes[model] === null
              ? Math.max(...groups.map((group) => group.cost))
              : groups.reduce((sum, group) => sum + group.cost, overhead),
          ),
        )
        expect(Math.max(...loads)).toBeLessThanOrEqual(total / count + largest)
      }),
    )
  })

  it('parts a model that is larger than the share of a shard, and no other', () => {
    const costs = costsOf([
      { costs: [50, 50, 50, 50], overhead: 1 },
      { costs: [10], overhead: 1 },
      { costs: [20, 20], overhead: 1 },
    ])
    const { wholes, parts } = planShards(costs, 4)
    expect(wholes.map((shard) => shard === null)).toEqual([true, false, false])
    expect(new Set(parts[0].values()).size).toBe(4)
    expect(planShards(costs, 1).wholes).toEqual([1, 1, 1])
  })
})
