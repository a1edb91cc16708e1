import { calculusCost } from '../calculus/cost.ts'
import { createNetwork } from '../calculus/network.ts'
import * as mag from '../core/magnitude.ts'
import { addUp } from '../core/rounding.ts'
import { sizeOf } from '../core/tensor.ts'
import * as term from '../core/term.ts'
import type { Value } from '../graph/graph.ts'
import type { MergedLayer } from '../infer/merged-layers.ts'
import type { TypedGraph } from '../infer/typed-graph.ts'
import type { Box, Interval, TensorBound } from '../ops/bound.ts'
import { type Ball, boxesOf, intervalsOf } from './ball.ts'
import { type BoundChoice, budgets } from './effort.ts'
import { cellRungs } from './exact/rung.ts'
import {
  type BoundOptions,
  climb,
  type LayerNorms,
  type NetworkBounds,
  type Rung,
  refinementOptions,
  rungFailureProbability,
  tightened,
} from './network-bounds.ts'
import { boundBySdp } from './sdp/rung.ts'
import { localRanges, type Reach } from './slope/local-ranges.ts'
import { refineBySlopes } from './slope/refinement.ts'
import { walkGraph } from './walk.ts'

export interface FurtherOptions extends BoundOptions {
  readonly bound: BoundChoice
}

/** Windows of the linearised network reach back over so many activations at most. */
const DEPTH = 1000
/** What looking at one node takes, in multiply-adds. */
const NODE = 5000

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
  // what no rule bounds, no slope does
  if (graph.outputs.every(({ refusal }) => refusal !== null)) return base
  const boxes = rangesOnDomain(typed, norms, base, options)
  const slopes = meanSlope(typed, norms, base, options, boxes)
  const further = [slopes]
  const isBounded = options.ball !== undefined || (options.inputRanges?.size ?? 0) > 0
  if (bound === 'sdp' || (bound !== 'mean-slope' && (isBounded || !isPlainChain(typed))))
    further.push(...semidefinite(typed, norms, base, options, boxes, slopes))
  if (bound === 'best' || bound === 'exact') further.push(...throughCells(typed, base, options))
  const ladder = [...base.ladder, ...further.toSorted(looserFirst)]
  const isThere = ({ method, joint }: Rung) => method === bound && joint.refusal === null
  const chosen = bound === 'best' ? undefined : ladder.find(isThere)
  const least = ladder.findLast(({ joint }) => joint.refusal === null)
  return { ...base, ladder, best: chosen ?? least ?? base.best }
}

/**
 * Whether nothing is left to gain where inputs are not bounded: one node after another, either all of them linear, so that the
 * norm of them together is taken, or with a single matrix, whose norm activations attain at their steepest.
 */
function isPlainChain(typed: TypedGraph): boolean {
  const varies = (value: Value | null) => value !== null && !typed.operand(value).isConstant
  let [matrices, bends] = [0, 0]
  for (const node of typed.graph.nodes) {
    const varying = node.inputs.filter(varies).length + node.captures.size
    if (varying > 1) return false
    if (varying === 0) continue
    if (typed.typed(node).operator?.linear === undefined) bends++
    if (typed.layers(node).some(({ operator }) => operator.form !== 'diagonal')) matrices++
  }
  return bends === 0 || matrices < 2
}

/** Rows of the whole network that must be within the budget, or else ranges are left to intervals. */
const LEAST_ROWS = 16

/** Ranges of single elements by linear relaxation, where the domain is bounded; intervals say the rest. */
function rangesOnDomain(
  typed: TypedGraph,
  norms: LayerNorms,
  { selected, ladder }: NetworkBounds,
  { ball, inputRanges, effort = 'normal', expired }: FurtherOptions,
): ReadonlyMap<Value, Box> {
  const domain = (ladder.at(-1) as Rung).walk
  const { inputs } = selected
  const middle = ball ?? middleOf(typed, inputs, inputRanges)
  if (domain === null || middle === null) return new Map()
  const budget = budgets[effort].windows
  const evaluation = calculusCost(createNetwork(typed, inputs, selected.outputs))
  if (LEAST_ROWS * evaluation > budget) return new Map()
  const point = { ...middle, radius: 0 }
  const normOf = norms.spectral
  const center = walkGraph(typed, {
    normOf,
    audited: inputs,
    refined: true,
    inputRanges: intervalsOf(point),
    inputBoxes: boxesOf(typed, selected, point),
  })
  const widths = new Map(inputs.map((value) => [value, widthsOf(value, middle, inputRanges)]))
  const reach: Reach = ball?.norm === 'l2' ? { norm: 'l2', radius: ball.radius } : { norm: 'linf', widths }
  return localRanges(typed, {
    normOf,
    audited: inputs,
    reach,
    center,
    domain,
    budget,
    ...(expired && { expired }),
  })
}

/** The middle of a box of inputs whose sizes are known; null where one is not bounded. */
function middleOf(
  typed: TypedGraph,
  inputs: readonly Value[],
  ranges: ReadonlyMap<string, Interval> | undefined,
): Ball | null {
  const center = new Map<string, Float64Array>()
  for (const input of inputs) {
    const [interval, shape] = [ranges?.get(input.name), typed.operand(input).shape]
    const size = shape === null ? null : sizeOf(shape)
    if (interval === undefined || size === null || input.producer !== null) return null
    center.set(input.name, new Float64Array(size).fill(interval.lo + (interval.hi - interval.lo) / 2))
  }
  return { center, radius: 0, norm: 'linf' }
}

/** How far each element of an input may be from the middle. */
function widthsOf(
  { name }: Value,
  { center, radius }: Ball,
  ranges: ReadonlyMap<string, Interval> | undefined,
): Float64Array {
  const elements = center.get(name) as Float64Array
  const interval = ranges?.get(name)
  if (radius > 0 || interval === undefined) return elements.map(() => radius)
  return elements.map((element) => Math.max(addUp(interval.hi, -element), addUp(element, -interval.lo)))
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
  boxes: ReadonlyMap<Value, Box>,
): Rung {
  const refinement = refineBySlopes(typed, {
    ...refinementOptions(norms, selected, options),
    boxes,
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
    inputBoxes: options.ball && boxesOf(typed, selected, options.ball),
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
  {
    bound,
    effort = 'normal',
    expired,
    ball,
    inputRanges,
    certify = 'probabilistic',
    seed = 0,
  }: FurtherOptions,
  boxes: ReadonlyMap<Value, Box>,
  slopes: Rung,
): Rung[] {
  const graph = ladder.at(-1) as Rung
  const budget = budgets[effort]
  if (graph.walk === null || !(budget.descent > 0)) return []
  const found = boundBySdp(typed, {
    normOf: norms.spectral,
    audited: selected.inputs,
    targets: selected.outputs,
    walk: slopes.walk ?? graph.walk,
    boxes,
    certify,
    seed,
    failureProbability: rungFailureProbability,
    further: budget.further,
    loop: budget.loop,
    budget: budget.descent,
    enough: budget.enough,
    most: budget.evaluations,
    ...(expired === undefined ? {} : { expired }),
  })
  const isLocal = ball !== undefined || (inputRanges?.size ?? 0) > 0
  const rung = (joint: TensorBound, own = 0): Rung => ({
    method: 'sdp',
    joint,
    // no output alone varies more than all together
    outputs: graph.outputs.map((output) =>
      joint.refusal === null && mag.compare(output.lipschitz.value, joint.lipschitz.value) < 0
        ? output
        : { ...output, ...pick(joint) },
    ),
    walk: null,
    // the norms of layers bound the rounding of composed maps, and ranges on a domain
    restsOn: 'spectral',
    failureProbability: own > 0 || graph.outputs.length > 1 || isLocal ? own + slopes.failureProbability : 0,
  })
  if (!('bound' in found)) {
    return bound === 'sdp' ? [rung({ ...graph.joint, lipschitz: term.infinite, refusal: found })] : []
  }
  const joint = { ...graph.joint, lipschitz: term.constant(found.bound), refusal: null }
  // a search that is cut short may end above where the graph is
  const isLess =
    graph.joint.refusal !== null ||
    term.minimum(graph.joint.lipschitz, joint.lipschitz) !== graph.joint.lipschitz
  return [rung(isLess ? joint : graph.joint, isLess ? found.failureProbability : graph.failureProbability)]
}

/** A search through the linear regions of small piecewise linear networks, which ends with the constant itself. */
function throughCells(
  typed: TypedGraph,
  { selected, ladder }: NetworkBounds,
  { bound, effort = 'normal', expired, ball, inputRanges }: FurtherOptions,
): Rung[] {
  const { cells: budget, neurons } = budgets[effort]
  const graph = ladder.at(-1) as Rung
  const isAskedFor = bound === 'exact'
  if (!isAskedFor && typed.graph.nodes.length * NODE > budget) return []
  return cellRungs(typed, selected, graph, { isAskedFor, ball, inputRanges, budget, neurons, expired })
}

function pick({
  lipschitz,
  offset,
  refusal,
}: TensorBound): Pick<TensorBound, 'lipschitz' | 'offset' | 'refusal'> {
  return { lipschitz, offset, refusal }
}
