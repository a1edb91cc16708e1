import type { Node } from '../graph/graph.ts'
import { nodesOf } from '../graph/walk.ts'
import type { LayerSpec } from '../ops/layer.ts'
import type { TypedGraph } from './typed-graph.ts'

/** A layer of the model and where it stands. */
export interface PlacedLayer {
  /** Unique in the model and the same for every run: node name, role, and a count where names repeat. */
  readonly key: string
  readonly node: Node
  readonly spec: LayerSpec
}

/** All layers of the main graph and of all bodies, in graph order, each once. */
export function layersOf(typed: TypedGraph): readonly PlacedLayer[] {
  const placed: PlacedLayer[] = []
  const taken = new Map<string, number>()
  for (const node of nodesOf(typed.graph)) {
    for (const spec of typed.layers(node)) {
      const name = spec.role === '' ? node.name : `${node.name}:${spec.role}`
      placed.push({ key: uniqueKey(name, taken), node, spec })
    }
  }
  return placed
}

/** The name, or the name with the first free number behind it. */
function uniqueKey(name: string, taken: Map<string, number>): string {
  let key = name
  while (taken.has(key)) {
    const count = (taken.get(name) ?? 1) + 1
    taken.set(name, count)
    key = `${name}#${count}`
  }
  taken.set(key, 1)
  return key
}
