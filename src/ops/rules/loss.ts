import { mulUp, sqrtUp } from '../../core/rounding.ts'
import { sizeOf } from '../../core/tensor.ts'
import { hasAttribute, stringAttribute } from '../../graph/attribute.ts'
import { type BoundContext, type BoundRule, everything, type TensorBound } from '../bound.ts'
import { rootOf } from './broadcast.ts'
import { elementsOf, rangeOf } from './constant.ts'
import { farthest, up } from './interval.ts'
import { isFixed, through } from './join.ts'

/**
 * Losses of scores [samples, classes, …] for fixed labels: each place picks one score, times the weight of its class.
 * Picked apart the constant is max|w|; their sum √n·max|w| for n places; their mean Σ wᵢxᵢ/Σ wᵢ has √Σ wᵢ²/Σ wᵢ, which is
 * 1/√n for equal weights and at most 1 for weights of one sign, also where places are ignored.
 */
function pickGain(context: BoundContext): number | string {
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
      : mulUp(sqrtUp(places), farthest(range))
  if (range.lo < 0) return 'has weights of both signs, which may sum to 0'
  const equal = weights === null && !hasAttribute(context.node, 'ignore_index')
  return equal && places !== null && places > 0 ? up(1 / Math.sqrt(places)) : 1
}

const likelihood: BoundRule = (context) => {
  const gain = pickGain(context)
  const scores = context.input(0)
  return [
    typeof gain === 'string' || scores === null
      ? context.refuse(typeof gain === 'string' ? gain : 'has no scores')
      : through(scores, gain, everything),
  ]
}

/**
 * The loss of the logarithms of Softmax: the gradient of one place is w·(p − e) for the distribution p and the unit vector e of
 * the label, and |p − e|² ≤ 2. The second output holds the logarithms: √classes.
 */
const crossEntropy: BoundRule = (context) => {
  const gain = pickGain(context)
  const scores = context.input(0)
  const classes = scores?.shape?.at(1) ?? null
  const loss: TensorBound =
    typeof gain === 'string' || scores === null
      ? context.refuse(typeof gain === 'string' ? gain : 'has no scores')
      : through(scores, up(gain * Math.SQRT2), everything)
  if (context.outputCount < 2) return [loss]
  const logarithms =
    scores === null || classes === null
      ? context.refuse('has a number of classes that is not known; give --input-shape')
      : through(scores, rootOf(classes), { lo: -Infinity, hi: 0 })
  return [loss, logarithms]
}

export const lossRules = {
  NegativeLogLikelihoodLoss: likelihood,
  SoftmaxCrossEntropyLoss: crossEntropy,
} satisfies Record<string, BoundRule>
