import type { NormName } from '../../core/norm-name.ts'
import { divUp, mulUp, sqrtUp } from '../../core/rounding.ts'
import { sizeOf } from '../../core/tensor.ts'
import { hasAttribute, stringAttribute } from '../../graph/attribute.ts'
import { type BoundContext, type BoundRule, everything, type TensorBound } from '../bound.ts'
import { rootOf } from './broadcast.ts'
import { elementsOf, rangeOf } from './constant.ts'
import { farthest, up } from './interval.ts'
import { isFixed, through } from './join.ts'
import { inEvery } from './norms.ts'

/**
 * Losses of scores [samples, classes, …] for fixed labels: each place picks one score, times the weight of its class.
 * Picked apart the constant is max|w|; their sum √n·max|w| for n places; their mean Σ wᵢxᵢ/Σ wᵢ has √Σ wᵢ²/Σ wᵢ, which is
 * 1/√n for equal weights and at most 1 for weights of one sign, also where places are ignored. In ℓ∞ n weights sum up, in ℓ1 one counts.
 */
function pickGain(context: BoundContext, norm: NormName): number | string {
  const [scores, labels, weights] = [context.input(0), context.input(1), context.input(2)]
  if (scores === null || labels === null || !isFixed(labels)) return 'has labels that are computed from data'
  const elements = weights === null ? null : elementsOf(weights)
  const range = weights === null ? { lo: 1, hi: 1 } : elements && rangeOf(elements)
  if (range === null) return 'has weights that are computed from data or not known'
  const reduction = stringAttribute(context.node, 'reduction', 'mean')
  if (reduction === 'none') return farthest(range)
  const places = labels.shape && sizeOf(labels.shape)
  if (reduction === 'sum')
    return places === null
      ? 'sums a number of places that is not known; give --input-shape'
      : mulUp({ l2: sqrtUp(places), linf: places, l1: 1 }[norm], farthest(range))
  if (range.lo < 0) return 'has weights of both signs, which may sum to 0'
  const equal = weights === null && !hasAttribute(context.node, 'ignore_index')
  if (!equal || places === null || !(places > 0)) return 1
  return { l2: up(1 / Math.sqrt(places)), linf: 1, l1: divUp(1, places) }[norm]
}

const likelihood = inEvery((context, norm) => {
  const gain = pickGain(context, norm)
  const scores = context.input(0)
  return [
    typeof gain === 'string' || scores === null
      ? context.refuse(typeof gain === 'string' ? gain : 'has no scores')
      : through(scores, gain, everything),
  ]
})

/**
 * The loss of the logarithms of Softmax: the gradient of one place is w·(p − e) for the distribution p and the unit vector e of
 * the label, and |p − e|² ≤ 2, |p − e|₁ ≤ 2 and |p − e|_∞ ≤ 1. The second output holds the logarithms: √classes.
 */
const crossEntropy = inEvery((context, norm) => {
  const gain = pickGain(context, norm)
  const scores = context.input(0)
  const classes = scores?.shape?.at(1) ?? null
  const loss: TensorBound =
    typeof gain === 'string' || scores === null
      ? context.refuse(typeof gain === 'string' ? gain : 'has no scores')
      : through(scores, up(gain * { l2: Math.SQRT2, linf: 2, l1: 1 }[norm]), everything)
  if (context.outputCount < 2) return [loss]
  const logarithms =
    scores === null || classes === null
      ? context.refuse('has a number of classes that is not known; give --input-shape')
      : through(scores, { l2: rootOf(classes), linf: 2, l1: Math.max(1, classes - 1) }[norm], logarithm)
  return [loss, logarithms]
})

const logarithm = { lo: -Infinity, hi: 0 }

export const lossRules = {
  NegativeLogLikelihoodLoss: likelihood,
  SoftmaxCrossEntropyLoss: crossEntropy,
} satisfies Record<string, BoundRule>
