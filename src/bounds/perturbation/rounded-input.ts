import * as mag from '../../core/magnitude.ts'
import { addUp, mulUp, sqrtUp } from '../../core/rounding.ts'
import { sizeOf } from '../../core/tensor.ts'
import * as term from '../../core/term.ts'
import type { Node, Value } from '../../graph/graph.ts'
import type { BoundOperand } from '../../ops/bound.ts'
import { farthest } from '../../ops/rules/interval.ts'
import { fixed, unbounded } from '../../ops/rules/join.ts'
import type { Walk } from '../walk.ts'
import { widened } from './constant-difference.ts'
import type { Pairing } from './pairing.ts'
import { differenceAt, leaves, type Perturbed } from './perturbed.ts'
import { type Rounding, roundingError } from './rounding.ts'

/** How far the roundings before an input move it at most; null where its size is not known. */
export function roundingOf(
  { pairing, base }: Pick<Perturbed, 'pairing' | 'base'>,
  node: Node,
  input: number,
  value: Value,
  apart: term.Term,
): number | null {
  return roundedBy(pairing.pairs.get(node)?.roundings.get(input) ?? [], pairing, base, value, apart)
}

/**
 * The same of given roundings of a value of the reference, its counterpart being `apart` from it before them: what is stored
 * with a relative error is the counterpart, and may be longer by that.
 */
export function roundedBy(
  roundings: readonly Rounding[],
  pairing: Pairing,
  base: Walk,
  value: Value,
  apart: term.Term,
): number | null {
  if (roundings.length === 0) return 0
  const { shape } = pairing.reference.operand(value)
  const size = shape === null ? null : sizeOf(shape)
  if (shape === null || size === null) return null
  const { range, norm } = base.boundOf(value)
  const box = base.boxOf(value)
  let error = 0
  for (const rounding of roundings) {
    const moved = rounding.kind === 'float' ? addUp(error, mag.toNumber(apart.value)) : error
    error = addUp(error, roundingError(rounding, { shape, size, range, box, norm: addUp(norm, moved) }))
  }
  return error
}

/** ‖u − u'‖ at most, whatever has happened before, where u' has ended on a grid: both lie where they lie. */
export function farthestApart(
  roundings: readonly Rounding[],
  pairing: Pairing,
  base: Walk,
  value: Value,
): number {
  const last = roundings.at(-1)
  const size = sizeOf(pairing.reference.operand(value).shape ?? [null])
  if (last?.kind !== 'grid' || size === null) return Infinity
  return addUp(base.boundOf(value).norm, mulUp(sqrtUp(size), farthest(last.range)))
}

export const unknownSize = 'rounds a number of elements that is not known; give --input-shape'

/** An input as both networks' nodes read it: constants that differ vary, tensors may have been rounded. */
export function read(perturbed: Perturbed, node: Node, input: number, operand: BoundOperand): BoundOperand {
  const { pairing, base } = perturbed
  const pair = pairing.pairs.get(node)
  if (pair === undefined) return operand
  if (!operand.isConstant) {
    const { value } = operand.operand
    const roundings = pair.roundings.get(input) ?? []
    const error = roundedBy(roundings, pairing, base, value, operand.offset)
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
