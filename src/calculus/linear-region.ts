import { sizeOf } from '../core/tensor.ts'
import type { Node, Value } from '../graph/graph.ts'
import type { TypedGraph } from '../infer/typed-graph.ts'
import type { LinearMap } from '../ops/linear-map.ts'
import { type ComposedMap, compose, type Step } from '../ops/maps/composed.ts'
import { neededNodes } from './network.ts'
import { linearMapOf } from './node-context.ts'

/** A subgraph that is affine in some values: its linear part, matrix-free. */
export interface LinearRegion extends ComposedMap {
  readonly sources: readonly Value[]
  readonly targets: readonly Value[]
  /** Elements of each source and target. */
  readonly sourceSizes: readonly number[]
  readonly targetSizes: readonly number[]
}

/** Why there is no such map: the first node on the way that is not known to be affine, or a size that is not known. */
export interface LinearObstacle {
  readonly obstacle: Node | null
  readonly value: Value | null
}

/** How nodes on the way are replaced: a map of one node, 'default' for its own linear part, null where there is none. */
export type MapOfNode = (node: Node) => LinearMap | 'default' | null

/**
 * The map from changes of `sources` to changes of `targets`, everything else held fixed. `mapOf` may give nodes that
 * are not affine a linear map of their own (a diagonal in the place of an activation). The nodes between are those of
 * the main graph from which a target follows without passing a source.
 */
export function linearRegion(
  typed: TypedGraph,
  sources: readonly Value[],
  targets: readonly Value[],
  mapOf: MapOfNode = () => 'default',
): LinearRegion | LinearObstacle {
  const slots = new Map<Value, number>()
  const slotOf = (value: Value) => {
    const slot = slots.get(value) ?? slots.size
    slots.set(value, slot)
    return slot
  }
  for (const source of sources) slotOf(source)
  const steps: Step[] = []
  const needed = neededNodes(typed, new Set(sources), targets)
  for (const node of typed.graph.nodes) {
    if (!needed.has(node)) continue
    const reads = (value: Value | null) => value !== null && slots.has(value)
    if (!node.inputs.some(reads) && ![...node.captures].some(reads)) continue
    const own = mapOf(node)
    const map = own === 'default' ? linearMapOf(typed, node, reads) : own
    if (map === null) return { obstacle: node, value: null }
    steps.push({
      map,
      inputs: node.inputs.map((value) => (reads(value) ? slotOf(value!) : -1)),
      outputs: node.outputs.map((value) => (value === null || sources.includes(value) ? -1 : slotOf(value))),
    })
  }
  const sourceSizes = sources.map((value) => sizeOf(typed.operand(value).shape ?? [null]))
  const targetSizes = targets.map((value) => sizeOf(typed.operand(value).shape ?? [null]))
  const unknown = [...sources, ...targets].find((_, i) => [...sourceSizes, ...targetSizes][i] === null)
  if (unknown !== undefined) return { obstacle: null, value: unknown }
  const targetSlots = targets.map(slotOf)
  const composed = compose(steps, slots.size, sources.map(slotOf), targetSlots)
  return {
    ...composed,
    sources,
    targets,
    sourceSizes: sourceSizes as number[],
    targetSizes: targetSizes as number[],
  }
}

export function isObstacle(region: LinearRegion | LinearObstacle): region is LinearObstacle {
  return 'obstacle' in region
}
