import { sizeOf } from '../../core/tensor.ts'
import * as term from '../../core/term.ts'
import type { Value } from '../../graph/graph.ts'
import type { TypedGraph } from '../../infer/typed-graph.ts'
import type { Interval, Refusal, TensorBound } from '../../ops/bound.ts'
import type { Ball } from '../ball.ts'
import type { Rung } from '../network-bounds.ts'
import type { Selected } from '../selection.ts'
import { ballDomain, boxDomain, type SearchDomain } from './domain.ts'
import { extractPiecewise, isObstacle } from './extract.ts'
import { type Found, searchCells } from './search.ts'

export interface CellSearchOptions {
  readonly ball?: Ball | undefined
  readonly inputRanges?: ReadonlyMap<string, Interval> | undefined
  /** Multiply-adds, about, and neurons on several pieces of networks that are searched at all. */
  readonly budget: number
  readonly neurons: number
  readonly expired?: (() => boolean) | undefined
}

/** Inputs, and elements of any tensor between them and the outputs. */
const INPUTS = 64
const ELEMENTS = 2048
/** Neurons in all on a bounded domain, for each that may be on several pieces. */
const SETTLED = 6

/** Relative distance of upper and lower bound at which the constant counts as known. */
const CLOSED = 1e-6

/** Outputs that are searched one by one, too. */
const OUTPUTS = 4

/**
 * The rung of the search: 'exact' where upper and lower bounds meet for all outputs, together and each alone, 'branch-and-bound' where the search ended
 * before. It needs no norm of a layer and no probability. Where the exact constant was asked for by name and is not found,
 * a refusal says why.
 */
export function cellRungs(
  typed: TypedGraph,
  selected: Selected,
  graph: Rung,
  { isAskedFor = false, ...options }: CellSearchOptions & { readonly isAskedFor?: boolean },
): Rung[] {
  const { outputs } = selected
  if (graph.joint.refusal !== null || outputs.length === 0) return []
  const whole = searchNetwork(typed, selected, outputs, options)
  if (isRefusal(whole)) return isAskedFor ? [refusedRung(graph, whole)] : []
  const alone =
    outputs.length === 1 || outputs.length > OUTPUTS
      ? outputs.map(() => whole)
      : outputs.map((output) => {
          const found = searchNetwork(typed, selected, [output], options)
          return isRefusal(found) ? whole : found
        })
  const boundOf = (bound: TensorBound, { upper }: Found): TensorBound => ({
    ...bound,
    lipschitz: term.constant(upper),
    refusal: null,
  })
  // what bounds all outputs together is not the constant of one of them
  const isOwn = outputs.length === 1 || !alone.includes(whole)
  const isExact = isOwn && [whole, ...alone].every(isClosed)
  const rung: Rung = {
    method: isExact ? 'exact' : 'branch-and-bound',
    joint: boundOf(graph.joint, whole),
    outputs: graph.outputs.map((bound, i) => boundOf(bound, alone[i])),
    walk: null,
    restsOn: 'nothing',
    failureProbability: 0,
    attained: whole.point,
  }
  if (isExact || !isAskedFor) return [rung]
  const reason = isOwn
    ? 'the search did not end within the effort'
    : 'there are too many outputs to search each alone'
  return [refusedRung(graph, refusal(reason)), rung]
}

function refusedRung(graph: Rung, why: Refusal): Rung {
  const refused = (bound: TensorBound) => ({ ...bound, lipschitz: term.infinite, refusal: why })
  return {
    method: 'exact',
    joint: refused(graph.joint),
    outputs: graph.outputs.map(refused),
    walk: null,
    restsOn: 'nothing',
    failureProbability: 0,
  }
}

function refusal(reason: string, node = '', op = ''): Refusal {
  return { node, op, reason }
}

function isRefusal(found: Found | Refusal): found is Refusal {
  return 'reason' in found
}

/** Whether the search ended with the constant itself, as far as numbers are printed. */
function isClosed({ upper, lower }: Found): boolean {
  return upper <= lower * (1 + CLOSED)
}

/**
 * The constant of the network between the audited inputs and some outputs by search through its cells, or why there is none: it is
 * not piecewise linear, or too large, or its domain has no inside.
 */
function searchNetwork(
  typed: TypedGraph,
  { inputs, cuts }: Selected,
  outputs: readonly Value[],
  { budget, neurons, expired, ...within }: CellSearchOptions,
): Found | Refusal {
  // what takes the place of integers is no real vector
  if (cuts.length > 0) return refusal('integers are no inputs that could vary')
  const isLocal = within.ball !== undefined || inputs.every(({ name }) => within.inputRanges?.has(name))
  const network = extractPiecewise(typed, inputs, outputs, {
    inputs: INPUTS,
    // on a bounded domain most of them are on one piece
    neurons: isLocal ? SETTLED * neurons : neurons,
    elements: ELEMENTS,
  })
  if (isObstacle(network)) {
    const { obstacle } = network
    if (obstacle === null) return refusal('the network is too large to be searched, or of unknown size')
    const reason = 'is neither affine with the coefficients of the file nor piecewise linear'
    return refusal(reason, obstacle.name, obstacle.op)
  }
  const domain = domainOf(inputs, network.inputs, typed, within)
  const found = domain && searchCells(network, domain, { budget, open: neurons, ...(expired && { expired }) })
  if (domain === null) return refusal('the domain has no inside')
  if (found === null) return refusal('too many neurons are on several pieces')
  return found.upper < Infinity ? found : refusal('no certificate is found')
}

function domainOf(
  inputs: readonly Value[],
  size: number,
  typed: TypedGraph,
  { ball, inputRanges }: Pick<CellSearchOptions, 'ball' | 'inputRanges'>,
): SearchDomain | null {
  if (ball !== undefined) {
    const center = new Float64Array(inputs.flatMap(({ name }) => [...(ball.center.get(name) ?? [])]))
    if (center.length !== size) return null
    const { radius } = ball
    if (ball.norm === 'l2') return ballDomain(center, radius)
    // the box in floats holds the ball
    const widened = (value: number, side: number) =>
      value + side * (radius + (Math.abs(value) + radius) * 2 ** -50)
    return boxDomain(
      center.map((value) => widened(value, -1)),
      center.map((value) => widened(value, 1)),
    )
  }
  const ends = inputs.flatMap((input) => {
    const elements = sizeOf(typed.operand(input).shape ?? [null]) ?? 0
    const { lo, hi } = inputRanges?.get(input.name) ?? { lo: -Infinity, hi: Infinity }
    return new Array<Interval>(elements).fill({ lo, hi })
  })
  return boxDomain(
    Float64Array.from(ends, ({ lo }) => lo),
    Float64Array.from(ends, ({ hi }) => hi),
  )
}
