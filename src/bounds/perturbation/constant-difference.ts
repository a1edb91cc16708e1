import { addUp, mulUp, sqrtUp } from '../../core/rounding.ts'
import { type FloatArray, isFloatType, sizeOf } from '../../core/tensor.ts'
import type { Node } from '../../graph/graph.ts'
import type { TypedGraph } from '../../infer/typed-graph.ts'
import { frobeniusNorm } from '../../linalg/frobenius.ts'
import type { Interval } from '../../ops/bound.ts'
import { floatForm } from '../../ops/float-forms.ts'
import { biasFactor, fusedBias } from '../../ops/proportional.ts'
import { rangeOf } from '../../ops/rules/constant.ts'
import { hull } from '../../ops/rules/interval.ts'
import { elementsOf, sameElements } from './image.ts'
import type { Pair } from './pairing.ts'

/** Two constants that stand at the same input: how far they are apart, and where both lie. */
export interface ConstantDifference {
  readonly length: number
  readonly range: Interval
  readonly norm: number
}

/** Room for the rounding of a length. */
const slack = 1 + 2 ** -30

/** ‖a‖₂ at most. */
function lengthOf(a: FloatArray): number {
  return mulUp(frobeniusNorm(a), slack)
}

/** ‖a − b‖₂ at most, for arrays of one size. */
export function distance(a: FloatArray, b: FloatArray): number {
  return lengthOf(Float64Array.from(a, (value, i) => value - b[i]))
}

/** What differs at a constant input of a pair, besides weights of layers and their biases; null where nothing does. */
export function constantDifference(
  reference: TypedGraph,
  other: TypedGraph,
  { node, other: partner }: Pair,
  input: number,
): ConstantDifference | null {
  const [value, counterpart] = [node.inputs[input], partner.inputs[input]]
  if (!value || !counterpart || floatForm(partner) !== null) return null
  const [own, theirs] = [reference.operand(value), other.operand(counterpart)]
  if (!own.isConstant || !theirs.isConstant || !isFloatType(own.type)) return null
  if (own.stored !== null && theirs.stored !== null && own.stored.type === theirs.stored.type) {
    if (own.stored.sha256() === theirs.stored.sha256()) return null
  }
  const [mine, others] = [elementsOf(own), elementsOf(theirs)]
  if (mine !== null && others !== null && sameElements(mine, others)) return null
  const ranges = [mine, others].map((elements) => (elements === null ? null : rangeOf(elements)))
  if (
    mine === null ||
    others === null ||
    ranges[0] === null ||
    ranges[1] === null ||
    mine.length !== others.length
  )
    return { length: Infinity, range: { lo: -Infinity, hi: Infinity }, norm: Infinity }
  const length = distance(mine, others)
  if (length === 0) return null
  return {
    length,
    range: hull(ranges[0], ranges[1]),
    norm: Math.max(lengthOf(mine), lengthOf(others)),
  }
}

/** Where a node adds a bias of its own, which is no part of its layer; null where it has none. */
export function biasInput(node: Node): number | null {
  return floatForm(node)?.bias?.at ?? fusedBias(node)
}

/**
 * ‖b − b'‖₂ over all elements of the output: biases that are repeated count as often. A bias of integers is read in its
 * scales; one that is missing is 0. Infinity where it is not known.
 */
export function biasDifference(
  reference: TypedGraph,
  other: TypedGraph,
  { node, other: partner }: Pair,
): number {
  const [mine, theirs] = [biasOf(reference, node), biasOf(other, partner)]
  if (mine === 'unknown' || theirs === 'unknown') return Infinity
  const length = mine?.length ?? theirs?.length ?? 0
  if (length === 0) return 0
  const zeros = new Float64Array(length)
  const [a, b] = [mine ?? zeros, theirs ?? zeros]
  if (a.length !== b.length) return Infinity
  if (mine !== null && theirs !== null && sameElements(mine, theirs)) return 0
  // integers in units of two scales are multiplied out with two roundings
  const rounded = [node, partner].some((one) => floatForm(one)?.bias !== undefined)
  const apart = distance(a, b) + (rounded ? 2 ** -50 * Math.max(lengthOf(a), lengthOf(b)) : 0)
  if (apart === 0) return 0
  const [output] = reference.typed(node).outputs
  const elements = output?.shape == null ? null : sizeOf(output.shape)
  return elements === null
    ? Infinity
    : mulUp(mulUp(sqrtUp(Math.ceil(elements / length)), apart), biasFactor(node))
}

function biasOf(typed: TypedGraph, node: Node): FloatArray | null | 'unknown' {
  const at = biasInput(node)
  const value = at === null ? null : node.inputs[at]
  if (!value) return null
  const elements = elementsOf(typed.operand(value))
  const bias = floatForm(node)?.bias
  if (elements === null || bias === undefined) return elements ?? 'unknown'
  if (isFloatType(typed.operand(value).type)) return elements
  const [data, weights] = bias.scales.map((input) => elementsOf(typed.operand(node.inputs[input]!)))
  if (data?.length !== 1 || weights === null) return 'unknown'
  return Float64Array.from(elements, (code, i) => code * data[0] * weights[weights.length === 1 ? 0 : i])
}

/** An interval that reaches further by `by` to both sides. */
export function widened({ lo, hi }: Interval, by: number): Interval {
  return { lo: -addUp(-lo, by), hi: addUp(hi, by) }
}
