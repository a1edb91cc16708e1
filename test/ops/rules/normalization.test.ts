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

const ms = { domain: 'com.microsoft' }

const withSkips: readonly Case[] = [
  {
    name: 'SkipLayerNormalization of two tensors',
    op: 'SkipLayerNormalization',
    ...ms,
    x: [1, 2, 4],
    more: { skip: [1, 2, 4] },
    constants: { g: tensor([4], [1, 2, -1, 1]), b: numbers([4]) },
    attributes: { epsilon: float(0.01) },
    flat: true,
    tight: 0.2,
    exact: 20 * Math.SQRT2,
  },
  {
    name: 'SkipLayerNormalization of a skip that is read for every sample',
    op: 'SkipLayerNormalization',
    ...ms,
    x: [3, 2, 4],
    more: { skip: [1, 2, 4] },
    constants: { g: tensor([4], [1, 1, 1, 1]), b: numbers([4]) },
    attributes: { epsilon: float(0.01) },
    flat: true,
    tight: 0.2,
    exact: 10 * 2,
  },
  // away from 0 directions turn slowly
  ...[1, 2].map(
    (p): Case => ({
      name: `LpNormalization of order ${p} away from 0`,
      op: 'LpNormalization',
      x: [2, 3],
      attributes: { p, axis: 1 },
      range: [0.5, 2.5],
      center: 1.5,
      scale: 0.9,
      tight: 0.15,
    }),
  ),
  ...['L1', 'L2'].map(
    (norm): Case => ({
      name: `Normalizer ${norm} away from 0`,
      op: 'Normalizer',
      domain: 'ai.onnx.ml',
      x: [2, 3],
      attributes: { norm },
      range: [0.5, 2.5],
      center: 1.5,
      scale: 0.9,
      tight: 0.15,
    }),
  ),
]

describeCases('normalisations', [...cases, ...withSkips])
