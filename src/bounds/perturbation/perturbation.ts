import * as mag from '../../core/magnitude.ts'
import { addUp } from '../../core/rounding.ts'
import type { Term } from '../../core/term.ts'
import * as term from '../../core/term.ts'
import type { Node, Value } from '../../graph/graph.ts'
import type { Refusal, TensorBound } from '../../ops/bound.ts'
import { intersection } from '../../ops/rules/interval.ts'
import { fixed, stacked, unbounded } from '../../ops/rules/join.ts'
import { type Walk, walkGraph } from '../walk.ts'
import { additions } from './additions.ts'
import { widened } from './constant-difference.ts'
import type { Pair } from './pairing.ts'
import { hasOtherConstants, leaves, linearKinds, type Perturbed, passes } from './perturbed.ts'
import { farthestApart, read, roundedBy, unknownSize } from './rounded-input.ts'

/** ‖f(x) − f'(x)‖₂ at most, over all x of the domain, all outputs together; what it is made of. */
export interface Perturbation {
  /** Infinite with a refusal where there is no proof. */
  readonly bound: Term
  readonly refusal: Refusal | null
  /** The part of each layer's weights and bias in the bound, by key, of other constants and of roundings, by node. */
  readonly parts: ReadonlyMap<string, number>
}

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
  const other = differenceBeforeCut(perturbed)
  if (other !== null) return { bound: term.infinite, refusal: other, parts: new Map() }
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

/**
 * Where the graph is cut, the walk begins anew with one and the same tensor: what is looked up for integers, and all that
 * it is computed from, has to be the same in both networks. Why it is not; null where it is.
 */
function differenceBeforeCut(perturbed: Perturbed): Refusal | null {
  const { pairing, audited, layersOf, differenceOf } = perturbed
  const before = new Set<Node>(audited.flatMap(({ producer }) => producer ?? []))
  for (const node of before) {
    const { inputs } = pairing.reference.typed(node)
    for (const input of inputs) {
      if (input !== null && !input.isConstant && input.value.producer !== null)
        before.add(input.value.producer)
    }
  }
  for (const node of before) {
    if (passes(pairing, node)) continue
    const pair = pairing.pairs.get(node)
    const isSame =
      pair !== undefined &&
      [...pair.roundings.values()].every((roundings) => roundings.length === 0) &&
      !hasOtherConstants(perturbed, node) &&
      layersOf(node).every(({ key, kind }) => !linearKinds.has(kind) || differenceOf(key) === 0)
    if (isSame) continue
    return {
      node: node.name,
      op: node.op,
      reason: 'computes what the other model computes otherwise, before the embedding',
    }
  }
  return null
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
  const error = roundedBy(image.roundings, pairing, base, value, bound.offset)
  if (error === null) return refuse(unknownSize)
  if (error === 0) return bound
  const leaf = leaves.rounding(other.name)
  const moved = term.sum(bound.offset, term.leaf(leaf, error))
  const apart = farthestApart(image.roundings, pairing, base, value)
  return { ...bound, offset: term.minimum(moved, term.leaf(leaf, apart)) }
}
