import * as mag from '../core/magnitude.ts'
import type { MergedLayer } from '../infer/merged-layers.ts'
import type { TypedGraph } from '../infer/typed-graph.ts'
import { type BoundChoice, budgets } from './effort.ts'
import {
  type BoundOptions,
  climb,
  type LayerNorms,
  type NetworkBounds,
  type Rung,
  refinementOptions,
  tightened,
} from './network-bounds.ts'
import { refineBySlopes } from './slope/refinement.ts'

export interface FurtherOptions extends BoundOptions {
  readonly bound: BoundChoice
}

/** Windows of the linearised network reach back over so many activations at most. */
const DEPTH = 1000

/**
 * The rungs above the graph bound, as far as they are asked for and the effort goes, and which of all rungs is the
 * bound: the one that was chosen where it is there, else the least.
 */
export function climbFurther(
  typed: TypedGraph,
  norms: LayerNorms,
  base: NetworkBounds,
  options: FurtherOptions,
): NetworkBounds {
  const { bound, effort = 'normal' } = options
  const [frobenius, product, graph] = base.ladder
  if (bound === 'product') return { ...base, ladder: [frobenius, product], best: product }
  if (bound === 'graph' || effort === 'fast' || graph.walk === null) return base
  const further = [meanSlope(typed, norms, base, options)]
  const ladder = [...base.ladder, ...further.toSorted(looserFirst)]
  const chosen = bound === 'best' ? undefined : ladder.find(({ method }) => method === bound)
  return { ...base, ladder, best: chosen ?? (ladder.at(-1) as Rung) }
}

function looserFirst(a: Rung, b: Rung): number {
  return mag.compare(b.joint.lipschitz.value, a.joint.lipschitz.value)
}

/** The refined walk once more, with every activation at its mean slope; never above the graph bound. */
function meanSlope(
  typed: TypedGraph,
  norms: LayerNorms,
  { selected, ladder }: NetworkBounds,
  options: FurtherOptions,
): Rung {
  const refinement = refineBySlopes(typed, {
    ...refinementOptions(norms, selected, options),
    budget: budgets[options.effort ?? 'normal'].windows,
    depth: DEPTH,
  })
  const merged = new Map(options.merged?.map((layer: MergedLayer) => [layer.node, layer]))
  const graph = ladder.at(-1) as Rung
  const rung = climb(typed, selected, {
    method: 'mean-slope',
    normOf: norms.spectral,
    refined: true,
    inputRanges: options.inputRanges,
    merged,
    refinement,
  })
  const least = tightened(rung, graph)
  return { ...least, failureProbability: rung.failureProbability + graph.failureProbability }
}
