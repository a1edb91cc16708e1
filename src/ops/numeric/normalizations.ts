import type { Dim, ElementType, Shape } from '../../core/tensor.ts'
import { intAttribute } from '../../graph/attribute.ts'
import type { InferenceContext, ValueInfo } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { normalizationRules } from '../rules/normalization.ts'
import { normalizeAxis } from '../shape/axes.ts'
import { elementTypeOf } from '../shape/element-codes.ts'
import { infoOf, likeFirstInput, requiredInput } from '../shape/operands.ts'
import { scaleOfNormalization } from './normalization-layers.ts'

/** Mean and inverse deviation of LayerNormalization: the data's shape, with 1 from `axis` on. */
function statisticsShape(context: InferenceContext, shape: Shape | null): Shape | null {
  if (shape === null) return null
  const axis = normalizeAxis(context, intAttribute(context.node, 'axis', -1), shape.length)
  return shape.map((dim, i): Dim => (i < axis ? dim : 1))
}

/** The type that statistics are computed in. */
function statisticsType(context: InferenceContext): ElementType {
  return elementTypeOf(context, intAttribute(context.node, 'stash_type', 1))
}

function inferLayerNormalization(context: InferenceContext): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  const statistics = infoOf(statisticsType(context), statisticsShape(context, shape))
  return [infoOf(type, shape), statistics, statistics]
}

/** Inputs x, skip, γ, …; outputs y, mean, inverse deviation, and the sum x + skip (+ bias). */
function inferSkipNormalization(context: InferenceContext): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  const statistics = infoOf(
    'float32',
    shape === null ? null : shape.map((dim, i) => (i < shape.length - 1 ? dim : 1)),
  )
  return [infoOf(type, shape), statistics, statistics, infoOf(type, shape)]
}

/** Outputs y, mask index, and the sum of the embeddings; token ids [batch, sequence], tables [rows, hidden]. */
function inferEmbedNormalization(context: InferenceContext): ValueInfo[] {
  const ids = requiredInput(context, 0)
  const table = requiredInput(context, 2)
  const hidden = table.shape?.[1] ?? null
  const [batch, sequence] = ids.shape?.length === 2 ? ids.shape : [null, null]
  const embedded = infoOf(table.type, [batch, sequence, hidden])
  return [embedded, infoOf('int32', [batch]), embedded]
}

const microsoft = { domain: 'com.microsoft' }

/** Normalisations by statistics of the data itself. */
export const normalizations: readonly Operator[] = [
  {
    op: 'LayerNormalization',
    bound: normalizationRules.LayerNormalization,
    layers: scaleOfNormalization(1),
    infer: inferLayerNormalization,
  },
  {
    op: 'InstanceNormalization',
    bound: normalizationRules.InstanceNormalization,
    layers: scaleOfNormalization(1),
    infer: likeFirstInput,
  },
  {
    op: 'GroupNormalization',
    bound: normalizationRules.GroupNormalization,
    since: 18,
    layers: scaleOfNormalization(1),
    infer: likeFirstInput,
  },
  {
    op: 'RMSNormalization',
    bound: normalizationRules.RMSNormalization,
    since: 23,
    layers: scaleOfNormalization(1),
    infer: likeFirstInput,
  },
  // ONNX Runtime writes it without a domain although the standard does not have it.
  {
    op: 'SimplifiedLayerNormalization',
    bound: normalizationRules.RMSNormalization,
    layers: scaleOfNormalization(1),
    infer: inferLayerNormalization,
  },
  {
    op: 'MeanVarianceNormalization',
    bound: normalizationRules.MeanVarianceNormalization,
    infer: likeFirstInput,
  },
  { op: 'LpNormalization', bound: normalizationRules.LpNormalization, infer: likeFirstInput },
  { op: 'LRN', bound: normalizationRules.LRN, infer: likeFirstInput },
  {
    op: 'SkipLayerNormalization',
    bound: normalizationRules.SkipLayerNormalization,
    ...microsoft,
    layers: scaleOfNormalization(2, [0, 1]),
    infer: inferSkipNormalization,
  },
  {
    op: 'SkipSimplifiedLayerNormalization',
    bound: normalizationRules.SkipSimplifiedLayerNormalization,
    ...microsoft,
    layers: scaleOfNormalization(2, [0, 1]),
    infer: inferSkipNormalization,
  },
  {
    op: 'EmbedLayerNormalization',
    without: 'looks up rows of a table by ids, which have no distance',
    ...microsoft,
    layers: scaleOfNormalization(5),
    infer: inferEmbedNormalization,
  },
  {
    op: 'GroupNorm',
    bound: normalizationRules.GroupNorm,
    ...microsoft,
    layers: scaleOfNormalization(1),
    infer: likeFirstInput,
  },
  {
    op: 'SkipGroupNorm',
    bound: normalizationRules.SkipGroupNorm,
    ...microsoft,
    layers: scaleOfNormalization(1, [0, 3]),
    infer: (context) => [...likeFirstInput(context), ...likeFirstInput(context)],
  },
]
