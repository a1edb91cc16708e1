import * as mag from '../../core/magnitude.ts'
import type { NormName, OtherNorm } from '../../core/norm-name.ts'
import { addUp, divUp, mulUp, sqrtDown, sqrtUp } from '../../core/rounding.ts'
import type { Dim, Shape } from '../../core/tensor.ts'
import * as term from '../../core/term.ts'
import { floatAttribute, intAttribute } from '../../graph/attribute.ts'
import type { BoundContext, BoundOperand, BoundRule, TensorBound } from '../bound.ts'
import { rootOf } from './broadcast.ts'
import { elementsOf, rangeOf } from './constant.ts'
import { farthest, hull } from './interval.ts'
import { added, addedIn, isFixed, type Part, stackedIn, through } from './join.ts'
import { inEvery } from './norms.ts'

/**
 * Y = softmax(s·QKᵀ + mask)·V, head by head. With P the softmax, ‖P‖₂ ≤ √N for N queries, because no row is longer
 * than 1; |ΔP| ≤ ½·s·|Δ(QKᵀ)| and |Δ(QKᵀ)| ≤ ‖K‖·|ΔQ| + ‖Q‖·|ΔK|; hence
 * |ΔY| ≤ √N·|ΔV| + (s/2)·‖V‖·(‖K‖·|ΔQ| + ‖Q‖·|ΔK|). Lengths of whole tensors are at least those of one head, so that it holds for
 * all heads together (Minkowski). Heads that share keys and values repeat them: √g on their variation. A soft cap
 * has the slope 1; fixed masks change nothing, and rows that are masked entirely give 0. Where all three are parts of one `packed`
 * tensor, |ΔQ|² + |ΔK|² + |ΔV|² ≤ |Δpacked|²: the factors join by root-sum-square.
 */

/** Queries, keys and values. */
export type Projections = readonly [Projection, Projection, Projection]

/** Queries, keys or values: how they vary, where their elements lie, how long they are. */
export type Projection = Pick<TensorBound, 'range' | 'norm'> & { readonly parts: readonly Part[] }

export interface Heads {
  readonly keys: Dim
  /** Of one head: those of queries and keys, and those of values. */
  readonly features: Dim
  readonly valueFeatures: Dim
  readonly queries: Dim
  /** Queries' heads for each head of keys and values. */
  readonly sharing: number
  readonly scale: number
}

const noBounds =
  'is attention over data that have no proven bounds: not Lipschitz on an unbounded domain; give --input-range'

export function attended(
  context: BoundContext,
  [query, key, value]: Projections,
  heads: Heads,
  norm: NormName,
  packed: TensorBound | null = null,
): TensorBound {
  const { queries, sharing, scale } = heads
  if (queries === null || !Number.isFinite(scale)) return context.refuse(unknownSize)
  if (norm !== 'l2') return attendedIn(context, [query, key, value], heads, norm, packed)
  const varies = (projection: Projection) => projection.parts.some(({ bound }) => !isFixed(bound))
  const weight = mulUp(Math.abs(scale) / 2, value.norm)
  const [ofQuery, ofKey] = [mulUp(weight, key.norm), mulUp(weight, query.norm)]
  if ((varies(query) && ofQuery === Infinity) || (varies(key) && ofKey === Infinity))
    return context.refuse(noBounds)
  const repeated = rootOf(sharing)
  const rows = mag.multiply(rootOf(queries), repeated)
  const gains = [mag.magnitude(ofQuery), mag.multiply(mag.magnitude(ofKey), repeated), rows] as const
  const parts =
    packed === null
      ? [
          ...times(value, gains[2]),
          ...(varies(query) ? times(query, gains[0]) : []),
          ...(varies(key) ? times(key, gains[1]) : []),
        ]
      : [{ bound: packed, gain: mag.rootSumSquare(gains) }]
  return added(parts, hull(value.range, { lo: 0, hi: 0 }), mulUp(mag.toNumber(rows), value.norm))
}

const unknownSize = 'has a size that is not known; give --input-shape'

/**
 * Element by element, for heads of d features, values of e and M keys. In ℓ∞ a row of P averages, |Jᵤ|₁ ≤ |u|_∞ for the Jacobian J of
 * Softmax (the mean of |u − ū| is at most |u|_∞), and a score changes by s·d·(sup|K|·|ΔQ|_∞ + sup|Q|·|ΔK|_∞). In ℓ1 columns of P sum to at
 * most N and |Ju|₁ ≤ ½|u|₁; |Δq| stands in M scores and |Δk| in N, and |ΔP| in e outputs.
 */
function attendedIn(
  context: BoundContext,
  projections: Projections,
  { queries, keys, sharing, scale, features, valueFeatures }: Heads,
  norm: OtherNorm,
  packed: TensorBound | null,
): TensorBound {
  if (queries === null || keys === null || features === null || valueFeatures === null)
    return context.refuse(unknownSize)
  const [q, k, v] = projections.map(({ range }) => farthest(range))
  const weight = mulUp(Math.abs(scale), v)
  const gains = {
    linf: [mulUp(mulUp(weight, features), k), mulUp(mulUp(weight, features), q), 1],
    l1: [
      mulUp(mulUp(weight, (valueFeatures / 2) * keys), k),
      mulUp(mulUp(weight, (valueFeatures / 2) * queries * sharing), q),
      queries * sharing,
    ],
  }[norm]
  const varying = projections.map(({ parts }) => parts.some(({ bound }) => !isFixed(bound)))
  if (gains.some((gain, i) => varying[i] && !(gain < Infinity))) return context.refuse(noBounds)
  const image = hull(projections[2].range, { lo: 0, hi: 0 })
  if (packed !== null) {
    const joint = norm === 'linf' ? gains.reduce(addUp) : Math.max(...gains)
    return addedIn(norm, [{ bound: packed, gain: joint }], image)
  }
  const parts = projections.flatMap((own, i) => (varying[i] ? times(own, mag.magnitude(gains[i])) : []))
  return addedIn(norm, parts, image)
}

function times({ parts }: Projection, factor: mag.Magnitude): Part[] {
  return parts.map(({ bound, gain }) => ({ bound, gain: term.product(asTerm(gain), term.constant(factor)) }))
}

const asTerm = (gain: Part['gain']) =>
  typeof gain === 'object' && 'value' in gain ? gain : term.constant(gain)

export function alone(operand: BoundOperand): Projection {
  return { parts: [{ bound: operand, gain: 1 }], range: operand.range, norm: operand.norm }
}

/** Keys or values with the past in front. */
export function joined(past: BoundOperand | null, own: BoundOperand, norm: NormName): Projection {
  if (past === null) return alone(own)
  const bound = stackedIn(
    norm,
    [past, own].map((operand) => ({ bound: operand, gain: 1 })),
    hull(past.range, own.range),
    sqrtUp(addUp(mulUp(past.norm, past.norm), mulUp(own.norm, own.norm))),
  )
  return { parts: [{ bound, gain: 1 }], range: bound.range, norm: bound.norm }
}

export function stretched(projection: Projection, factor: number): Projection {
  if (factor === 1) return projection
  const norm = mulUp(projection.norm, factor)
  return { parts: times(projection, mag.magnitude(factor)), range: { lo: -norm, hi: norm }, norm }
}

/** Adds a fixed bias with elements of at most `size`. */
export function shifted(projection: Projection, size: number, elements: Dim): Projection {
  if (size === 0) return projection
  const norm = elements === null ? Infinity : addUp(projection.norm, mulUp(sqrtUp(elements), size))
  const { lo, hi } = projection.range
  return { ...projection, norm, range: { lo: lo - size - 1e-9 * size, hi: hi + size + 1e-9 * size } }
}

/** The largest absolute value of a bias; null where it varies or is not known. */
export function sizeOfBias(bias: BoundOperand | null): number | null {
  if (bias === null) return 0
  const elements = elementsOf(bias)
  const range = elements === null ? null : rangeOf(elements)
  return range && farthest(range)
}

export function varies(context: BoundContext, inputs: readonly number[]): boolean {
  return inputs.some((i) => {
    const operand = context.input(i)
    return operand !== null && !isFixed(operand)
  })
}

export function refused(context: BoundContext, reason: string): TensorBound[] {
  return context.node.outputs.map(() => context.refuse(reason))
}

export const others = 'has a mask, a past or lengths that are computed from data'

/** s, by default 1/√(features of a head), rounded up. */
export function scaleOf(context: BoundContext, features: Dim): number {
  const given = floatAttribute(context.node, 'scale', 0)
  return given !== 0 ? given : features === null || features === 0 ? Number.NaN : divUp(1, sqrtDown(features))
}

/** Length, heads and features of [batch, heads, length, features], [batch, length, heads·features] or [length, heads·features]. */
export function layoutOf(
  shape: Shape | null,
  heads: number | null,
): { length: Dim; heads: Dim; features: Dim } {
  if (shape?.length === 4) return { length: shape[2], heads: shape[1], features: shape[3] }
  const isKnown = shape?.length === 3 || shape?.length === 2
  const [length, width] = isKnown ? shape.slice(-2) : [null, null]
  return { length, heads, features: width === null || !heads ? null : width / heads }
}

/** Keys or values as an output of their own. */
export function passed({ parts: [{ bound, gain }], range, norm }: Projection): TensorBound {
  return through(bound, gain, range, norm)
}

/** How many keys there are with those of the past, [batch, heads, length, features]. */
export function withPast(past: BoundOperand | null, own: Dim): Dim {
  const before = past === null ? 0 : (past.shape?.at(-2) ?? null)
  return before === null || own === null ? null : before + own
}

/** Attention of the standard: Q, K, V, mask, past keys, past values. */
const attention = (context: BoundContext, norm: NormName): TensorBound[] => {
  const [query, key, value] = [context.input(0), context.input(1), context.input(2)]
  if (query === null || key === null || value === null) return refused(context, 'lacks an operand')
  if (varies(context, [3, 6])) return refused(context, others)
  const [keys, values] = [4, 5].map((i) => joined(context.input(i), i === 4 ? key : value, norm))
  const queries = layoutOf(query.shape, intAttribute(context.node, 'q_num_heads', null))
  const keyHeads = intAttribute(context.node, 'kv_num_heads', null)
  const shared = layoutOf(key.shape, keyHeads)
  const heads = {
    queries: queries.length,
    keys: withPast(context.input(4), shared.length),
    features: queries.features,
    valueFeatures: layoutOf(value.shape, keyHeads).features,
    sharing: queries.heads && shared.heads ? queries.heads / shared.heads : Number.NaN,
    scale: scaleOf(context, queries.features),
  }
  if (!(heads.sharing >= 1)) return refused(context, 'has a number of heads that is not known')
  const first = attended(context, [alone(query), keys, values], heads, norm)
  return context.node.outputs.map((_, i) => {
    if (i === 0) return first
    if (i > 2) return context.refuse('gives scores, which have no rule')
    return passed(i === 1 ? keys : values)
  })
}

/** As the standard's, without masks and pasts; what its bodies do to scores or weights has no rule. */
const flexible = (context: BoundContext, norm: NormName): TensorBound[] =>
  ['score_mod', 'prob_mod'].some((name) => context.node.attributes.has(name))
    ? refused(context, 'changes its scores by a body, which has no rule')
    : attention(context, norm)

export const attentionRules = {
  FlexAttention: inEvery(flexible),
  Attention: inEvery(attention),
} satisfies Record<string, BoundRule>
