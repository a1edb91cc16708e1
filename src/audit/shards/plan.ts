/** What a model costs, by groups of layers that are measured together because their weights are the same. */
export interface ModelCost {
  readonly groups: readonly { readonly keys: readonly string[]; readonly cost: number }[]
  /** What cannot be parted: reading the model and bounding the network. */
  readonly overhead: number
}

/** Who does what. Shards count from 1. */
export interface ShardPlan {
  /** By model: the shard that audits it whole; null where its layers are parted among shards. */
  readonly wholes: readonly (number | null)[]
  /** By model: the shard that measures each layer, by key; empty for whole models. */
  readonly parts: readonly ReadonlyMap<string, number>[]
  /** By shard: the estimated cost of all that it does. */
  readonly loads: readonly number[]
}

interface Item {
  readonly model: number
  /** Null: the whole model. */
  readonly keys: readonly string[] | null
  readonly cost: number
}

/**
 * Parts the work among shards by estimated cost, the same for whoever asks. Models that cost more than the even share of
 * a shard are parted by layers, others are audited whole by one shard. What costs most is given away first, each to
 * the shard that has least: no shard then has more than 4/3 of the least possible maximum (Graham 1969).
 */
export function planShards(models: readonly ModelCost[], count: number): ShardPlan {
  const totals = models.map(({ groups, overhead }) => groups.reduce((sum, { cost }) => sum + cost, overhead))
  const share = totals.reduce((sum, cost) => sum + cost, 0) / count
  const items = models.flatMap(({ groups }, model): Item[] => {
    const isParted = count > 1 && totals[model] > share && groups.length > 1
    if (!isParted) return [{ model, keys: null, cost: totals[model] }]
    return groups.map(({ keys, cost }) => ({ model, keys, cost }))
  })
  const wholes = models.map((): number | null => null)
  const parts = models.map(() => new Map<string, number>())
  const loads = new Array<number>(count).fill(0)
  // sorting is stable: equal costs stay in the order of models and layers
  for (const { model, keys, cost } of items.sort((a, b) => b.cost - a.cost)) {
    const shard = loads.indexOf(Math.min(...loads))
    loads[shard] += cost
    if (keys === null) wholes[model] = shard + 1
    else for (const key of keys) parts[model].set(key, shard + 1)
  }
  return { wholes, parts, loads }
}
