import { sqrtUp } from '../../core/rounding.ts'
import { sizeOf } from '../../core/tensor.ts'
import type { Value } from '../../graph/graph.ts'
import { type BoundContext, everything, type TensorBound } from '../bound.ts'
import { down, interval, unit, up } from '../rules/interval.ts'
import { through } from '../rules/join.ts'
import { isSame, numberIn, producerOf, stripped } from './pattern.ts'
import { meets } from './quadratic.ts'
import { groupSumOf } from './reduced.ts'

/** Softmax, the logistic function and softplus, written with exponentials. */

/** The operands of a quotient; a reciprocal is a quotient of 1. */
function quotientOf(context: BoundContext): { above: Value | null; below: Value } | null {
  const [first, second] = context.node.inputs
  if (context.node.op === 'Reciprocal') return first ? { above: null, below: first } : null
  return first && second ? { above: first, below: second } : null
}

export function exponentialQuotient(context: BoundContext): TensorBound | null {
  const quotient = quotientOf(context)
  if (quotient === null) return null
  return softmax(context, quotient.above, quotient.below) ?? logistic(context, quotient.above, quotient.below)
}

/** eᶻ/Σeᶻ over groups: ½ as for Softmax, which does not change when a number is taken off a whole group. */
function softmax(context: BoundContext, above: Value | null, below: Value): TensorBound | null {
  const exponential = producerOf(above, 'Exp')
  const sum = groupSumOf(context, below, ['ReduceSum'])
  const argument = exponential?.inputs[0]
  if (above === null || !argument || sum === null || sum.factor !== 1) return null
  if (!isSame(sum.of, above) || !meets(context, sum, below, above)) return null
  const data = context.operandOf(withoutLevel(context, argument, sum.axes))
  const size = data.shape && sizeOf(data.shape)
  return through(data, 0.5, unit, size === null || !sum.count ? Infinity : sqrtUp(size / sum.count))
}

/** x of x − max(x) along the same axes. */
function withoutLevel(context: BoundContext, value: Value, axes: readonly number[]): Value {
  const [x, level] = producerOf(value, 'Sub')?.inputs ?? []
  const group = level ? groupSumOf(context, level, ['ReduceMax']) : null
  if (!x || !level || group === null || !isSame(group.of, x) || !meets(context, group, level, x)) return value
  return group.axes.every((axis) => axes.includes(axis)) && group.axes.length === axes.length ? x : value
}

/** k/(b + a·e^{cx + d}) with a, b > 0: k/b times the logistic function of a shifted −cx. */
function logistic(context: BoundContext, above: Value | null, below: Value): TensorBound | null {
  const number = above === null ? 1 : numberIn(context, above)
  const { root, scale, shift, error } = stripped(context, below)
  const least = shift - error
  const argument = producerOf(root, 'Exp')?.inputs[0]
  if (number === null || !argument || !(scale > 0 && least > 0)) return null
  const line = stripped(context, argument)
  const height = number / least
  const image = interval(down(Math.min(height, 0)), up(Math.max(height, 0)))
  return through(context.operandOf(line.root), up(Math.abs(height * line.scale) / 4), image)
}

/** log(b + a·e^{cx + d}) with a > 0, b ≥ 0: the slope |c|·a·e^{…}/(b + a·e^{…}) stays below |c|. */
export function logarithmOfSum(context: BoundContext): TensorBound | null {
  const [value] = context.node.inputs
  if (!value) return null
  const { root, scale, shift, error } = stripped(context, value)
  const least = shift - error
  const argument = producerOf(root, 'Exp')?.inputs[0]
  if (!argument || !(scale > 0 && least >= 0)) return null
  const line = stripped(context, argument)
  const image = least > 0 ? interval(down(Math.log(least)) - 1e-14, Infinity) : everything
  return through(context.operandOf(line.root), up(Math.abs(line.scale)), image)
}
