import type { OtherNorm } from '../core/norm-name.ts'
import * as term from '../core/term.ts'
import type { TypedGraph } from '../infer/typed-graph.ts'
import { type BoundOptions, climb, type NetworkBounds, tightened } from './network-bounds.ts'
import { select } from './selection.ts'
import { traceBounds } from './trace.ts'
import type { NormOf } from './walk.ts'

/**
 * Bounds |f(x) − f(y)|_p ≤ L·|x − y|_p + δ in ℓ∞ or ℓ1 by two walks, as in ℓ2: the constants composed along the paths, and
 * the refined walk. `normOf` gives the norms of the layers in that norm; they are sums, so that all is deterministic.
 */
export function boundInNorm(
  typed: TypedGraph,
  norm: OtherNorm,
  normOf: NormOf,
  options: BoundOptions,
): NetworkBounds {
  const selected = select(typed, options)
  const merged = new Map(options.merged?.map((layer) => [layer.node, layer]))
  const { inputRanges } = options
  const rung = (method: 'induced-product' | 'graph', refined: boolean) =>
    climb(typed, selected, { method, norm, normOf, refined, inputRanges, merged })
  const product = rung('induced-product', false)
  const graph = tightened(rung('graph', true), product)
  const elasticities = term.elasticities(graph.joint.lipschitz)
  const walks = [graph.walk, product.walk].filter((walk) => walk !== null)
  return {
    selected,
    ladder: [product, graph],
    best: graph,
    elasticities: elasticities.size > 0 ? elasticities : null,
    trace: walks.length === 0 ? [] : traceBounds(typed, selected.inputs, walks),
    refusal: graph.joint.refusal,
  }
}
