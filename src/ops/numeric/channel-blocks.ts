import type { Shape } from '../../core/tensor.ts'
import { intAttribute, intsAttribute } from '../../graph/attribute.ts'
import type { InferenceContext, ValueInfo } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { channelBlockRules } from '../rules/channel-blocks.ts'
import { poolingRules } from '../rules/pooling.ts'
import { infoOf, requiredInput } from '../shape/operands.ts'
import { checkedInfo } from './checked-info.ts'
import { inferConvolution } from './convolution.ts'
import { inferGlobalPool, inferPool } from './pooling.ts'

const isChannelsLast = (context: InferenceContext) => intAttribute(context.node, 'channels_last', 0) !== 0

/** The shape of the images that a node moves: batch, channels, and at least one axis more; null where it is not known. */
function imagesOf(context: InferenceContext, { shape }: ValueInfo): Shape | null {
  if (shape !== null && shape.length < 3)
    context.fail(`its input has rank ${shape.length}, and images have at least 3`)
  return shape
}

/** Channels in blocks are filled up to a multiple of what the processor takes, which the file does not say. */
function inferReorderInput(context: InferenceContext): ValueInfo[] {
  const input = requiredInput(context, 0)
  const { type } = input
  const shape = imagesOf(context, input)
  if (shape === null) return [infoOf(type, null)]
  const spatial = isChannelsLast(context) ? shape.slice(1, -1) : shape.slice(2)
  return [infoOf(type, [shape[0], null, ...spatial])]
}

/** As many channels as `channels` says. */
function inferReorderOutput(context: InferenceContext): ValueInfo[] {
  const input = requiredInput(context, 0)
  const { type } = input
  const shape = imagesOf(context, input)
  const channels = intAttribute(context.node, 'channels', 0)
  if (!(channels >= 1)) context.fail(`channels is ${channels}`)
  if (shape === null) return [infoOf(type, null)]
  const spatial = shape.slice(2)
  const result: Shape = isChannelsLast(context)
    ? [shape[0], ...spatial, channels]
    : [shape[0], channels, ...spatial]
  return [checkedInfo(context, type, result)]
}

function inferUpsample(context: InferenceContext): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  const scales = intsAttribute(context.node, 'scales', null)
  if (shape === null || scales === null) return [infoOf(type, null)]
  if (scales.length !== shape.length || scales.some((scale) => !(scale >= 1)))
    context.fail(`scales ${scales.join()} do not fit data of rank ${shape.length}`)
  const result = shape.map((dim, axis) => (dim === null ? null : dim * scales[axis]))
  return [checkedInfo(context, type, result)]
}

const domain = { domain: 'com.microsoft.nchwc' }

/** Operators on channels in blocks. */
export const channelBlocks: readonly Operator[] = [
  { op: 'Conv', bound: channelBlockRules.Conv, ...domain, infer: inferConvolution },
  { op: 'ReorderInput', bound: channelBlockRules.ReorderInput, ...domain, infer: inferReorderInput },
  { op: 'ReorderOutput', bound: channelBlockRules.ReorderOutput, ...domain, infer: inferReorderOutput },
  { op: 'Upsample', bound: channelBlockRules.Upsample, ...domain, infer: inferUpsample },
  { op: 'MaxPool', bound: poolingRules.MaxPool, ...domain, infer: inferPool },
  { op: 'AveragePool', bound: poolingRules.AveragePool, ...domain, infer: inferPool },
  { op: 'GlobalMaxPool', bound: poolingRules.GlobalMaxPool, ...domain, infer: inferGlobalPool },
  { op: 'GlobalAveragePool', bound: poolingRules.GlobalAveragePool, ...domain, infer: inferGlobalPool },
]
