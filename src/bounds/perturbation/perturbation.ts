import * as mag from '../../core/magnitude.ts'
import { addUp, mulUp, sqrtUp } from '../../core/rounding.ts'
import { isFloatType, sizeOf } from '../../core/tensor.ts'
import type { Term } from '../../core/term.ts'
import * as term from '../../core/term.ts'
import type { Node, Value } from '../../graph/graph.ts'
import { batchStatistics } from '../../ops/batch-statistics.ts'
import type { BoundOperand, Interval, Refusal, TensorBound } from '../../ops/bound.ts'
import { isPass } from '../../ops/float-forms.ts'
import { farthest, intersection } from '../../ops/rules/interval.ts'
import { fixed, stacked, unbounded } from '../../ops/rules/join.ts'
import { type NormOf, type Walk, walkGraph } from '../walk.ts'
import { biasDifference, biasInput, constantDifference, widened } from './constant-difference.ts'
import { normalizationDifference } from './normalization-difference.ts'
import type { Pair, Pairing } from './pairing.ts'
import { type Rounding, roundingError } from './rounding.ts'

/** What bounds the outputs' difference of two paired networks. */
export interface Perturbed {
  readonly pairing: Pairing
  /** The reference's own refined walk over the domain: where its values lie. */
  readonly base: Walk
  /** Norms of the reference's layers, and of the layers' differences: by key, or why there is none. */
  readonly normOf: NormOf
  readonly differenceOf: NormOf
  /** Keys of the reference's layers by node. */
  readonly layersOf: (
    node: Node,
  ) => readonly { readonly key: string; readonly kind: string; readonly weight: string }[]
  readonly audited: readonly Value[]
  readonly inputRanges: ReadonlyMap<string, Interval>
  /** Outputs of the reference and what the other network has for them. */
  readonly outputs: readonly { readonly value: Value; readonly other: Value }[]
}

/** ‖f(x) − f'(x)‖₂ at most, over all x of the domain, all outputs together; what it is made of. */
export interface Perturbation {
  /** Infinite with a refusal where there is no proof. */
  readonly bound: Term
  readonly refusal: Refusal | null
  /** The part of each layer's weights and bias in the bound, by key, of other constants and of roundings, by node. */
  readonly parts: ReadonlyMap<string, number>
}

/** Leaves of the bound: what the networks differ by. */
export const leaves = {
  layer: (key: string) => `weights ${key}`,
  constant: (node: string) => `constant ${node}`,
  rounding: (node: string) => `rounding ${node}`,
} as const

const kinds: ReadonlySet<string> = new Set(['dense', 'conv', 'conv-transpose'])

/**
 * Carries ‖v(x) − v'(x)‖₂ ≤ δ through the reference, v' being the other network's counterpart of v. The rules of the
 * bound walk do it: they guarantee |op(u) − op(u')| ≤ Σ gainᵢ·|uᵢ − u'ᵢ| for any two operands within their ranges, and
 * carry the right-hand side as the offset. What is added is what the node itself does otherwise,
 *
 *     |Wu + b − W'u' − b'| ≤ ‖W‖·|u − u'| + ‖W − W'‖·(‖u‖ + |u − u'|) + ‖b − b'‖,
 *
 * and the roundings between nodes. Ranges and lengths are those of the reference's values, widened by δ, so that they
 * hold for both. Arithmetic is taken as exact, as in all bounds. Cost: one walk.
 */
export function boundPerturbation(perturbed: Perturbed): Perturbation {
  const walk = walkGraph(perturbed.pairing.reference, {
    normOf: perturbed.normOf,
    audited: perturbed.audited,
    inputRanges: perturbed.inputRanges,
    refined: true,
    refine: (node, results, boundOf) => written(perturbed, node, results, boundOf),
    readAs: (node, input, operand) => read(perturbed, node, input, operand),
    usesForms: formsApart(perturbed),
    hidesLayers: (node) => hasOtherConstants(perturbed, node),
  })
  const outputs = perturbed.outputs.map((output) => atOutput(perturbed, walk, output))
  const joint = stacked(
    outputs.map((bound) => ({ bound, gain: 1 })),
    { lo: -Infinity, hi: Infinity },
  )
  const { refusal } = joint
  if (refusal !== null) return { bound: term.infinite, refusal, parts: new Map() }
  return { bound: joint.offset, refusal: null, parts: partsOf(joint.offset) }
}

function partsOf(bound: Term): Map<string, number> {
  const total = mag.toNumber(bound.value)
  const kept = [...term.elasticities(bound)].filter(([leaf]) => /^(weights|constant|rounding) /.test(leaf))
  return new Map(kept.map(([leaf, elasticity]) => [leaf, elasticity * total]))
}

/** The bound of a node's outputs with what the two nodes do otherwise. */
function written(
  perturbed: Perturbed,
  node: Node,
  results: readonly TensorBound[],
  boundOf: (value: Value) => TensorBound,
): readonly TensorBound[] {
  const { pairing } = perturbed
  const isSame = pairing.absorbed.has(node) || passes(pairing, node)
  const pair = pairing.pairs.get(node)
  if ((pair !== undefined || isSame) && readsTheSame(perturbed, node, pair, boundOf)) {
    const added = pair === undefined ? [] : additions(perturbed, pair, boundOf)
    if (added.length === 0) return results.map((result, i) => untouched(perturbed, node.outputs[i], result))
  }
  if (pair === undefined && !isSame) {
    const refusal = results.find((result) => result.refusal !== null)
    return results.map(() => refusal ?? unbounded(node, 'has no counterpart in the other model'))
  }
  const added = pair === undefined ? [] : additions(perturbed, pair, boundOf)
  if (typeof added === 'string') return results.map(() => unbounded(node, added))
  return results.map((result, i) => {
    const output = node.outputs[i]
    if (output == null || result.refusal !== null) return result
    const offset = i === 0 ? term.sum(result.offset, ...added) : result.offset
    const error = mag.toNumber(offset.value)
    if (error === Infinity) return unbounded(node, 'may differ by more than any number')
    const own = perturbed.base.boundOf(output)
    const range = widened(own.range, error)
    return {
      ...result,
      offset,
      range: added.length === 0 ? intersection(range, result.range) : range,
      norm: addUp(own.norm, error),
    }
  })
}

/** Whether both nodes read one and the same: what they compute is then the same, whatever their rule says of changes. */
function readsTheSame(
  perturbed: Perturbed,
  node: Node,
  pair: Pair | undefined,
  boundOf: (value: Value) => TensorBound,
): boolean {
  const { reference } = perturbed.pairing
  const { operator, inputs } = reference.typed(node)
  if (operator === null || operator.draws?.(node) === true || node.captures.size > 0) return false
  const isEqual = inputs.every((input) => {
    if (input === null || input.isConstant) return true
    const { offset, refusal } = boundOf(input.value)
    return refusal === null && term.isZero(offset)
  })
  const isRounded = [...(pair?.roundings.values() ?? [])].some((roundings) => roundings.length > 0)
  return isEqual && !isRounded && !hasOtherConstants(perturbed, node)
}

/** A tensor that is the same in both networks. */
function untouched(
  { base, audited }: Perturbed,
  output: Value | null | undefined,
  result: TensorBound,
): TensorBound {
  if (output == null) return result
  const { range, norm } = base.boundOf(output)
  const lipschitz = result.refusal === null ? result.lipschitz : term.one
  const dependence = result.refusal === null ? result.dependence : new Set(audited.keys())
  return { lipschitz, dependence, offset: term.zero, range, norm, refusal: null }
}

/** What the nodes of a pair do otherwise, as terms; a text says why it is not known. */
function additions(
  perturbed: Perturbed,
  pair: Pair,
  boundOf: (value: Value) => TensorBound,
): readonly Term[] | string {
  const { pairing, base, differenceOf, layersOf } = perturbed
  const { node } = pair
  const { reference, other } = pairing
  const [data, ...further] = dataInputs(pairing, node)
  const value = data === undefined ? null : (node.inputs[data] as Value)
  const added: Term[] = []
  for (const { key, kind } of layersOf(node)) {
    if (!kinds.has(kind)) continue
    const difference = differenceOf(key)
    if (typeof difference === 'string') return difference
    if (difference === 0) continue
    if (value === null || further.length > 0) return 'multiplies several tensors by weights that differ'
    const length = base.boundOf(value).norm
    if (length === Infinity) return 'has weights that differ and data without a bound; give --input-range'
    added.push(term.leaf(leaves.layer(key), mulUp(difference, length)))
    const rounding = roundingOf(perturbed, node, data, value)
    const error = term.sum(boundOf(value).offset, term.leaf(leaves.rounding(node.name), rounding ?? Infinity))
    if (!term.isZero(error)) added.push(term.scale(error, difference))
  }
  const length =
    value === null ? Infinity : addUp(base.boundOf(value).norm, mag.toNumber(boundOf(value).offset.value))
  const gains = normalizationDifference(reference, other, pair, length)
  if (gains === Infinity) return 'has constants that differ and data without a bound; give --input-range'
  if (gains !== null && gains > 0) added.push(term.leaf(leaves.constant(node.name), gains))
  if (biasInput(node) !== null) {
    const bias = biasDifference(reference, other, pair)
    if (bias === Infinity) return 'has biases that cannot be compared'
    const [layer] = layersOf(node)
    const leaf = layer === undefined ? leaves.constant(node.name) : leaves.layer(layer.key)
    if (bias > 0) added.push(term.leaf(leaf, bias))
  }
  return added
}

/** Inputs that depend on the network's inputs, a bias left out. */
function dataInputs({ reference }: Pairing, node: Node): number[] {
  const bias = biasInput(node)
  return [...node.inputs.entries()].flatMap(([input, value]) =>
    value !== null && input !== bias && !reference.operand(value).isConstant ? [input] : [],
  )
}

/** How far the roundings before an input move it at most; null where its size is not known. */
function roundingOf(
  { pairing, base }: Pick<Perturbed, 'pairing' | 'base'>,
  node: Node,
  input: number,
  value: Value,
): number | null {
  return roundedBy(pairing.pairs.get(node)?.roundings.get(input) ?? [], pairing, base, value)
}

function roundedBy(
  roundings: readonly Rounding[],
  pairing: Pairing,
  base: Walk,
  value: Value,
): number | null {
  if (roundings.length === 0) return 0
  const { shape } = pairing.reference.operand(value)
  const size = shape === null ? null : sizeOf(shape)
  if (shape === null || size === null) return null
  const { range, norm } = base.boundOf(value)
  const box = base.boxOf(value)
  let error = 0
  for (const rounding of roundings) {
    error = addUp(error, roundingError(rounding, { shape, size, range, box, norm: addUp(norm, error) }))
  }
  return error
}

/** ‖u − u'‖ at most, whatever has happened before, where u' has ended on a grid: both lie where they lie. */
function farthestApart(roundings: readonly Rounding[], pairing: Pairing, base: Walk, value: Value): number {
  const last = roundings.at(-1)
  const size = sizeOf(pairing.reference.operand(value).shape ?? [null])
  if (last?.kind !== 'grid' || size === null) return Infinity
  return addUp(base.boundOf(value).norm, mulUp(sqrtUp(size), farthest(last.range)))
}

const unknownSize = 'rounds a number of elements that is not known; give --input-shape'

/** An input as both networks' nodes read it: constants that differ vary, tensors may have been rounded. */
function read(perturbed: Perturbed, node: Node, input: number, operand: BoundOperand): BoundOperand {
  const { pairing, base } = perturbed
  const pair = pairing.pairs.get(node)
  if (pair === undefined) return operand
  if (!operand.isConstant) {
    const { value } = operand.operand
    const roundings = pair.roundings.get(input) ?? []
    const error = roundedBy(roundings, pairing, base, value)
    if (error === 0) return operand
    if (error === null) return { ...operand, ...unbounded(node, unknownSize) }
    const leaf = leaves.rounding(node.name)
    const moved = term.sum(operand.offset, term.leaf(leaf, error))
    const offset = term.minimum(moved, term.leaf(leaf, farthestApart(roundings, pairing, base, value)))
    const reach = mag.toNumber(offset.value)
    const own = base.boundOf(value)
    return { ...operand, offset, range: widened(own.range, reach), norm: addUp(own.norm, reach) }
  }
  const difference = differenceAt(perturbed, pair, input)
  if (difference === null) return operand
  const { length, range, norm } = difference
  if (length === Infinity) return { ...operand, ...unbounded(node, 'has constants that cannot be compared') }
  return {
    ...operand,
    ...fixed(range, norm),
    offset: term.leaf(leaves.constant(node.name), length),
    isConstant: false,
    operand: { ...operand.operand, isConstant: false, constant: () => null, smallConstant: () => null },
  }
}

/** What differs at a constant input that is neither a layer's weight nor a bias nor part of a normalisation. */
function differenceAt({ pairing, layersOf }: Perturbed, pair: Pair, input: number) {
  const { node } = pair
  const name = node.inputs[input]?.name
  const isWeight = layersOf(node).some(({ kind, weight }) => kinds.has(kind) && weight === name)
  if (isWeight || biasInput(node) === input || batchStatistics(node) !== null) return null
  return constantDifference(pairing.reference, pairing.other, pair, input)
}

/** Whether a constant of the node differs, besides weights and biases of linear layers. */
function hasOtherConstants(perturbed: Perturbed, node: Node): boolean {
  const { pairs, reference } = perturbed.pairing
  const pair = pairs.get(node)
  return (
    pair !== undefined &&
    node.inputs.some(
      (value, i) =>
        value !== null && reference.operand(value).isConstant && differenceAt(perturbed, pair, i) !== null,
    )
  )
}

function passes({ reference }: Pairing, node: Node): boolean {
  const { inputs, outputs } = reference.typed(node)
  return isPass(
    node,
    [inputs[0], outputs[0]].every((operand) => isFloatType(operand?.type ?? null)),
  )
}

/** So many nodes behind a difference no form is looked for: forms pass over the nodes within. */
const formLength = 24

/** Nodes that are not the end of a form in which constants differ or tensors are rounded. */
function formsApart(perturbed: Perturbed): (node: Node) => boolean {
  const { pairing } = perturbed
  const distances = new Map<Node, number>()
  for (const node of pairing.reference.graph.nodes) {
    const before = node.inputs.map((value) => distances.get(value?.producer as Node) ?? Infinity)
    const least = Math.min(...before) + 1
    const pair = pairing.pairs.get(node)
    const isOther =
      pair === undefined ||
      [...pair.roundings.values()].some((roundings) => roundings.length > 0) ||
      hasOtherConstants(perturbed, node)
    const distance = isOther ? 0 : least
    if (distance <= formLength) distances.set(node, distance)
  }
  return (node) => !distances.has(node)
}

/** The bound of one output, with what happens to it behind the last node. */
function atOutput(
  { pairing, base }: Perturbed,
  walk: Walk,
  { value, other }: Perturbed['outputs'][number],
): TensorBound {
  const node = value.producer
  const refuse = (reason: string): TensorBound => ({
    ...fixed(),
    lipschitz: term.infinite,
    refusal: { node: node?.name ?? value.name, op: node?.op ?? '', reason },
  })
  const image = pairing.imageOf(other)
  if (image === null || pairing.canonical(image.of) !== pairing.canonical(value)) {
    const bound = walk.boundOf(value)
    return bound.refusal !== null
      ? bound
      : refuse('computes an output that has no counterpart in the other model')
  }
  if (image.codes !== null) return refuse('computes an output that the other model gives in codes')
  const bound = walk.boundOf(value)
  if (bound.refusal !== null) return bound
  const error = roundedBy(image.roundings, pairing, base, value)
  if (error === null) return refuse(unknownSize)
  if (error === 0) return bound
  const leaf = leaves.rounding(other.name)
  const moved = term.sum(bound.offset, term.leaf(leaf, error))
  const apart = farthestApart(image.roundings, pairing, base, value)
  return { ...bound, offset: term.minimum(moved, term.leaf(leaf, apart)) }
}
