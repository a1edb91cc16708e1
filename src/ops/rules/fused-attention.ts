import * as mag from '../../core/magnitude.ts'
import type { NormName } from '../../core/norm-name.ts'
import { mulUp, sqrtUp } from '../../core/rounding.ts'
import { type Dim, sizeOf } from '../../core/tensor.ts'
import { intAttribute } from '../../graph/attribute.ts'
import type { BoundContext, BoundOperand, BoundRule, TensorBound } from '../bound.ts'
import {
  alone,
  attended,
  type Heads,
  joined,
  layoutOf,
  others,
  type Projection,
  type Projections,
  passed,
  refused,
  scaleOf,
  shifted,
  sizeOfBias,
  stretched,
  varies,
  withPast,
} from './attention.ts'
import { scaleOf as quantizationOf, zeroOf } from './codes.ts'
import { farthest } from './interval.ts'
import { isFixed, through } from './join.ts'
import { selectionWithZeros } from './movement.ts'
import { companions, inEvery, inNorms } from './norms.ts'
import { dequantizedImage } from './quantization.ts'
import { rotationIn } from './rotation.ts'

/** Attention as ONNX Runtime fuses it: with biases, merged weights, rotations, pasts; on packed and on quantised data. */

/** Where an operator has what besides queries, keys and values at inputs 0 to 2. */
interface Inputs {
  readonly bias: number | null
  /** Masks, lengths and offsets, which must not vary. */
  readonly held: readonly number[]
  /** Past keys; past values stand behind them. */
  readonly past: number | null
}

const packedUnknown = 'has keys and values packed into one tensor'

/** Queries, keys and values, and the tensor that all three are parts of, where they are. */
function operandsOf(
  context: BoundContext,
  past: number | null,
): { own: readonly BoundOperand[]; packed: BoundOperand | null } | string {
  const [query, key, value] = [context.input(0), context.input(1), context.input(2)]
  if (query !== null && key !== null && value !== null) return { own: [query, key, value], packed: null }
  if (query === null || key !== null || value !== null) return packedUnknown
  if (past !== null && varies(context, [past, past + 1])) return 'has a past beside a packed tensor'
  return { own: [query, query, query], packed: query }
}

/** The past in front of keys (1) and values (2). */
function behindPast(
  context: BoundContext,
  past: number | null,
  own: BoundOperand,
  i: number,
  norm: NormName,
): Projection {
  return past === null || i === 0 ? alone(own) : joined(context.input(past + i - 1), own, norm)
}

/** Sizes of keys and values, for `shared` heads of them; those of a packed tensor are the queries'. */
function keysOf(
  context: BoundContext,
  past: number | null,
  { own, packed }: { own: readonly BoundOperand[]; packed: BoundOperand | null },
  shared: number | null,
  queries: { length: Dim; features: Dim },
): Pick<Heads, 'keys' | 'valueFeatures'> {
  const before = past === null ? null : context.input(past)
  if (packed !== null) return { keys: withPast(before, queries.length), valueFeatures: queries.features }
  const [key, value] = [layoutOf(own[1].shape, shared), layoutOf(own[2].shape, shared)]
  return { keys: withPast(before, key.length), valueFeatures: value.features }
}

/** Length and features of queries: [batch, length, heads, 3, features], [tokens, heads, 3, features], or the heads side by side. */
function queriesOf({ shape }: BoundOperand, heads: number | null, isPacked: boolean, parts: number) {
  const rank = shape?.length ?? 0
  if (isPacked && shape !== null && (rank === 5 || rank === 4))
    return { length: shape[rank - 4], features: shape[rank - 1] }
  const { length, features } = layoutOf(shape, heads)
  return { length, features: isPacked && features !== null ? features / parts : features }
}

/** Keys and values as outputs behind the first, those of a packed tensor none. */
function outputsOf(context: BoundContext, first: TensorBound, projections: Projections, isPacked: boolean) {
  return context.node.outputs.map((_, i) => {
    if (i === 0) return first
    if (i > 2 || isPacked) return context.refuse(i > 2 ? 'gives scores' : 'gives keys and values')
    return passed(projections[i])
  })
}

/** Where MultiHeadAttention says which beam each past key comes from. */
const beams = 9

/** Queries, keys and values side by side or apart, with one bias for all; masks and relative positions are fixed. */
function multiHead({ bias: at, held, past }: Inputs): BoundRule {
  return inEvery((context, norm) => {
    const bias = at === null ? 0 : sizeOfBias(context.input(at))
    const operands = operandsOf(context, past)
    if (typeof operands === 'string') return refused(context, operands)
    if (bias === null || varies(context, held)) return refused(context, others)
    if (context.input(beams) !== null) return refused(context, 'reads its past in an order that repeats it')
    const { own, packed } = operands
    const count = intAttribute(context.node, 'num_heads', null)
    const { length, features } = queriesOf(own[0], count, packed !== null, 3)
    const [query, key, value] = own.map((operand, i) =>
      shifted(behindPast(context, past, operand, i, norm), bias, sizeOf(operand.shape ?? [null])),
    )
    const rest = keysOf(context, past, operands, count, { length, features })
    const heads = { queries: length, features, sharing: 1, scale: scaleOf(context, features), ...rest }
    const first = attended(context, [query, key, value], heads, norm, packed)
    return outputsOf(context, first, [query, key, value], packed !== null)
  })
}

/** Fewer heads of keys and values, and a rotation by constant tables; `bits`: inputs of what is kept in few bits. */
function groupedQuery(
  held: readonly number[],
  [cosines, sines]: readonly [number, number],
  bits: readonly number[],
): BoundRule {
  return inEvery((context, norm) => {
    const { node } = context
    const operands = operandsOf(context, 3)
    if (typeof operands === 'string') return refused(context, operands)
    if (varies(context, held)) return refused(context, others)
    if (bits.some((i) => context.input(i) !== null))
      return refused(context, 'keeps keys and values in few bits')
    const rotates = intAttribute(node, 'do_rotary', 0) !== 0
    const turn = rotates ? rotationIn(norm, context.input(cosines), context.input(sines)) : 1
    if (turn === null) return refused(context, 'rotates its data by tables that are not constant')
    const [heads, shared] = ['num_heads', 'kv_num_heads'].map((name) => intAttribute(node, name, null))
    if (!heads || !shared || heads < shared)
      return refused(context, 'has a number of heads that is not known')
    const { own, packed } = operands
    const { length, features } = queriesOf(own[0], heads, packed !== null, (heads + 2 * shared) / heads)
    // past keys have been rotated before: to stretch them once more makes the bound no smaller
    const [query, key, value] = own.map((operand, i) => {
      const projection = behindPast(context, 3, operand, i, norm)
      return i < 2 ? stretched(projection, turn) : projection
    })
    const whole = packed && through(packed, turn, packed.range, packed.norm)
    const first = attended(
      context,
      [query, key, value],
      {
        queries: length,
        features,
        sharing: heads / shared,
        scale: scaleOf(context, features),
        ...keysOf(context, 3, operands, shared, { length, features }),
      },
      norm,
      whole,
    )
    return outputsOf(context, first, [query, key, value], packed !== null)
  })
}

/** The data of merged weights as real numbers; a reason where they are not known. */
type DataOf = (context: BoundContext) => TensorBound | string

const plainData: DataOf = (context) => context.input(0) ?? 'has no data'

/** s·(q − z) for constant s and z. */
const quantizedData: DataOf = (context) => {
  const [x, scale, zero] = [context.input(0), quantizationOf(context.input(3)), zeroOf(context.input(6))]
  if (x === null) return 'has no data'
  if (scale === null || zero === null) return 'has scales or zero points that are computed from data'
  const range = dequantizedImage(x, scale, zero)
  const size = x.shape && sizeOf(x.shape)
  const norm = size === null ? Infinity : mulUp(sqrtUp(size), farthest(range))
  return through(x, scale.largest, range, norm)
}

/** One merged weight for queries, keys and values: the layers 'q', 'k' and 'v'. */
function merged({ bias: at, held, past }: Inputs, dataOf: DataOf = plainData): BoundRule {
  return (context) => {
    const { node } = context
    const [data, bias] = [dataOf(context), at === null ? 0 : sizeOfBias(context.input(at))]
    const gains = ['q', 'k', 'v'].map((role) => context.layerNorm(role))
    if (typeof data === 'string') return refused(context, data)
    if (bias === null || gains.some((gain) => gain === null) || varies(context, [1]))
      return refused(context, 'has weights that are computed from data')
    if (past !== null && context.input(past) !== null) return refused(context, 'has a past')
    if (varies(context, held)) return refused(context, others)
    if (intAttribute(node, 'do_rotary', 0) !== 0) return refused(context, 'rotates its data by a table')
    const shape = context.input(0)?.shape ?? null
    const [length, width] = [shape?.at(-2) ?? null, context.input(1)?.shape?.at(-1) ?? null]
    const widths = node.attributes.get('qkv_hidden_sizes')
    const third = width === null ? null : width / 3
    const sizes = widths?.kind === 'ints' ? widths.value : [third, third, third]
    const rows = sizeOf(shape?.slice(0, -1) ?? [null])
    const [query, key, value] = gains.map((gain, i): Projection => {
      const norm = mulUp(mag.toNumber(gain!.value), data.norm)
      const size = sizes[i]
      const elements = size === null || rows === null ? null : size * rows
      const range = { lo: -norm, hi: norm }
      return shifted({ parts: [{ bound: data, gain: gain! }], range, norm }, bias, elements)
    })
    const heads = intAttribute(node, 'num_heads', null)
    const features = heads && sizes[0] !== null ? sizes[0] / heads : null
    const own = { queries: length, keys: length, features, valueFeatures: features }
    const scale = scaleOf(context, features)
    const first = attended(context, [query, key, value], { ...own, sharing: 1, scale }, 'l2')
    return node.outputs.map((_, i) => (i === 0 ? first : context.refuse('gives keys and values')))
  }
}

/**
 * Sequences of different lengths one after another, without what pads them: attention over all tokens with a mask that keeps
 * sequences apart, for which N is the number of all tokens. Lengths and offsets must not vary.
 */
const packedInputs = { merged: [3, 4, 5], apart: [4, 5, 6] } as const

/** Tokens without padding, their places and the lengths of sequences: each token stands there once. */
const removePadding: BoundRule = (context) => {
  const [x, counts] = [context.input(0), context.input(1)]
  if (x === null || counts === null || !isFixed(counts))
    return refused(context, 'keeps numbers of tokens that are computed from data')
  return context.node.outputs.map((_, i) => through(x, i === 0 ? 1 : 0, x.range, i === 0 ? x.norm : Infinity))
}

export const fusedAttentionRules = {
  MultiHeadAttention: multiHead({ bias: 3, held: [4, 5, 8, 9], past: 6 }),
  PackedMultiHeadAttention: multiHead({ bias: 3, held: packedInputs.apart, past: null }),
  GroupQueryAttention: groupedQuery([5, 6, 7, 8, 9, 10, 11], [7, 8], [12, 13]),
  /** Blocks that are left out are a fixed mask. */
  SparseAttention: groupedQuery([5, 6, 7, 8, 9, 10], [9, 10], []),
  MergedAttention: merged({ bias: 2, held: [3, 5, 6], past: 4 }),
  PackedAttention: merged({ bias: 2, held: packedInputs.merged, past: null }),
  QAttention: merged({ bias: 2, held: [3, 4, 5, 6, 7], past: 8 }, quantizedData),
  RemovePadding: inNorms(removePadding, 'same'),
  RestorePadding: companions(selectionWithZeros, (context) => selectionWithZeros(context)),
} satisfies Record<string, BoundRule>
