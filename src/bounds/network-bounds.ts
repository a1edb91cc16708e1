import type { Certificate } from '../core/enclosure.ts'
import * as mag from '../core/magnitude.ts'
import type { NormName } from '../core/norm-name.ts'
import * as term from '../core/term.ts'
import type { Value } from '../graph/graph.ts'
import type { MergedLayer } from '../infer/merged-layers.ts'
import type { TypedGraph } from '../infer/typed-graph.ts'
import type { Interval, Refusal, TensorBound } from '../ops/bound.ts'
import { fixed, stacked, stackedIn } from '../ops/rules/join.ts'
import { type Ball, boxesOf } from './ball.ts'
import { budgets, type Effort } from './effort.ts'
import { type Selected, type Selection, select } from './selection.ts'
import { type Refinement, type RefinementOptions, refineBySlopes } from './slope/refinement.ts'
import { type TracePoint, traceBounds } from './trace.ts'
import { type NormOf, type Walk, type WalkOptions, walkGraph } from './walk.ts'

/** Upper bounds of the layers' norms by layer key, or why there is none. */
export interface LayerNorms {
  /** Spectral norms of the operators. */
  readonly spectral: NormOf
  /** Frobenius norms of the operators. */
  readonly frobenius: NormOf
}

export type BoundMethod =
  | 'frobenius-product'
  | 'spectral-product'
  | 'induced-product'
  | 'graph'
  | 'mean-slope'
  | 'sdp'
  | 'branch-and-bound'
  | 'exact'

/** One way to bound the network: from all audited inputs to all audited outputs, and to each output alone. */
export interface Rung {
  readonly method: BoundMethod
  readonly joint: TensorBound
  /** Aligned with the selected outputs. */
  readonly outputs: readonly TensorBound[]
  /** Null where there is nothing to bound, or the bound does not come from a walk. */
  readonly walk: Walk | null
  /** Norms of layers that the bound rests on, and the probability that norms taken beside them may fail with. */
  readonly restsOn: 'frobenius' | 'spectral' | 'nothing'
  readonly failureProbability: number
  /** A point of all inputs, in one vector, at which the Jacobian is as long as the joint bound, or nearly. */
  readonly attained?: Float64Array | null
}

export interface NetworkBounds {
  readonly selected: Selected
  /** Every bound computed, loosest first; a refusal stands for one that is not there. */
  readonly ladder: readonly Rung[]
  /** The rung that is reported: the least, or the one that was asked for. */
  readonly best: Rung
  /** d log(best joint bound) / d log(norm) by layer key; null where there is no finite, positive bound. */
  readonly elasticities: ReadonlyMap<string, number> | null
  /** How the best bound grows along the main graph; empty where there is nothing to bound. */
  readonly trace: readonly TracePoint[]
  /** Why there is no bound at all; null where there is one. */
  readonly refusal: Refusal | null
}

export interface BoundOptions extends Selection {
  readonly inputRanges?: ReadonlyMap<string, Interval>
  /** The ball that is the domain; `inputRanges` hold it. */
  readonly ball?: Ball
  /** Merged layers whose norms `spectral` knows. */
  readonly merged?: readonly MergedLayer[]
  /** Whether there is no more time: refinements then end with what they have proven. */
  readonly expired?: () => boolean
  /** How norms beside those of the layers are proven; default: by probability, seed 0. */
  readonly certify?: Certificate
  readonly seed?: number
  /** Default: normal. */
  readonly effort?: Effort
}

/** Probability that the norms of one rung, beside those of the layers, may fail with. */
export const rungFailureProbability = 1e-11

/**
 * Bounds |f(x) − f(y)|₂ ≤ L·|x − y|₂ + δ by three walks: the constants composed along the paths with Frobenius and
 * with spectral norms, and the refined walk. The refined one is never above the spectral product.
 */
export function boundNetwork(typed: TypedGraph, norms: LayerNorms, options: BoundOptions): NetworkBounds {
  const selected = select(typed, options)
  const merged = new Map(options.merged?.map((layer) => [layer.node, layer]))
  const { inputRanges } = options
  const inputBoxes = options.ball && boxesOf(typed, selected, options.ball)
  const rung = (method: BoundMethod, normOf: NormOf, refined: boolean, refinement?: Refinement) =>
    climb(typed, selected, { method, normOf, refined, inputRanges, inputBoxes, merged, refinement })
  const product = rung('spectral-product', norms.spectral, false)
  const regions = refineBySlopes(typed, {
    ...refinementOptions(norms, selected, options),
    budget: budgets[options.effort ?? 'normal'].regions,
    depth: 0,
  })
  const graph = tightened(rung('graph', norms.spectral, true, regions), product)
  const ladder = [rung('frobenius-product', norms.frobenius, false), product, graph]
  const elasticities = term.elasticities(graph.joint.lipschitz)
  const walks = [graph.walk, product.walk].filter((walk) => walk !== null)
  return {
    selected,
    ladder,
    best: graph,
    elasticities: elasticities.size > 0 ? elasticities : null,
    trace: walks.length === 0 ? [] : traceBounds(typed, selected.inputs, walks),
    refusal: graph.joint.refusal,
  }
}

/** No bound of the network at all, and why. */
export function withoutBounds(typed: TypedGraph, options: Selection, reason: string): NetworkBounds {
  const selected = select(typed, options)
  const refusal = { node: '', op: '', reason }
  const best = refusedRung('graph', selected, refusal)
  return { selected, ladder: [best], best, elasticities: null, trace: [], refusal }
}

function refusedRung(method: BoundMethod, { outputs }: Selected, refusal: Refusal): Rung {
  const joint = { ...fixed(), lipschitz: term.infinite, refusal }
  return {
    method,
    joint,
    outputs: outputs.map(() => joint),
    walk: null,
    restsOn: 'nothing',
    failureProbability: 0,
  }
}

/** What refinements of a walk are told, but for how far they may go. */
export function refinementOptions(
  norms: LayerNorms,
  selected: Selected,
  { certify = 'probabilistic', seed = 0, expired }: BoundOptions,
): Omit<RefinementOptions, 'budget' | 'depth'> {
  return {
    normOf: norms.spectral,
    audited: selected.inputs,
    outputs: selected.outputs,
    certify,
    seed,
    failureProbability: rungFailureProbability,
    ...(expired === undefined ? {} : { expired }),
  }
}

interface Climb extends Omit<WalkOptions, 'audited' | 'refine'> {
  readonly method: BoundMethod
  readonly refinement?: Refinement
}

/** One rung by a walk. */
export function climb(
  typed: TypedGraph,
  selected: Selected,
  { method, refinement, ...options }: Climb,
): Rung {
  const { norm = 'l2' } = options
  const restsOn = norm !== 'l2' ? 'nothing' : method === 'frobenius-product' ? 'frobenius' : 'spectral'
  const missing = nothingToBound(selected)
  if (missing !== null) return refusedRung(method, selected, missing)
  const walk = walkGraph(typed, { ...options, audited: selected.inputs, refine: refinement?.refine })
  const outputs = selected.outputs.map((output) => walk.boundOf(output))
  const joint =
    refinement === undefined ? joined(outputs, norm) : together(outputs, selected, walk, refinement)
  const failureProbability = refinement?.failureProbability() ?? 0
  return { method, joint, outputs, walk, restsOn, failureProbability }
}

/** All outputs side by side, as one target of the refinement where that is less than side by side. */
function together(
  outputs: readonly TensorBound[],
  selected: Selected,
  walk: Walk,
  refinement: Refinement,
): TensorBound {
  const plain = joined(outputs)
  const isBounded = plain.refusal === null && term.isBounded(plain.lipschitz)
  if (outputs.length < 2 || !isBounded) return plain
  const bound = refinement.bound(selected.outputs, walk)
  if (bound === null) return plain
  const value = mag.magnitude(bound)
  if (mag.compare(value, plain.lipschitz.value) >= 0) return plain
  return { ...plain, lipschitz: { value, parents: [plain.lipschitz], weights: [1], leaf: null } }
}

/** All outputs side by side, |Δ|² = Σ |Δᵢ|² in ℓ2. */
function joined(outputs: readonly TensorBound[], norm: NormName = 'l2'): TensorBound {
  const parts = outputs.map((bound) => ({ bound, gain: 1 }))
  return norm === 'l2' ? stacked(parts, outputs[0].range) : stackedIn(norm, parts, outputs[0].range)
}

function nothingToBound({
  inputs,
  outputs,
}: {
  inputs: readonly Value[]
  outputs: readonly Value[]
}): Refusal | null {
  const refusal = (reason: string) => ({ node: '', op: '', reason })
  if (inputs.length === 0) return refusal('the model has no floating-point input that could vary')
  if (outputs.length === 0) return refusal('the model has no floating-point output')
  return null
}

/** The less of two bounds of the same map. Where offsets differ the lesser constant counts. */
export function tightened(refined: Rung, plain: Rung): Rung {
  return {
    ...refined,
    joint: lesser(refined.joint, plain.joint),
    outputs: refined.outputs.map((bound, i) => lesser(bound, plain.outputs[i])),
  }
}

function lesser(refined: TensorBound, plain: TensorBound): TensorBound {
  const better = term.minimum(refined.lipschitz, plain.lipschitz)
  return better === refined.lipschitz
    ? refined
    : { ...plain, range: refined.range, dependence: refined.dependence }
}
