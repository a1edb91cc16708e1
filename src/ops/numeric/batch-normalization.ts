import { addDown, divUp, sqrtDown } from '../../core/rounding.ts'
import type { Shape } from '../../core/tensor.ts'
import { floatAttribute, intAttribute } from '../../graph/attribute.ts'
import type { Node } from '../../graph/graph.ts'
import type { DiagonalOperator } from '../../linalg/linear-operator.ts'
import type { LayerSpec } from '../layer.ts'
import type { FoldingContext, InferenceContext, LayerContext, ValueInfo } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { linearRules } from '../rules/linear.ts'
import { infoOf, knownOutput, requiredInput, requiredTensor } from '../shape/operands.ts'
import { elementsOf, isData, layerOf, weightOf } from './weight.ts'

/** As float32 holds it: a little less than 10⁻⁵. */
export const defaultEpsilon = Math.fround(1e-5)

/**
 * Whether statistics come from the data, so that the node is not linear: `training_mode` since version 14; before
 * that more than one output, and before version 7 also the absence of `is_test`.
 */
export function normalizesByData(node: Node): boolean {
  if (node.version >= 14) return intAttribute(node, 'training_mode', 0) !== 0
  if (node.version < 7 && intAttribute(node, 'is_test', 0) === 0) return true
  return node.outputs.slice(1).some((output) => output !== null)
}

function inferBatchNormalization(context: InferenceContext): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  const channels = channelsOf(context, shape)
  const statistics = requiredInput(context, 3)
  const running = infoOf(statistics.type, statistics.shape ?? [channels])
  return [infoOf(type, shape), ...context.node.outputs.slice(1).map(() => running)]
}

/** The channels of the data, which scale, bias, mean and variance must match. */
function channelsOf(context: InferenceContext, data: Shape | null): number | null {
  let channels = data === null ? null : data.length > 1 ? data[1] : 1
  for (const i of [1, 2, 3, 4]) {
    const shape = requiredInput(context, i).shape
    const spatial = context.node.version >= 9 || intAttribute(context.node, 'spatial', 1) === 1
    if (shape === null || !spatial) continue
    if (shape.length !== 1)
      context.fail(`input ${i} has rank ${shape.length} instead of one entry per channel`)
    if (channels !== null && shape[0] !== null && shape[0] !== channels) {
      context.fail(`input ${i} has ${shape[0]} entries for ${channels} channels`)
    }
    channels ??= shape[0]
  }
  return channels
}

/** The linear part: per channel scale / √(variance + ε), rounded up. */
function batchNormalizationLayers(context: LayerContext): readonly LayerSpec[] {
  const data = context.input(0)
  const scale = weightOf(context.input(1))
  const variance = weightOf(context.input(4))
  if (!isData(data) || scale === null || variance === null) return []
  if (normalizesByData(context.node)) return []
  const epsilon = floatAttribute(context.node, 'epsilon', defaultEpsilon)
  const spatial = data.shape === null ? null : data.shape.slice(2)
  const operator: DiagonalOperator = {
    form: 'diagonal',
    size: scale.dims.reduce((size, dim) => size * dim, 1),
    multiplicity: scale.dims.length > 1 ? 1 : productOf(spatial),
    factor: 1,
    load: () => {
      const variances = elementsOf(variance.operand).data
      return Float64Array.from(elementsOf(scale.operand).data, (gain, i) => {
        const spread = variances[i] + epsilon
        if (spread <= 0) context.fail(`variance plus epsilon is ${spread} in channel ${i}`)
        return divUp(Math.abs(gain), sqrtDown(addDown(variances[i], epsilon)))
      })
    },
  }
  const layer = layerOf(data, scale, operator, { kind: 'scale', asStored: false })
  return [scale.dims.length === 1 ? { ...layer, affine: { input: 1, output: 1 } } : layer]
}

function productOf(dims: Shape | null): number | null {
  return dims === null
    ? null
    : dims.reduce((product, dim) => (product === null || dim === null ? null : product * dim), 1)
}

function foldBatchNormalization(context: FoldingContext) {
  const output = knownOutput(context)
  if (output === null || normalizesByData(context.node)) return null
  const [x, scale, bias, mean, variance] = [0, 1, 2, 3, 4].map((i) => requiredTensor(context, i))
  if (scale.dims.length > 1) return null
  const target = context.allocate(output.type, output.dims)
  const epsilon = floatAttribute(context.node, 'epsilon', defaultEpsilon)
  const channels = scale.data.length
  const inner = output.dims.slice(2).reduce((size, dim) => size * dim, 1)
  for (let i = 0; i < target.data.length; i++) {
    const c = Math.floor(i / inner) % channels
    target.data[i] =
      (scale.data[c] * (x.data[i] - mean.data[c])) / Math.sqrt(variance.data[c] + epsilon) + bias.data[c]
  }
  return [target]
}

export const batchNormalizations: readonly Operator[] = [
  {
    op: 'BatchNormalization',
    bound: linearRules.BatchNormalization,
    infer: inferBatchNormalization,
    fold: foldBatchNormalization,
    layers: batchNormalizationLayers,
  },
]
