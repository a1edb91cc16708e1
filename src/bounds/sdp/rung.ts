import type { Certificate } from '../../core/enclosure.ts'
import type { Node, Value } from '../../graph/graph.ts'
import type { TypedGraph } from '../../infer/typed-graph.ts'
import type { Box, Refusal } from '../../ops/bound.ts'
import { isFixed } from '../../ops/rules/join.ts'
import { type Parts, partsOf } from '../slope/parts.ts'
import { slopeRange } from '../slope/splits.ts'
import { gainsOf, type NormOf, type Walk } from '../walk.ts'
import { extractProblem, isObstacle, type Network } from './extract.ts'
import { boundByLoop } from './loop/network-loop.ts'
import { nodeBlock } from './loop/node-block.ts'
import { costOfEvaluation } from './problem.ts'
import { FEW, sdpBound } from './sdp-bound.ts'

export interface SdpRungOptions {
  readonly normOf: NormOf
  readonly audited: readonly Value[]
  readonly targets: readonly Value[]
  /** What is known of the values: ranges on the domain. */
  readonly walk: Walk
  /** Where single elements lie, where that is known better. */
  readonly boxes: ReadonlyMap<Value, Box>
  readonly budget: number
  readonly enough: number
  readonly most: number
  /** What `budget` is where the loop has proven a bound. */
  readonly further: number
  /** Multiply-adds and steps for the loop, and how it is proven. */
  readonly loop: { readonly budget: number; readonly steps: number }
  readonly certify: Certificate
  readonly seed: number
  readonly failureProbability: number
  readonly expired?: () => boolean
}

/** Neurons of all activations together, and elements of one matrix while it is written down: 0.5 GB. */
const NEURONS = 6000
const ELEMENTS = 2 ** 26
/** Multiply-adds of few evaluations up to which the blocks are enough. */
const SMALL = 3e8
/** What looking at one node takes, in multiply-adds. */
const NODE = 5000

/** The network as the SDP's problem, or why it is none. */
export function networkOf(
  typed: TypedGraph,
  { normOf, audited, walk, boxes }: Pick<SdpRungOptions, 'normOf' | 'audited' | 'walk' | 'boxes'>,
): Network & Parts {
  const { nodes } = typed.graph
  const places = new Map(nodes.map((node, place) => [node, place]))
  const inputs = new Set(audited)
  const varies = (value: Value) => !typed.operand(value).isConstant && !isFixed(walk.boundOf(value))
  const gains = gainsOf(typed, normOf)
  const parts = partsOf(typed, gains, varies)
  const gainOf = (node: Node) => gains(node, varies)
  return {
    ...parts,
    blockAt: (node, boundOf) => nodeBlock(typed, node, parts, { gainOf, boundOf }),
    nodes,
    place: (node) => places.get(node) ?? -1,
    isInput: (value) => inputs.has(value),
    slopesOf: ({ node, slopes }) => {
      const input = node.inputs[0] as Value
      const ranges = { whole: walk.boundOf(input).range, box: boxes.get(input) ?? walk.boxOf(input) }
      return slopeRange(slopes, ranges, typed.operand(input).shape as readonly number[])
    },
  }
}

/** What the SDP proves, and the probability that it may fail with beside the layers' norms. */
export interface SdpFound {
  readonly bound: number
  readonly failureProbability: number
}

/** |Δtargets| / |Δinputs| at most, or why the SDP says nothing. */
export function boundBySdp(typed: TypedGraph, options: SdpRungOptions): SdpFound | Refusal {
  const network = networkOf(typed, options)
  // matrices that are small gain more than the loop, and take less time
  const small = boundByBlocks(network, options, { budget: options.budget, few: SMALL })
  if (typeof small === 'number') return { bound: small, failureProbability: 0 }
  const loop = boundRound(typed, network, options)
  const found = boundByBlocks(
    network,
    options,
    loop === null
      ? { budget: options.budget, few: Infinity }
      : { budget: options.further, few: options.further },
  )
  if (typeof found !== 'number') return loop ?? found
  return loop !== null && loop.bound <= found ? loop : { bound: found, failureProbability: 0 }
}

/** The loop of the whole network, matrix-free; null where that proves nothing, or is not asked for. */
function boundRound(
  typed: TypedGraph,
  network: Network & Parts,
  { targets, walk, certify, seed, failureProbability, loop, expired }: SdpRungOptions,
): SdpFound | null {
  if (certify === 'deterministic' || !(loop.budget > 0)) return null
  const found = boundByLoop(network, {
    targets,
    walk,
    shapeOf: (value) => typed.operand(value).shape,
    ...loop,
    seed,
    failureProbability,
    ...(expired === undefined ? {} : { expired }),
  })
  return found === null ? null : { bound: found.bound, failureProbability }
}

/** The blocks written down, where few evaluations cost no more than that. */
function boundByBlocks(
  network: Network,
  { targets, enough, most, expired }: SdpRungOptions,
  { budget, few }: { readonly budget: number; readonly few: number },
): number | Refusal {
  const large = refusal('the network is too large for its matrices')
  if (network.nodes.length * NODE > few) return large
  // three layers of this size would cost more
  const elements = Math.min(NEURONS, 3 * Math.cbrt(few / (4 * FEW)))
  const problem = extractProblem(targets, network, { elements, matrix: ELEMENTS })
  if (isObstacle(problem)) {
    const { obstacle } = problem
    if (obstacle === null) return refusal('the network is too large for its matrices, or of unknown size')
    const reason = 'is neither affine nor an activation with bounded slopes'
    return { node: obstacle.name, op: obstacle.op, reason }
  }
  if (costOfEvaluation(problem) * FEW > few) return large
  const found = sdpBound(problem, { budget, enough, most, ...(expired === undefined ? {} : { expired }) })
  return found ?? refusal('no certificate is found within the effort')
}

function refusal(reason: string): Refusal {
  return { node: '', op: '', reason }
}
