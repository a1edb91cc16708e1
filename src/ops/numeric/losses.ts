import type { Shape } from '../../core/tensor.ts'
import { stringAttribute } from '../../graph/attribute.ts'
import type { InferenceContext, ValueInfo } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { lossRules } from '../rules/loss.ts'
import { infoOf, requiredInput } from '../shape/operands.ts'

/** A number, or one per label [N, …] without reduction. */
function lossShape(context: InferenceContext): Shape | null {
  const reduction = stringAttribute(context.node, 'reduction', 'mean')
  return reduction === 'none' ? requiredInput(context, 1).shape : []
}

function inferLoss(context: InferenceContext): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  return [infoOf(type, lossShape(context)), infoOf(type, shape)]
}

export const losses: readonly Operator[] = [
  {
    op: 'NegativeLogLikelihoodLoss',
    bound: lossRules.NegativeLogLikelihoodLoss,
    since: 12,
    infer: inferLoss,
  },
  { op: 'SoftmaxCrossEntropyLoss', bound: lossRules.SoftmaxCrossEntropyLoss, since: 12, infer: inferLoss },
]
