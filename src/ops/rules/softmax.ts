import { sqrtUp } from '../../core/rounding.ts'
import { type Dim, sizeOf } from '../../core/tensor.ts'
import { intAttribute } from '../../graph/attribute.ts'
import type { BoundContext, BoundOperand, BoundRule, NormRule } from '../bound.ts'
import { productOf } from '../shape/integers.ts'
import { rootOf } from './broadcast.ts'
import { unit } from './interval.ts'
import { through } from './join.ts'
import { inNorms } from './norms.ts'

/** Length of the groups that are normalised: since version 13 one axis, before that all axes from `axis` on. */
function groupLength(context: BoundContext, x: BoundOperand): Dim {
  const single = context.node.version >= 13
  const axis = intAttribute(context.node, 'axis', single ? -1 : 1)
  if (x.shape === null) return null
  if (!single) return productOf(x.shape.slice(axis))
  return x.shape.length === 0 ? 1 : (x.shape.at(axis) ?? null)
}

/** √(number of groups): a distribution has at most the length 1. */
function lengthOfDistributions(context: BoundContext, x: BoundOperand): number {
  const [size, length] = [x.shape && sizeOf(x.shape), groupLength(context, x)]
  return size === null || !length ? Infinity : sqrtUp(size / length)
}

/**
 * Softmax: J = diag(p) − ppᵀ is the covariance of the distribution p over unit vectors, and vᵀJv is the variance
 * of the entries of v: at most (max v − min v)²/4 ≤ ½ for a unit v (Popoviciu). Hence ½, attained for n ≥ 2.
 */
const softmax: BoundRule = (context) => {
  const x = context.input(0)
  if (x === null) return [context.refuse('has no data')]
  return [through(x, 0.5, unit, lengthOfDistributions(context, x))]
}

/** LogSoftmax: J = I − 1pᵀ, a projection of norm √n·‖p‖₂ ≤ √n; constant for n = 1. */
const logSoftmax: BoundRule = (context) => {
  const x = context.input(0)
  const length = x && groupLength(context, x)
  if (x === null || length === null)
    return [context.refuse('normalises groups of a length that is not known; give --input-shape')]
  return [through(x, length === 1 ? 0 : rootOf(length), { lo: -Infinity, hi: 0 })]
}

/**
 * J = I − 1pᵀ: rows sum to |1 − pᵢ| + (1 − pᵢ) ≤ 2 in absolute value, columns to 1 − pⱼ + (n − 1)·pⱼ ≤ max(1, n − 1). Of
 * Softmax rows and columns sum to 2pᵢ(1 − pᵢ) ≤ ½, as in ℓ2.
 */
const logSoftmaxIn: NormRule = (context, norm) => {
  const x = context.input(0)
  const length = x && groupLength(context, x)
  if (x === null || length === null)
    return [context.refuse('normalises groups of a length that is not known; give --input-shape')]
  const gain = { linf: 2, l1: Math.max(1, length - 1) }[norm]
  return [through(x, length === 1 ? 0 : gain, { lo: -Infinity, hi: 0 })]
}

export const softmaxRules = {
  Softmax: inNorms(softmax, 'same'),
  LogSoftmax: inNorms(logSoftmax, logSoftmaxIn),
} satisfies Record<string, BoundRule>
