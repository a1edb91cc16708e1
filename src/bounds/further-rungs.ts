import * as mag from '../core/magnitude.ts'
import * as term from '../core/term.ts'
import type { MergedLayer } from '../infer/merged-layers.ts'
import type { TypedGraph } from '../infer/typed-graph.ts'
import type { TensorBound } from '../ops/bound.ts'
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
import { boundBySdp } from './sdp/rung.ts'
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
  if (bound !== 'mean-slope') further.push(...semidefinite(typed, norms, base, options))
  const ladder = [...base.ladder, ...further.toSorted(looserFirst)]
  const isThere = ({ method, joint }: Rung) => method === bound && joint.refusal === null
  const chosen = bound === 'best' ? undefined : ladder.find(isThere)
  const least = ladder.findLast(({ joint }) => joint.refusal === null)
  return { ...base, ladder, best: chosen ?? least ?? base.best }
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

/** LipSDP's bound by descent, where the network is affine nodes and activations; a refusal where that was asked for. */
function semidefinite(
  typed: TypedGraph,
  norms: LayerNorms,
  { selected, ladder }: NetworkBounds,
  { bound, effort = 'normal', expired }: FurtherOptions,
): Rung[] {
  const graph = ladder.at(-1) as Rung
  const budget = budgets[effort]
  if (graph.walk === null || !(budget.descent > 0)) return []
  const found = boundBySdp(typed, {
    normOf: norms.spectral,
    audited: selected.inputs,
    targets: selected.outputs,
    walk: graph.walk,
    budget: budget.descent,
    enough: budget.enough,
    most: budget.evaluations,
    ...(expired === undefined ? {} : { expired }),
  })
  const rung = (joint: TensorBound): Rung => ({
    method: 'sdp',
    joint,
    // no output alone varies more than all together
    outputs: graph.outputs.map((output) =>
      joint.refusal === null && mag.compare(output.lipschitz.value, joint.lipschitz.value) < 0
        ? output
        : { ...output, ...pick(joint) },
    ),
    walk: null,
    restsOn: graph.outputs.length > 1 ? 'spectral' : 'nothing',
    failureProbability: graph.outputs.length > 1 ? graph.failureProbability : 0,
  })
  if (typeof found !== 'number') {
    return bound === 'sdp' ? [rung({ ...graph.joint, lipschitz: term.infinite, refusal: found })] : []
  }
  return [rung({ ...graph.joint, lipschitz: term.constant(found), refusal: null })]
}

function pick({
  lipschitz,
  offset,
  refusal,
}: TensorBound): Pick<TensorBound, 'lipschitz' | 'offset' | 'refusal'> {
  return { lipschitz, offset, refusal }
}
