import * as mag from '../../core/magnitude.ts'
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
import { broadcastGains, rootOf, unknownCopies } from './broadcast.ts'
import { scalarOf } from './constant.ts'
import { elementwise, fastGeluSlope, gated, geluSlope, swishOf } from './elementwise.ts'
import { farthest, interval, sum, unit } from './interval.ts'
import { added, fixed, isFixed, type Part, through, unbounded } from './join.ts'

/** Operators of ONNX Runtime that add biases or residuals and then do something simple, and distances of rows. */

/** The sum of the operands, each with √copies. */
function total(context: BoundContext, operands: readonly (BoundOperand | null)[]): TensorBound {
  const given = operands.filter((operand) => operand !== null)
  const gains = broadcastGains(context, given)
  const parts: Part[] = []
  for (const [i, bound] of given.entries()) {
    const gain = gains[i]
    if (isFixed(bound)) continue
    if (gain === null) return context.refuse(unknownCopies)
    parts.push({ bound, gain })
  }
  return added(parts, given.map(({ range }) => range).reduce(sum, interval(0, 0)))
}

const first = (context: BoundContext, count: number) =>
  Array.from({ length: count }, (_, i) => context.input(i))

/** act(x + bias). */
function activated(slope: number, dip: number): BoundRule {
  return (context) => {
    const shifted = total(context, first(context, 2))
    return [through(shifted, slope, gated(shifted.range, slope, dip).image)]
  }
}

/** softmax(x + bias): ½, however long the groups are. */
const softmax: BoundRule = (context) => [through(total(context, first(context, 2)), 0.5, unit)]

/** a·GELU(b) for the halves a, b of x + bias: each output has the gradient (GELU(b), a·GELU′(b)). */
const splitGelu: BoundRule = (context) => {
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
  const slope = mulUp(largest, sqrtUp(1 + geluSlope * geluSlope * (1 + 1e-12)))
  const reach = mulUp(largest, largest)
  return [through(x, slope, interval(-reach, reach))]
}

/** x + bias + residual where it does not train; a mask that keeps everything. */
function dropout(operands: number, training: number): BoundRule {
  return (context) => {
    const flag = context.input(training)
    if (flag !== null && scalarOf(flag) !== 0)
      return context.node.outputs.map(() =>
        unbounded(context.node, 'draws random numbers: it runs in training mode'),
      )
    const result = total(context, first(context, operands))
    return context.node.outputs.map((_, i) => (i === 0 ? result : fixed()))
  }
}

/**
 * Distances d(aᵢ, bⱼ) of rows: |Δd| ≤ |Δaᵢ| + |Δbⱼ|, and each row of A meets n rows of B: √n·|ΔA| + √m·|ΔB|. Squared distances of
 * rows that are at most D apart: 2D times that.
 */
const distances: BoundRule = (context) => {
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
  const parts = [
    { bound: a, gain: mag.multiply(rootOf(columns), mag.magnitude(factor)) },
    { bound: b, gain: mag.multiply(rootOf(rows), mag.magnitude(factor)) },
  ]
  return [added(parts, interval(0, squared ? mulUp(spread, spread) : spread))]
}

/** Complex products, real and imaginary parts along the last axis: |Δ(zw)| ≤ sup|z|·|Δw| + sup|w|·|Δz|. */
const complexProduct: BoundRule = (context) => {
  const operands = first(context, 2).filter((operand) => operand !== null)
  if (operands.length < 2) return [context.refuse('lacks an operand')]
  const gains = broadcastGains(context, operands)
  const lengths = operands.map(({ range }): number => mulUp(Math.SQRT2 * (1 + 1e-15), farthest(range)))
  const parts: Part[] = []
  for (const [i, bound] of operands.entries()) {
    const [gain, other] = [gains[i], lengths[1 - i]]
    if (isFixed(bound)) continue
    if (gain === null) return [context.refuse(unknownCopies)]
    if (!(other < Infinity))
      return [context.refuse('multiplies by values that have no proven bounds; give --input-range')]
    parts.push({ bound, gain: mag.multiply(gain, mag.magnitude(other)) })
  }
  const reach = mulUp(lengths[0], lengths[1])
  const image: Interval = reach < Infinity ? interval(-reach, reach) : everything
  return [added(parts, image)]
}

export const biasedRules = {
  FastGelu: activated(fastGeluSlope, 0.171),
  BiasGelu: activated(geluSlope, 0.171),
  QuickGelu: elementwise((range, { node }) =>
    swishOf(range, floatAttribute(node, 'alpha', Math.fround(1.702))),
  ),
  BiasAdd: (context) => [total(context, first(context, 3))],
  BiasSoftmax: softmax,
  BiasSplitGelu: splitGelu,
  BiasDropout: dropout(3, 4),
  BitmaskDropout: dropout(1, 2),
  CDist: distances,
  ComplexMul: complexProduct,
} satisfies Record<string, BoundRule>
