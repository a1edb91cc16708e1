import type { Term } from '../core/term.ts'
import * as term from '../core/term.ts'
import type { Node } from '../graph/graph.ts'
import { layersOf } from '../infer/layers.ts'
import type { TypedGraph } from '../infer/typed-graph.ts'

/** An upper bound of a layer's norm, or why it has none. */
export type NormOf = (key: string) => number | string

/** Norms of layers as terms that a walk's bounds are made of. */
export interface LayerTerms {
  readonly options: { readonly normOf: NormOf }
  readonly keys: ReadonlyMap<Node, ReadonlyMap<string, string>>
  readonly leaves: Map<string, Term>
}

/** Keys of the layers of each node, by role. */
export function layerKeys(typed: TypedGraph): Map<Node, Map<string, string>> {
  const keys = new Map<Node, Map<string, string>>()
  for (const { key, node, spec } of layersOf(typed)) {
    const roles = keys.get(node) ?? new Map<string, string>()
    keys.set(node, roles.set(spec.role, key))
  }
  return keys
}

/** The norm of the layer with this role of the node; null where it has no such layer, infinite where it has no norm. */
export function layerNorm(
  state: LayerTerms,
  node: Node,
  role: string,
  onNoNorm: (reason: string) => void,
): Term | null {
  const key = state.keys.get(node)?.get(role)
  if (key === undefined) return null
  const leaf = leafOf(state, key)
  if (leaf !== null) return leaf
  const reason = state.options.normOf(key)
  if (typeof reason === 'string') onNoNorm(reason)
  return term.infinite
}

/** The norm of the layer with this key as a term, one for all who ask; null where it has none. */
export function leafOf(state: LayerTerms, key: string): Term | null {
  const known = state.leaves.get(key)
  if (known !== undefined) return known
  const norm = state.options.normOf(key)
  if (typeof norm === 'string') return null
  const leaf = term.leaf(key, norm)
  state.leaves.set(key, leaf)
  return leaf
}
