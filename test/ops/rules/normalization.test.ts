import { float, tensor } from '../../helpers/onnx-builder.ts'
import { type Case, describeCases, image, numbers } from '../../helpers/rule-cases.ts'

const cases: readonly Case[] = [
  {
    name: 'LayerNormalization',
    op: 'LayerNormalization',
    x: [1, 8],
    constants: { g: tensor([8], [1, 2, -3, 1, 1, 1, 1, 1]), b: numbers([8]) },
    opset: 17,
    flat: true,
    tight: 0.3,
    attributes: { epsilon: float(0.01) },
  },
  {
    name: 'InstanceNormalization',
    op: 'InstanceNormalization',
    x: image,
    constants: { g: tensor([2], [1, 2]), b: numbers([2]) },
    flat: true,
    tight: 0.3,
    attributes: { epsilon: float(0.01) },
  },
  {
    name: 'LRN',
    op: 'LRN',
    x: [1, 5, 2, 2],
    attributes: { size: 3, alpha: float(0.5), bias: float(2) },
    tight: 0.1,
  },
  { name: 'MeanVarianceNormalization', op: 'MeanVarianceNormalization', x: image, tight: 0 },
  { name: 'Softmax', op: 'Softmax', x: [1, 2], exact: 0.5, tight: 0.9, scale: 0.05 },
  { name: 'Softmax 11', op: 'Softmax', x: [2, 3, 2], opset: 11, exact: 0.5, tight: 0.3, scale: 0.3 },
  { name: 'LogSoftmax', op: 'LogSoftmax', x: [2, 6], tight: 0.9, scale: 8, exact: Math.sqrt(6) },
  {
    name: 'LogSoftmax 11',
    op: 'LogSoftmax',
    x: [1, 2, 3],
    opset: 11,
    tight: 0.9,
    scale: 8,
    exact: Math.sqrt(6),
  },
]

describeCases('normalisations', cases)
