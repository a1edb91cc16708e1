import * as mag from '../../core/magnitude.ts'
import type { NormName } from '../../core/norm-name.ts'
import { mulUp, sqrtUp } from '../../core/rounding.ts'
import { floatAttribute, stringAttribute } from '../../graph/attribute.ts'
import {
  type BoundContext,
  type BoundOperand,
  type BoundRule,
  everything,
  type Interval,
  type TensorBound,
} from '../bound.ts'
import { broadcastCounts, countedIn, rootOf, unknownCopies } from './broadcast.ts'
import { scalarOf } from './constant.ts'
import { elementwise, fastGeluSlope, gated, geluSlope, swishOf } from './elementwise.ts'
import { farthest, interval, sum, unit } from './interval.ts'
import { addedIn, fixed, isFixed, type Part, through, unbounded } from './join.ts'
import { inEvery } from './norms.ts'

/** Operators of ONNX Runtime that add biases or residuals and then do something simple, and distances of rows. */

/** The sum of the operands, each with its copies. */
function total(
  context: BoundContext,
  operands: readonly (BoundOperand | null)[],
  norm: NormName,
): TensorBound {
  const given = operands.filter((operand) => operand !== null)
  const counts = broadcastCounts(context, given)
  const parts: Part[] = []
  for (const [i, bound] of given.entries()) {
    const count = counts[i]
    if (isFixed(bound)) continue
    if (count === null) return context.refuse(unknownCopies)
    parts.push({ bound, gain: countedIn(norm, count) })
  }
  return addedIn(norm, parts, given.map(({ range }) => range).reduce(sum, interval(0, 0)))
}

const first = (context: BoundContext, count: number) =>
  Array.from({ length: count }, (_, i) => context.input(i))

/** act(x + bias). */
function activated(slope: number, dip: number): BoundRule {
  return inEvery((context, norm) => {
    const shifted = total(context, first(context, 2), norm)
    return [through(shifted, slope, gated(shifted.range, slope, dip).image)]
  })
}

/** softmax(x + bias): ½ in every norm, however long the groups are. */
const softmax = inEvery((context, norm) => [through(total(context, first(context, 2), norm), 0.5, unit)])

/**
 * a·GELU(b) for the halves a, b of x + bias: each output has the gradient (GELU(b), a·GELU′(b)), whose entries sum up in ℓ∞ and of which
 * the larger counts in ℓ1.
 */
const splitGelu = inEvery((context, norm) => {
  const operands = first(context, 2).filter((operand) => operand !== null)
  const range = operands.map((operand) => operand.range).reduce(sum, interval(0, 0))
  const largest = farthest(range)
  if (!(largest < Infinity))
    return [
      context.refuse(
        'multiplies two tensors that both depend on the input and have no proven bounds: not Lipschitz on an unbounded domain; give --input-range',
      ),
    ]
  const [x, bias] = [context.input(0), context.input(1)]
  if (x === null || (bias !== null && !isFixed(bias)))
    return [context.refuse('has a bias that is computed from data')]
  const joint = { l2: sqrtUp(1 + geluSlope * geluSlope * (1 + 1e-12)), linf: 1 + geluSlope, l1: geluSlope }
  const slope = mulUp(largest, joint[norm])
  const reach = mulUp(largest, largest)
  return [through(x, slope, interval(-reach, reach))]
})

/** x + bias + residual where it does not train; a mask that keeps everything. */
function dropout(operands: number, training: number): BoundRule {
  return inEvery((context, norm) => {
    const flag = context.input(training)
    if (flag !== null && scalarOf(flag) !== 0)
      return context.node.outputs.map(() =>
        unbounded(context.node, 'draws random numbers: it runs in training mode'),
      )
    const result = total(context, first(context, operands), norm)
    return context.node.outputs.map((_, i) => (i === 0 ? result : fixed()))
  })
}

/**
 * Distances d(aᵢ, bⱼ) of rows: |Δd| ≤ |Δaᵢ| + |Δbⱼ|, and each row of A meets n rows of B: √n·|ΔA| + √m·|ΔB|. Squared distances of
 * rows that are at most D apart: 2D times that. In ℓ∞ rows of w elements change by √w times the largest change, and each distance by that
 * of two; in ℓ1 by no more than the sum, for each row that it meets.
 */
const distances = inEvery((context, norm) => {
  const [a, b] = [context.input(0), context.input(1)]
  if (a === null || b === null) return [context.refuse('lacks an operand')]
  const [rows, columns, width] = [a.shape?.[0] ?? null, b.shape?.[0] ?? null, a.shape?.[1] ?? null]
  if (rows === null || columns === null || width === null)
    return [context.refuse('compares numbers of rows that are not known; give --input-shape')]
  const squared = stringAttribute(context.node, 'metric', 'sqeuclidean') !== 'euclidean'
  const spread = mulUp(sqrtUp(width), farthest(sum(a.range, { lo: -b.range.hi, hi: -b.range.lo })))
  const factor = squared ? mulUp(2, spread) : 1
  if (!(factor < Infinity))
    return [
      context.refuse(
        'squares distances that have no proven bounds: not Lipschitz on an unbounded domain; give --input-range',
      ),
    ]
  const times = {
    l2: [rootOf(columns), rootOf(rows)],
    linf: [rootOf(width), rootOf(width)],
    l1: [mag.magnitude(columns), mag.magnitude(rows)],
  }[norm]
  const parts = [a, b].map((bound, i) => ({ bound, gain: mag.multiply(times[i], mag.magnitude(factor)) }))
  return [addedIn(norm, parts, interval(0, squared ? mulUp(spread, spread) : spread))]
})

/**
 * Complex products, real and imaginary parts along the last axis: |Δ(zw)| ≤ sup|z|·|Δw| + sup|w|·|Δz|, with the sum of both parts' suprema in
 * place of |z| in ℓ∞ and ℓ1.
 */
const complexProduct = inEvery((context, norm) => {
  const operands = first(context, 2).filter((operand) => operand !== null)
  if (operands.length < 2) return [context.refuse('lacks an operand')]
  const counts = broadcastCounts(context, operands)
  const lengths = operands.map(({ range }): number => mulUp(Math.SQRT2 * (1 + 1e-15), farthest(range)))
  const sizes = norm === 'l2' ? lengths : operands.map(({ range }) => 2 * farthest(range))
  const parts: Part[] = []
  for (const [i, bound] of operands.entries()) {
    const [count, other] = [counts[i], sizes[1 - i]]
    if (isFixed(bound)) continue
    if (count === null) return [context.refuse(unknownCopies)]
    if (!(other < Infinity))
      return [context.refuse('multiplies by values that have no proven bounds; give --input-range')]
    parts.push({ bound, gain: mag.multiply(countedIn(norm, count), mag.magnitude(other)) })
  }
  const reach = mulUp(lengths[0], lengths[1])
  const image: Interval = reach < Infinity ? interval(-reach, reach) : everything
  return [addedIn(norm, parts, image)]
})

export const biasedRules = {
  FastGelu: activated(fastGeluSlope, 0.171),
  BiasGelu: activated(geluSlope, 0.171),
  QuickGelu: elementwise((range, { node }) =>
    swishOf(range, floatAttribute(node, 'alpha', Math.fround(1.702))),
  ),
  BiasAdd: inEvery((context, norm) => [total(context, first(context, 3), norm)]),
  BiasSoftmax: softmax,
  BiasSplitGelu: splitGelu,
  BiasDropout: dropout(3, 4),
  BitmaskDropout: dropout(1, 2),
  CDist: distances,
  ComplexMul: complexProduct,
} satisfies Record<string, BoundRule>
