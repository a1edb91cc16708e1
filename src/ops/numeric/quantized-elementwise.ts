import { intAttribute, intsAttribute } from '../../graph/attribute.ts'
import type { InferenceContext, ValueInfo } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { quantizationRules } from '../rules/quantization.ts'
import { quantizedRules } from '../rules/quantized.ts'
import { allAxes, normalizeAxes, normalizeAxis } from '../shape/axes.ts'
import { broadcastShapes } from '../shape/broadcast.ts'
import { infoOf, likeFirstInput, requiredInput } from '../shape/operands.ts'
import { poolWindows } from './pooling.ts'

/** A, its scale and zero point, B, its scale and zero point, scale and zero point of the result. */
function inferQuantizedBinary(context: InferenceContext): ValueInfo[] {
  const [a, b] = [requiredInput(context, 0), requiredInput(context, 3)]
  return [infoOf(a.type, broadcastShapes(context, [a.shape, b.shape]))]
}

/** Scale and zero point of the result, then triples of operand, scale and zero point. */
function inferQuantizedConcat(context: InferenceContext): ValueInfo[] {
  const operands = context.node.inputs.flatMap((_, i) =>
    i >= 2 && i % 3 === 2 ? [requiredInput(context, i)] : [],
  )
  if (operands.length === 0) context.fail('no operands')
  const [{ type, shape }] = operands
  if (shape === null || operands.some((operand) => operand.shape?.length !== shape.length))
    return [infoOf(type, null)]
  const axis = normalizeAxis(context, intAttribute(context.node, 'axis', 0), shape.length)
  const lengths = operands.map((operand) => operand.shape?.[axis] ?? null)
  const total = lengths.reduce<number | null>(
    (sum, length) => (sum === null || length === null ? null : sum + length),
    0,
  )
  return [
    infoOf(
      type,
      shape.map((dim, i) => (i === axis ? total : dim)),
    ),
  ]
}

/** Channels stand second, or last with `channels_last`. */
function inferQuantizedPool(context: InferenceContext, global: boolean): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  if (shape === null || shape.length < 3) return [infoOf(type, null)]
  const last = intAttribute(context.node, 'channels_last', 0) !== 0
  const spatial = last ? shape.slice(1, -1) : shape.slice(2)
  const pooled = global ? spatial.map(() => 1) : poolWindows(context, spatial).output
  const channels = last ? shape[shape.length - 1] : shape[1]
  return [infoOf(type, last ? [shape[0], ...pooled, channels] : [shape[0], channels, ...pooled])]
}

/** A and B with their zero points; integers of 32 bits. */
function inferIntegerProduct(context: InferenceContext): ValueInfo[] {
  const [a, b] = [requiredInput(context, 0), requiredInput(context, 2)]
  return [infoOf('int32', broadcastShapes(context, [a.shape, b.shape]))]
}

/** A condition, then X and Y with their scales and zero points. */
function inferQuantizedChoice(context: InferenceContext): ValueInfo[] {
  const operands = [0, 1, 4].map((i) => requiredInput(context, i))
  return [
    infoOf(
      operands[1].type,
      broadcastShapes(
        context,
        operands.map(({ shape }) => shape),
      ),
    ),
  ]
}

/** Means over `axes`, all without them. */
function inferQuantizedMean(context: InferenceContext): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  if (shape === null) return [infoOf(type, null)]
  const axes = intsAttribute(context.node, 'axes', null) ?? allAxes(shape.length)
  const reduced = normalizeAxes(context, axes, shape.length)
  const keeps = intAttribute(context.node, 'keepdims', 1) !== 0
  const dims = shape.map((dim, axis) => (reduced.includes(axis) ? 1 : dim))
  return [infoOf(type, keeps ? dims : dims.filter((_, axis) => !reduced.includes(axis)))]
}

const microsoft = { domain: 'com.microsoft' }

/** Operators on quantised tensors whose real-valued counterparts are elementwise, pools or joins. */
export const quantizedElementwise: readonly Operator[] = [
  { op: 'QLinearAdd', bound: quantizationRules.QLinearAdd, ...microsoft, infer: inferQuantizedBinary },
  { op: 'QLinearMul', bound: quantizedRules.QLinearMul, ...microsoft, infer: inferQuantizedBinary },
  { op: 'MulInteger', bound: quantizedRules.MulInteger, ...microsoft, infer: inferIntegerProduct },
  { op: 'QLinearConcat', bound: quantizedRules.QLinearConcat, ...microsoft, infer: inferQuantizedConcat },
  { op: 'QLinearWhere', bound: quantizedRules.QLinearWhere, ...microsoft, infer: inferQuantizedChoice },
  {
    op: 'QLinearAveragePool',
    bound: quantizedRules.QLinearAveragePool,
    ...microsoft,
    infer: (context) => inferQuantizedPool(context, false),
  },
  {
    op: 'QLinearGlobalAveragePool',
    bound: quantizedRules.QLinearGlobalAveragePool,
    ...microsoft,
    infer: (context) => inferQuantizedPool(context, true),
  },
  {
    op: 'QLinearReduceMean',
    bound: quantizedRules.QLinearReduceMean,
    ...microsoft,
    infer: inferQuantizedMean,
  },
  { op: 'QLinearLeakyRelu', bound: quantizedRules.QLinearLeakyRelu, ...microsoft, infer: likeFirstInput },
  { op: 'QLinearSigmoid', bound: quantizedRules.QLinearSigmoid, ...microsoft, infer: likeFirstInput },
  { op: 'QLinearSoftmax', bound: quantizedRules.QLinearSoftmax, ...microsoft, infer: likeFirstInput },
]
