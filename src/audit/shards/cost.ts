import type { PlacedLayer } from '../../infer/layers.ts'
import type { TypedGraph } from '../../infer/typed-graph.ts'
import { estimateCost } from '../../norms/cost.ts'
import type { ModelCost } from './plan.ts'

/** Nanoseconds for a model that has nothing in it, and for each node. */
const MODEL = 2e7
const NODE = 2e4

/** What a model costs, from its graph alone: no weight is read. */
export function costOf(typed: TypedGraph, layers: readonly Pick<PlacedLayer, 'key' | 'spec'>[]): ModelCost {
  const groups = new Map<string, { keys: string[]; cost: number }>()
  for (const { key, spec } of layers) {
    const { load: _, ...geometry } = spec.operator
    const range = spec.stored?.range
    // weights that stand in one place are measured once
    const place = range == null ? key : JSON.stringify([range.path, range.offset, range.length, geometry])
    const group = groups.get(place) ?? { keys: [], cost: estimateCost(geometry) }
    group.keys.push(key)
    groups.set(place, group)
  }
  return { groups: [...groups.values()], overhead: MODEL + NODE * typed.graph.nodes.length }
}
