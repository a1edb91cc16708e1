import { tensor } from '../../helpers/onnx-builder.ts'
import { type Case, describeCases } from '../../helpers/rule-cases.ts'

const labels = tensor([4], [0, 2, 2, 1], 'int64')
const weights = tensor([3], [1, 0.5, 3])
const scores = [4, 3]

const loss = (op: string, name: string, rest: Partial<Case>): Case => ({
  name: `${op} ${name}`,
  op,
  x: scores,
  opset: 13,
  constants: { labels, ...(rest.constants ?? {}) },
  tight: 0.9,
  ...rest,
})

describeCases('losses', [
  loss('NegativeLogLikelihoodLoss', 'of each place', { attributes: { reduction: 'none' }, exact: 1 }),
  loss('NegativeLogLikelihoodLoss', 'summed', { attributes: { reduction: 'sum' }, exact: 2 }),
  loss('NegativeLogLikelihoodLoss', 'on average', { attributes: { reduction: 'mean' }, exact: 0.5 }),
  loss('NegativeLogLikelihoodLoss', 'of each place with weights', {
    attributes: { reduction: 'none' },
    constants: { labels, weights },
    exact: 3,
  }),
  loss('NegativeLogLikelihoodLoss', 'on average with weights', {
    constants: { labels, weights },
    exact: 1,
    tight: 0.3,
  }),
  loss('SoftmaxCrossEntropyLoss', 'of each place', {
    attributes: { reduction: 'none' },
    exact: Math.SQRT2,
    tight: 0.5,
    scale: 4,
  }),
  loss('SoftmaxCrossEntropyLoss', 'on average', { exact: Math.SQRT1_2, tight: 0.5, scale: 4 }),
])
