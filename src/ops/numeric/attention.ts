import type { Dim, Shape } from '../../core/tensor.ts'
import { intAttribute, intsAttribute } from '../../graph/attribute.ts'
import type { InferenceContext, ValueInfo } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { attentionRules } from '../rules/attention.ts'
import { fusedAttentionRules } from '../rules/fused-attention.ts'
import { linearAttentionRules } from '../rules/linear-attention.ts'
import { rotationRules } from '../rules/rotation.ts'
import { infoOf, likeFirstInput, requiredInput, unknownInfo } from '../shape/operands.ts'
import { attentionLayers, quantizedAttentionLayers } from './attention-layers.ts'
import { checkedInfo } from './checked-info.ts'

const sum = (a: Dim, b: Dim): Dim => (a === null || b === null ? null : a + b)
const times = (a: Dim, b: Dim): Dim => (a === null || b === null ? null : a * b)
const quotient = (a: Dim, b: Dim): Dim => (a === null || b === null || b === 0 ? null : a / b)

/** Queries, keys or values as [batch, heads, length, features]; tensors of rank 3 hold the heads side by side. */
function byHeads(shape: Shape | null, heads: Dim): readonly [Dim, Dim, Dim, Dim] {
  if (shape?.length === 4) return [shape[0], shape[1], shape[2], shape[3]]
  if (shape?.length === 3) return [shape[0], heads, shape[1], quotient(shape[2], heads)]
  return [null, heads, null, null]
}

/** Y like the queries, with the values' features; then keys and values with the past in front, and the scores. */
function inferAttention(context: InferenceContext): ValueInfo[] {
  const query = requiredInput(context, 0)
  const [batch, heads, length] = byHeads(query.shape, intAttribute(context.node, 'q_num_heads', null))
  const keyHeads = intAttribute(context.node, 'kv_num_heads', null)
  const keys = requiredInput(context, 1)
  const values = requiredInput(context, 2)
  const [, ownHeads, keyLength, keyFeatures] = byHeads(keys.shape, keyHeads)
  const [, , , features] = byHeads(values.shape, keyHeads)
  const past = context.input(4) === null ? 0 : (context.input(4)?.shape?.[2] ?? null)
  const total = sum(past, keyLength)
  const result: Shape | null =
    query.shape?.length === 3
      ? [batch, length, times(heads, features)]
      : query.shape === null
        ? null
        : [batch, heads, length, features]
  return [
    checkedInfo(context, query.type, result),
    checkedInfo(context, keys.type, [batch, ownHeads, total, keyFeatures]),
    checkedInfo(context, values.type, [batch, ownHeads, total, features]),
    infoOf(query.type, [batch, heads, length, total]),
  ]
}

/** Contrib Attention projects its input [batch, length, features] by one merged weight [features, q+k+v]. */
function inferMergedAttention(context: InferenceContext): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  const merged = context.input(1)?.shape?.[1] ?? null
  const width = intsAttribute(context.node, 'qkv_hidden_sizes', null)?.[2] ?? quotient(merged, 3)
  const [batch, length] = shape?.length === 3 ? shape : [null, null]
  return [checkedInfo(context, type, [batch, length, width]), infoOf(type, null)]
}

/** The same of quantised data: the result has the type of the bias. */
function inferQuantizedAttention(context: InferenceContext): ValueInfo[] {
  const [first, ...rest] = inferMergedAttention(context)
  const { type } = requiredInput(context, 2)
  return [infoOf(type, first.shape), ...rest.map(() => infoOf(type, null))]
}

/** Tokens of all sequences, [tokens, features], projected by one merged weight. */
function inferPackedAttention(context: InferenceContext): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  const merged = context.input(1)?.shape?.[1] ?? null
  const width = intsAttribute(context.node, 'qkv_hidden_sizes', null)?.[2] ?? quotient(merged, 3)
  return [checkedInfo(context, type, [shape?.length === 2 ? shape[0] : null, width])]
}

/** [tokens, features] like the values, or [tokens, heads, 3, features] for all three. */
function inferPackedMultiHead(context: InferenceContext): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  const width = shape?.length === 4 ? times(shape[1], shape[3]) : (context.input(2)?.shape?.at(1) ?? null)
  return [infoOf(type, [shape?.[0] ?? null, width])]
}

/** Tokens without padding, how many is not known; their places, the lengths added up, and the largest. */
function inferRemovePadding(context: InferenceContext): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  const [batch, length, width] = shape?.length === 3 ? shape : [null, null, null]
  return [
    infoOf(type, [null, width]),
    infoOf('int32', [batch, length]),
    infoOf('int32', [sum(batch, 1)]),
    infoOf('int32', [1]),
  ]
}

function inferRestorePadding(context: InferenceContext): ValueInfo[] {
  const [data, places] = [requiredInput(context, 0), requiredInput(context, 1)]
  return [infoOf(data.type, [places.shape?.[0] ?? null, places.shape?.[1] ?? null, data.shape?.[1] ?? null])]
}

/** Separate queries [batch, length, q], keys and values, or all packed into [batch, length, heads, 3, features]. */
function inferMultiHead(context: InferenceContext): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  const values = context.input(2)?.shape ?? null
  const plain = shape?.length === 3 && values?.length === 3
  const packed = shape?.length === 5 && context.input(1) === null
  const result: Shape | null = plain
    ? [shape[0], shape[1], values[2]]
    : packed
      ? [shape[0], shape[1], times(shape[2], shape[4])]
      : null
  return [infoOf(type, result), ...context.node.outputs.slice(1).map(() => unknownInfo)]
}

/** The part of the queries of [batch, length, (heads + 2·shared)·features]. */
function unpacked({ node }: InferenceContext, shape: Shape | null): Shape | null {
  const [heads, shared] = ['num_heads', 'kv_num_heads'].map((name) => intAttribute(node, name, 0))
  const width = shape?.length === 3 ? shape[2] : null
  const own = width === null || !(heads + shared > 0) ? null : (width * heads) / (heads + 2 * shared)
  return shape === null || own === null || !Number.isInteger(own) ? null : [shape[0], shape[1], own]
}

/** Keys and values have fewer heads than queries: the result is like the queries where those stand alone. */
function inferGroupedQuery(context: InferenceContext): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  const result = context.input(1) === null ? unpacked(context, shape) : shape
  return [infoOf(type, result), ...context.node.outputs.slice(1).map(() => unknownInfo)]
}

function inferTypeAlone(context: InferenceContext): ValueInfo[] {
  const { type } = requiredInput(context, 0)
  return context.node.outputs.map((_, i) => (i === 0 ? infoOf(type, null) : unknownInfo))
}

const microsoft = { domain: 'com.microsoft' }

/** Attention and what stands around it. */
export const attentions: readonly Operator[] = [
  {
    op: 'Attention',
    bound: attentionRules.Attention,
    since: 23,
    infer: inferAttention,
  },
  {
    op: 'FlexAttention',
    bound: attentionRules.FlexAttention,
    domain: 'ai.onnx.preview',
    infer: inferAttention,
  },
  { op: 'RotaryEmbedding', bound: rotationRules.RotaryEmbedding, since: 23, infer: likeFirstInput },
  {
    op: 'LinearAttention',
    bound: linearAttentionRules.LinearAttention,
    since: 27,
    infer: inferTypeAlone,
  },
  {
    op: 'SwiGLU',
    bound: linearAttentionRules.SwiGLU,
    since: 28,
    infer: likeFirstInput,
  },
  {
    op: 'Attention',
    bound: fusedAttentionRules.MergedAttention,
    ...microsoft,
    infer: inferMergedAttention,
    layers: attentionLayers,
  },
  {
    op: 'MultiHeadAttention',
    bound: fusedAttentionRules.MultiHeadAttention,
    ...microsoft,
    infer: inferMultiHead,
  },
  {
    op: 'DecoderMaskedMultiHeadAttention',
    without: 'reads keys and values through a cache that beams reorder',
    ...microsoft,
    infer: inferMultiHead,
  },
  {
    op: 'GroupQueryAttention',
    bound: fusedAttentionRules.GroupQueryAttention,
    ...microsoft,
    infer: inferGroupedQuery,
  },
  {
    op: 'SparseAttention',
    bound: fusedAttentionRules.SparseAttention,
    ...microsoft,
    infer: inferGroupedQuery,
  },
  {
    op: 'QAttention',
    bound: fusedAttentionRules.QAttention,
    ...microsoft,
    infer: inferQuantizedAttention,
    layers: quantizedAttentionLayers,
  },
  {
    op: 'PackedAttention',
    bound: fusedAttentionRules.PackedAttention,
    ...microsoft,
    infer: inferPackedAttention,
    layers: attentionLayers,
  },
  {
    op: 'PackedMultiHeadAttention',
    bound: fusedAttentionRules.PackedMultiHeadAttention,
    ...microsoft,
    infer: inferPackedMultiHead,
  },
  {
    op: 'RemovePadding',
    bound: fusedAttentionRules.RemovePadding,
    ...microsoft,
    infer: inferRemovePadding,
  },
  {
    op: 'RestorePadding',
    bound: fusedAttentionRules.RestorePadding,
    ...microsoft,
    infer: inferRestorePadding,
  },
  {
    op: 'RotaryEmbedding',
    bound: rotationRules.MicrosoftRotaryEmbedding,
    ...microsoft,
    infer: likeFirstInput,
  },
  {
    op: 'LongformerAttention',
    without: 'attends within sliding windows and to global tokens, with a weight for each',
    ...microsoft,
    infer: likeFirstInput,
  },
]
