import * as mag from '../../core/magnitude.ts'
import { addUp, divUp, mulUp, sqrtDown, sqrtUp } from '../../core/rounding.ts'
import { type Dim, type Shape, sizeOf } from '../../core/tensor.ts'
import * as term from '../../core/term.ts'
import { floatAttribute, intAttribute } from '../../graph/attribute.ts'
import type { BoundContext, BoundOperand, BoundRule, TensorBound } from '../bound.ts'
import { rootOf } from './broadcast.ts'
import { elementsOf, rangeOf } from './constant.ts'
import { farthest, hull } from './interval.ts'
import { added, isFixed, type Part, stacked, through } from './join.ts'
import { rotationGain } from './rotation.ts'

/**
 * Y = softmax(s·QKᵀ + mask)·V, head by head. With P the softmax, ‖P‖₂ ≤ √N for N queries, because no row is longer
 * than 1; |ΔP| ≤ ½·s·|Δ(QKᵀ)| and |Δ(QKᵀ)| ≤ ‖K‖·|ΔQ| + ‖Q‖·|ΔK|; hence
 * |ΔY| ≤ √N·|ΔV| + (s/2)·‖V‖·(‖K‖·|ΔQ| + ‖Q‖·|ΔK|). Lengths of whole tensors are at least those of one head, so that it holds for
 * all heads together (Minkowski). Heads that share keys and values repeat them: √g on their variation. A soft cap
 * has the slope 1; fixed masks change nothing, and rows that are masked entirely give 0.
 */

/** Queries, keys or values: how they vary, where their elements lie, how long they are. */
type Projection = Pick<TensorBound, 'range' | 'norm'> & { readonly parts: readonly Part[] }

interface Heads {
  readonly queries: Dim
  /** Queries' heads for each head of keys and values. */
  readonly sharing: number
  readonly scale: number
}

const noBounds =
  'is attention over data that have no proven bounds: not Lipschitz on an unbounded domain; give --input-range'

function attended(
  context: BoundContext,
  [query, key, value]: readonly [Projection, Projection, Projection],
  { queries, sharing, scale }: Heads,
): TensorBound {
  if (queries === null || !Number.isFinite(scale))
    return context.refuse('has a size that is not known; give --input-shape')
  const varies = (projection: Projection) => projection.parts.some(({ bound }) => !isFixed(bound))
  const weight = mulUp(Math.abs(scale) / 2, value.norm)
  const [ofQuery, ofKey] = [mulUp(weight, key.norm), mulUp(weight, query.norm)]
  if ((varies(query) && ofQuery === Infinity) || (varies(key) && ofKey === Infinity))
    return context.refuse(noBounds)
  const repeated = rootOf(sharing)
  const rows = mag.multiply(rootOf(queries), repeated)
  const parts = [
    ...times(value, rows),
    ...(varies(query) ? times(query, mag.magnitude(ofQuery)) : []),
    ...(varies(key) ? times(key, mag.multiply(mag.magnitude(ofKey), repeated)) : []),
  ]
  return added(parts, hull(value.range, { lo: 0, hi: 0 }), mulUp(mag.toNumber(rows), value.norm))
}

function times({ parts }: Projection, factor: mag.Magnitude): Part[] {
  return parts.map(({ bound, gain }) => ({ bound, gain: term.product(asTerm(gain), term.constant(factor)) }))
}

const asTerm = (gain: Part['gain']) =>
  typeof gain === 'object' && 'value' in gain ? gain : term.constant(gain)

function alone(operand: BoundOperand): Projection {
  return { parts: [{ bound: operand, gain: 1 }], range: operand.range, norm: operand.norm }
}

/** Keys or values with the past in front. */
function joined(past: BoundOperand | null, own: BoundOperand): Projection {
  if (past === null) return alone(own)
  const bound = stacked(
    [past, own].map((operand) => ({ bound: operand, gain: 1 })),
    hull(past.range, own.range),
    sqrtUp(addUp(mulUp(past.norm, past.norm), mulUp(own.norm, own.norm))),
  )
  return { parts: [{ bound, gain: 1 }], range: bound.range, norm: bound.norm }
}

function stretched(projection: Projection, factor: number): Projection {
  if (factor === 1) return projection
  const norm = mulUp(projection.norm, factor)
  return { parts: times(projection, mag.magnitude(factor)), range: { lo: -norm, hi: norm }, norm }
}

/** Adds a fixed bias with elements of at most `size`. */
function shifted(projection: Projection, size: number, elements: Dim): Projection {
  if (size === 0) return projection
  const norm = elements === null ? Infinity : addUp(projection.norm, mulUp(sqrtUp(elements), size))
  const { lo, hi } = projection.range
  return { ...projection, norm, range: { lo: lo - size - 1e-9 * size, hi: hi + size + 1e-9 * size } }
}

/** The largest absolute value of a bias; null where it varies or is not known. */
function sizeOfBias(bias: BoundOperand | null): number | null {
  if (bias === null) return 0
  const elements = elementsOf(bias)
  const range = elements === null ? null : rangeOf(elements)
  return range && farthest(range)
}

function varies(context: BoundContext, inputs: readonly number[]): boolean {
  return inputs.some((i) => {
    const operand = context.input(i)
    return operand !== null && !isFixed(operand)
  })
}

function refused(context: BoundContext, reason: string): TensorBound[] {
  return context.node.outputs.map(() => context.refuse(reason))
}

const others = 'has a mask, a past or lengths that are computed from data'

/** s, by default 1/√(features of a head), rounded up. */
function scaleOf(context: BoundContext, features: Dim): number {
  const given = floatAttribute(context.node, 'scale', 0)
  return given !== 0 ? given : features === null || features === 0 ? Number.NaN : divUp(1, sqrtDown(features))
}

/** Length, heads and features of [batch, heads, length, features] or [batch, length, heads·features]. */
function layoutOf(shape: Shape | null, heads: number | null): { length: Dim; heads: Dim; features: Dim } {
  if (shape?.length === 4) return { length: shape[2], heads: shape[1], features: shape[3] }
  const width = shape?.length === 3 ? shape[2] : null
  const features = width === null || !heads ? null : width / heads
  return { length: shape?.length === 3 ? shape[1] : null, heads, features }
}

/** Attention of the standard: Q, K, V, mask, past keys, past values. */
const attention: BoundRule = (context) => {
  const [query, key, value] = [context.input(0), context.input(1), context.input(2)]
  if (query === null || key === null || value === null) return refused(context, 'lacks an operand')
  if (varies(context, [3, 6])) return refused(context, others)
  const [keys, values] = [joined(context.input(4), key), joined(context.input(5), value)]
  const queries = layoutOf(query.shape, intAttribute(context.node, 'q_num_heads', null))
  const shared = layoutOf(key.shape, intAttribute(context.node, 'kv_num_heads', null))
  const heads = {
    queries: queries.length,
    sharing: queries.heads && shared.heads ? queries.heads / shared.heads : Number.NaN,
    scale: scaleOf(context, queries.features),
  }
  if (!(heads.sharing >= 1)) return refused(context, 'has a number of heads that is not known')
  const first = attended(context, [alone(query), keys, values], heads)
  return context.node.outputs.map((_, i) => {
    if (i === 0) return first
    if (i > 2) return context.refuse('gives scores, which have no rule')
    const { parts, range, norm } = i === 1 ? keys : values
    return through(parts[0].bound, 1, range, norm)
  })
}

/** Queries, keys and values side by side or apart, with one bias for all; masks and relative positions are fixed. */
const multiHead: BoundRule = (context) => {
  const [query, key, value] = [context.input(0), context.input(1), context.input(2)]
  const bias = sizeOfBias(context.input(3))
  if (query === null || key === null || value === null)
    return refused(context, 'has queries, keys and values packed into one tensor')
  if (bias === null || varies(context, [4, 5, 8, 9])) return refused(context, others)
  const { length, features } = layoutOf(query.shape, intAttribute(context.node, 'num_heads', null))
  const inputs = [alone(query), joined(context.input(6), key), joined(context.input(7), value)].map(
    (part, i) => shifted(part, bias, sizeOf([query, key, value][i].shape ?? [null])),
  )
  const heads = { queries: length, sharing: 1, scale: scaleOf(context, features) }
  const first = attended(context, [inputs[0], inputs[1], inputs[2]], heads)
  return context.node.outputs.map((_, i) => (i === 0 ? first : context.refuse('gives keys and values')))
}

/** Fewer heads of keys and values, and a rotation by constant tables. */
const groupedQuery: BoundRule = (context) => {
  const { node } = context
  const [query, key, value] = [context.input(0), context.input(1), context.input(2)]
  if (query === null || key === null || value === null)
    return refused(context, 'has queries, keys and values packed into one tensor')
  if (varies(context, [5, 6, 7, 8, 9, 10, 11])) return refused(context, others)
  if (context.input(12) !== null || context.input(13) !== null)
    return refused(context, 'keeps keys and values in few bits')
  const rotates = intAttribute(node, 'do_rotary', 0) !== 0
  const turn = rotates ? rotationGain(context.input(7), context.input(8)) : 1
  if (turn === null) return refused(context, 'rotates its data by tables that are not constant')
  const numbers = ['num_heads', 'kv_num_heads'].map((name) => intAttribute(node, name, null))
  const { length, features } = layoutOf(query.shape, numbers[0])
  const heads = {
    queries: length,
    sharing: numbers[0] && numbers[1] ? numbers[0] / numbers[1] : Number.NaN,
    scale: scaleOf(context, features),
  }
  if (!(heads.sharing >= 1)) return refused(context, 'has a number of heads that is not known')
  // past keys have been rotated before: to stretch them once more makes the bound no smaller
  const keys = stretched(joined(context.input(3), key), turn)
  const queries = stretched(alone(query), turn)
  const first = attended(context, [queries, keys, joined(context.input(4), value)], heads)
  return node.outputs.map((_, i) => (i === 0 ? first : context.refuse('gives keys and values')))
}

/** One merged weight for queries, keys and values: the layers 'q', 'k' and 'v'. */
const merged: BoundRule = (context) => {
  const { node } = context
  const [data, bias] = [context.input(0), sizeOfBias(context.input(2))]
  const gains = ['q', 'k', 'v'].map((role) => context.layerNorm(role))
  if (data === null || bias === null || gains.some((gain) => gain === null))
    return refused(context, 'has weights that are computed from data')
  if (context.input(4) !== null) return refused(context, 'has a past')
  if (varies(context, [3, 5, 6])) return refused(context, others)
  if (intAttribute(node, 'do_rotary', 0) !== 0) return refused(context, 'rotates its data by a table')
  const [length, width] = [data.shape?.at(-2) ?? null, context.input(1)?.shape?.at(-1) ?? null]
  const widths = node.attributes.get('qkv_hidden_sizes')
  const third = width === null ? null : width / 3
  const sizes = widths?.kind === 'ints' ? widths.value : [third, third, third]
  const rows = sizeOf(data.shape?.slice(0, -1) ?? [null])
  const projections = gains.map((gain, i): Projection => {
    const norm = mulUp(mag.toNumber(gain!.value), data.norm)
    const [size, count] = [sizes[i], rows]
    const elements = size === null || count === null ? null : size * count
    const range = { lo: -norm, hi: norm }
    return shifted({ parts: [{ bound: data, gain: gain! }], range, norm }, bias, elements)
  })
  const heads = intAttribute(node, 'num_heads', null)
  const features = heads && sizes[0] !== null ? sizes[0] / heads : null
  const first = attended(context, [projections[0], projections[1], projections[2]], {
    queries: length,
    sharing: 1,
    scale: scaleOf(context, features),
  })
  return node.outputs.map((_, i) => (i === 0 ? first : context.refuse('gives keys and values')))
}

/** As the standard's, without masks and pasts; what its bodies do to scores or weights has no rule. */
const flexible: BoundRule = (context) =>
  ['score_mod', 'prob_mod'].some((name) => context.node.attributes.has(name))
    ? refused(context, 'changes its scores by a body, which has no rule')
    : attention(context)

export const attentionRules = {
  FlexAttention: flexible,
  Attention: attention,
  MultiHeadAttention: multiHead,
  GroupQueryAttention: groupedQuery,
  MergedAttention: merged,
} satisfies Record<string, BoundRule>
