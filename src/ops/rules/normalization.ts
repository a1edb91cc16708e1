import type { NormName } from '../../core/norm-name.ts'
import { addUp, divUp, mulUp, sqrtDown, sqrtUp } from '../../core/rounding.ts'
import { type Dim, type Shape, sizeOf } from '../../core/tensor.ts'
import type { Term } from '../../core/term.ts'
import * as term from '../../core/term.ts'
import { floatAttribute, intAttribute, stringAttribute } from '../../graph/attribute.ts'
import {
  type BoundContext,
  type BoundOperand,
  type BoundRule,
  everything,
  type Interval,
  type NormRule,
  type TensorBound,
} from '../bound.ts'
import { type Groups, normalizedBox } from '../boxes/normalization.ts'
import { withBoxes } from '../boxes/rule.ts'
import { countedIn, growth, inverseRootOf, unknownCopies } from './broadcast.ts'
import { dataScale, parameterRange, scaledByData } from './data-scale.ts'
import { gated, swishSlope } from './elementwise.ts'
import { farthest, interval, nearest, sum, up } from './interval.ts'
import { addedIn, isFixed, type Part, through } from './join.ts'
import { inEvery, inNorms } from './norms.ts'

/**
 * Normalisation by statistics of the data itself: y = γ·(x − μ)/√(σ² + ε) + β over a group of n elements. Its
 * Jacobian is diag(γ)·(C − ûûᵀ·σ²/(σ² + ε))/√(σ² + ε), C the centring projection and û the unit vector along x − μ,
 * so its norm is at most max|γ|/√(σ² + ε) ≤ max|γ|/√ε, attained at constant x. Without centring (RMS) the same.
 *
 * In ℓ∞ and ℓ1, with ρ² = σ²/(σ² + ε): no |ûᵢ|·Σ|ûⱼ| is above r = √(n − 1), so that rows and columns of C − ûûᵀρ² sum to at most 2 + rρ²,
 * and by Cauchy and Schwarz to √n. With t = 1 − ρ² that is √t·(2 + r(1 − t))/√ε, largest at t = (2 + r)/(3r). Without centring 1 and r = √n
 * take the place of 2 and √(n − 1).
 */

/** By how much rows and columns of the Jacobian sum to more than its ℓ2 norm, for groups of n; null where n is not known. */
export function spreadIn(norm: NormName, count: Dim, isCentred: boolean): number | null {
  if (norm === 'l2') return 1
  if (count === null || !(count >= 1)) return null
  const [least, r] = isCentred ? [2, Math.sqrt(count - 1)] : [1, Math.sqrt(count)]
  const isInside = r > 0 && least <= 2 * r
  const most = isInside ? (2 / 3) * (least + r) * Math.sqrt((least + r) / (3 * r)) : least
  return up(Math.min(most, Math.sqrt(count)) * (1 + 1e-14))
}

interface Normalized {
  readonly gain: Term
  readonly image: Interval
  readonly norm: number
}

/** Groups of n elements have the length √n at most, all of them √size; γ scales, β shifts each element. */
function lengthOf(context: BoundContext, gamma: number, beta: Interval | null): number {
  const size = sizeOf(context.output(0)?.shape ?? [null])
  return size === null || beta === null ? Infinity : mulUp(sqrtUp(size), addUp(gamma, farthest(beta)))
}

/** Constant and image for a group of `count` elements; a reason where there is none. */
function normalized(
  context: BoundContext,
  inputs: { gamma: number; beta: number | null },
  epsilon: number,
  count: Dim,
  norm: NormName,
): Normalized | string {
  const gamma = parameterRange(context.input(inputs.gamma), 1)
  const beta = inputs.beta === null ? interval(0, 0) : parameterRange(context.input(inputs.beta), 0)
  if (gamma === null) return dataScale
  if (!(epsilon > 0)) return 'has an epsilon that is not positive: not Lipschitz near constant inputs'
  const largest = farthest(gamma)
  if (!(largest < Infinity)) return 'has a scale that is not finite'
  const spread = spreadIn(norm, count, inputs.beta !== null)
  if (spread === null) return 'normalises groups of a size that is not known; give --input-shape'
  const reach = count === null ? Infinity : mulUp(largest, up(Math.sqrt(count)))
  const image = beta === null ? everything : sum(interval(-reach, reach), beta)
  const scale = context.layerNorm() ?? term.constant(largest)
  return {
    gain: term.scale(scale, mulUp(spread, divUp(1, sqrtDown(epsilon)))),
    image,
    norm: lengthOf(context, largest, beta),
  }
}

const epsilonOf = (context: BoundContext, fallback = 1e-5) =>
  floatAttribute(context.node, 'epsilon', Math.fround(fallback))

function behind(x: BoundOperand | null, axis: number): Dim {
  return x?.shape ? sizeOf(x.shape.slice(axis)) : null
}

/** β must not vary; the first output is the normalised data, the others come from `statistics`. */
function normalization(
  inputs: { gamma: number; beta: number | null },
  countOf: (context: BoundContext, x: BoundOperand) => Dim,
  statistics: (context: BoundContext, x: BoundOperand, i: number, count: Dim, norm: NormName) => TensorBound,
  epsilon?: number,
): BoundRule {
  return inEvery((context, norm) => {
    const x = context.input(0)
    const beta = inputs.beta === null ? null : context.input(inputs.beta)
    if (x === null) return context.node.outputs.map(() => context.refuse('has no data'))
    const count = countOf(context, x)
    if ([context.input(inputs.gamma), beta].some((operand) => operand !== null && !isFixed(operand))) {
      const first =
        norm === 'l2' ? scaledByData(context, x, inputs, epsilonOf(context, epsilon), count) : null
      return context.node.outputs.map((_, i) =>
        i > 0 ? statistics(context, x, i, count, norm) : (first ?? context.refuse(dataScale)),
      )
    }
    const result = normalized(context, inputs, epsilonOf(context, epsilon), count, norm)
    return context.node.outputs.map((_, i) => {
      if (i > 0) return statistics(context, x, i, count, norm)
      return typeof result === 'string'
        ? context.refuse(result)
        : through(x, result.gain, result.image, result.norm)
    })
  })
}

const noStatistics = (context: BoundContext) =>
  context.refuse('gives statistics of its data, which have no rule')

/** The mean has the norm 1/√n; of 1/√(σ² + ε) the slope σ/(σ² + ε)^{3/2}·|∇σ| is at most 2/(3√3)·1/(ε√n). */
function layerStatistics(
  context: BoundContext,
  x: BoundOperand,
  i: number,
  count: Dim,
  norm: NormName,
): TensorBound {
  if (count === null) return noStatistics(context)
  if (i === 1) return through(x, { l2: inverseRootOf(count), linf: 1, l1: divUp(1, count) }[norm], x.range)
  const epsilon = epsilonOf(context)
  if (!(epsilon > 0)) return noStatistics(context)
  // the gradient is along x − μ: its entries sum to at most √n times its length, and none is longer
  const length = up(2 / (3 * Math.sqrt(3)) / epsilon / Math.sqrt(count))
  const slope = norm === 'linf' ? mulUp(sqrtUp(count), length) : length
  return through(x, slope, interval(0, divUp(1, sqrtDown(epsilon))))
}

const lastAxes = (context: BoundContext, x: BoundOperand) => behind(x, intAttribute(context.node, 'axis', -1))
/** The channels of a group, at all places. */
function groups(context: BoundContext, x: BoundOperand): Dim {
  const [size, count] = [behind(x, 1), intAttribute(context.node, 'num_groups', 1)]
  return size === null || !(count >= 1) ? null : Math.ceil(size / count)
}

const spatial = (_: BoundContext, x: BoundOperand) => behind(x, 2)

/**
 * x/‖x‖ turns by any angle within any distance of 0. Where every |xᵢ| ≥ r > 0, groups of n elements have ‖x‖₂ ≥ √n·r and ‖x‖₁ ≥ n·r, and the Jacobians
 * (I − ûûᵀ)/‖x‖₂ and (I − x·sgn(x)ᵀ/‖x‖₁)/‖x‖₁ are at most 1/‖x‖₂ and (1 + √n)/‖x‖₁. Rows and columns of the first sum to at most
 * √n/‖x‖₂; rows of the second to (1 + n)/‖x‖₁, columns to 2/‖x‖₁.
 */
function direction(context: BoundContext, order: 1 | 2 | null, count: Dim, norm: NormName): TensorBound {
  const x = context.input(0)
  if (x === null) return context.refuse('has no data')
  const [least, root] = [nearest(x.range), count === null ? Number.NaN : up(Math.sqrt(count))]
  if (least === 0 || order === null || !(root > 0))
    return context.refuse('divides by the norm of its input: not Lipschitz near 0')
  const sums = {
    1: { l2: 1 + root, linf: 1 + root * root, l1: 2 },
    2: { l2: 1, linf: root, l1: root },
  }[order][norm]
  const gain = order === 2 ? sums / (root * least) : sums / (root * root * least)
  return through(x, up(gain * (1 + 1e-12)), interval(-1, 1))
}

const lengths = inEvery((context, norm) => {
  const order = intAttribute(context.node, 'p', 2)
  const count = context.input(0)?.shape?.at(intAttribute(context.node, 'axis', -1)) ?? null
  return [direction(context, order === 1 || order === 2 ? order : null, count, norm)]
})

/** Rows, by the norm that an attribute names. */
const normalizer = inEvery((context, norm) => {
  const name = stringAttribute(context.node, 'norm', 'MAX')
  return [
    direction(
      context,
      name === 'L2' ? 2 : name === 'L1' ? 1 : null,
      context.input(0)?.shape?.at(-1) ?? null,
      norm,
    ),
  ]
})

/** (x − μ)/(σ + 10⁻⁹): the Jacobian (C − ûûᵀ·σ/(σ + e))/(σ + e) has at most the norm 1/e. */
const meanVariance: BoundRule = (context) => {
  const x = context.input(0)
  return [x === null ? context.refuse('has no data') : through(x, up(1e9), everything)]
}

/** Rows and columns of a group of n sum to at most √n times that; all elements are one group at most. */
const meanVarianceIn: NormRule = (context) => {
  const x = context.input(0)
  const size = x?.shape ? sizeOf(x.shape) : null
  if (x === null || size === null)
    return [context.refuse('normalises groups of a size that is not known; give --input-shape')]
  return [through(x, mulUp(up(1e9), sqrtUp(size)), everything)]
}

/**
 * LRN: y_i = x_i·s_i^−β with s_i = k + (α/size)·Σ x_j² over a window of `size` channels. |∂y_i/∂x_i| ≤ k^−β·max(1, |1 − 2β|),
 * and off the diagonal |2αβ·x_i·x_j/(size·s_i)| ≤ β: rows and columns sum to at most k^−β(max(1, |1 − 2β|) + β(size − 1)) (Schur).
 */
const localResponse: BoundRule = (context) => {
  const x = context.input(0)
  const { node } = context
  const [alpha, beta, bias] = [
    floatAttribute(node, 'alpha', 1e-4),
    floatAttribute(node, 'beta', 0.75),
    floatAttribute(node, 'bias', 1),
  ]
  const size = intAttribute(node, 'size', null)
  if (x === null || size === null || !(size >= 1 && alpha > 0 && beta > 0 && bias > 0)) {
    return [context.refuse('needs positive size, alpha, beta and bias')]
  }
  const scale = up(bias ** -beta)
  const gain = mulUp(scale, up(Math.max(1, Math.abs(1 - 2 * beta)) + beta * (size - 1)))
  const reach = mulUp(farthest(x.range), scale)
  return [through(x, gain, interval(-reach, reach))]
}

/** x + skip (+ bias), normalised, skip and bias repeated where they are smaller; the fourth output is the sum itself. */
function skipNormalization(inputs: { gamma: number; beta: number | null; bias: number }): BoundRule {
  return inEvery((context, norm) => {
    const [x, skip, bias] = [context.input(0), context.input(1), context.input(inputs.bias)]
    const beta = inputs.beta === null ? null : context.input(inputs.beta)
    const terms = [x, skip, bias].filter((operand) => operand !== null)
    const parts: Part[] = []
    for (const bound of terms) {
      const count = growth(bound.shape, x?.shape ?? null)
      if (isFixed(bound)) continue
      if (count === null) return context.node.outputs.map(() => context.refuse(unknownCopies))
      parts.push({ bound, gain: countedIn(norm, count) })
    }
    const width = x?.shape?.at(-1) ?? null
    const result = normalized(context, inputs, epsilonOf(context, 1e-12), width, norm)
    const joined = addedIn(norm, parts, terms.map((operand) => operand.range).reduce(sum, interval(0, 0)))
    return context.node.outputs.map((_, i) => {
      if (beta !== null && !isFixed(beta)) return context.refuse(dataScale)
      if (i === 3) return joined
      if (i > 0) return noStatistics(context)
      return typeof result === 'string'
        ? context.refuse(result)
        : through(joined, result.gain, result.image, result.norm)
    })
  })
}

/** The groups of channels that stand last, normalised; with SiLU behind them where `activation` is 1. */
function groupsNormalized(
  context: BoundContext,
  data: TensorBound,
  shape: Shape | null,
  norm: NormName,
): TensorBound {
  const beta = context.input(2)
  if (beta !== null && !isFixed(beta)) return context.refuse(dataScale)
  const [size, count] = [
    shape === null ? null : sizeOf(shape.slice(1)),
    intAttribute(context.node, 'groups', 1),
  ]
  const length = size === null || !(count >= 1) ? null : Math.ceil(size / count)
  const result = normalized(context, { gamma: 1, beta: 2 }, epsilonOf(context), length, norm)
  if (typeof result === 'string') return context.refuse(result)
  const bound = through(data, result.gain, result.image, result.norm)
  if (intAttribute(context.node, 'activation', 0) === 0) return bound
  const { slope, image } = gated(bound.range, swishSlope, 0.2785)
  return through(bound, slope, image, mulUp(slope, bound.norm))
}

const groupNorm = inEvery((context, norm) => {
  const x = context.input(0)
  return [x === null ? context.refuse('has no data') : groupsNormalized(context, x, x.shape, norm)]
})

/** Of x + skip + bias, where skip and bias may be repeated over all places; the second output is the sum itself. */
const skipGroupNorm = inEvery((context, norm) => {
  const operands = [0, 3, 4].map((i) => context.input(i)).filter((operand) => operand !== null)
  const shape = context.input(0)?.shape ?? null
  const parts: Part[] = []
  for (const operand of operands) {
    const count = growth(operand.shape, shape)
    if (!isFixed(operand) && count === null)
      return context.node.outputs.map(() => context.refuse(unknownCopies))
    parts.push({ bound: operand, gain: countedIn(norm, count ?? 1) })
  }
  const total = addedIn(norm, parts, operands.map(({ range }) => range).reduce(sum, interval(0, 0)))
  const first = groupsNormalized(context, total, shape, norm)
  return context.node.outputs.map((_, i) => (i === 0 ? first : total))
})

/** Groups over the last axes, along which γ runs, too. */
function alongLastAxes(isCentred: boolean): (context: BoundContext) => Groups | null {
  return (context) => {
    const x = context.input(0)
    const axis = intAttribute(context.node, 'axis', -1)
    const rank = x?.shape?.length ?? null
    if (x === null || rank === null || axis < -rank || axis >= rank) return null
    return { count: lastAxes(context, x), axis: axis < 0 ? axis + rank : axis, isCentred }
  }
}

export const normalizationRules = {
  GroupNorm: groupNorm,
  SkipGroupNorm: skipGroupNorm,
  LayerNormalization: withBoxes(
    normalization({ gamma: 1, beta: 2 }, lastAxes, layerStatistics),
    normalizedBox({ gamma: 1, beta: 2 }, alongLastAxes(true)),
  ),
  InstanceNormalization: withBoxes(
    normalization({ gamma: 1, beta: 2 }, spatial, noStatistics),
    normalizedBox({ gamma: 1, beta: 2 }, (context) => ({
      count: behind(context.input(0), 2),
      axis: 1,
      isCentred: true,
    })),
  ),
  GroupNormalization: normalization({ gamma: 1, beta: 2 }, groups, noStatistics),
  RMSNormalization: withBoxes(
    normalization({ gamma: 1, beta: null }, lastAxes, noStatistics),
    normalizedBox({ gamma: 1, beta: null }, alongLastAxes(false)),
  ),
  SkipLayerNormalization: skipNormalization({ gamma: 2, beta: 3, bias: 4 }),
  SkipSimplifiedLayerNormalization: skipNormalization({ gamma: 2, beta: null, bias: 3 }),
  MeanVarianceNormalization: inNorms(meanVariance, meanVarianceIn),
  LpNormalization: lengths,
  Normalizer: normalizer,
  /** Rows and columns are what its bound in ℓ2 is made of. */
  LRN: inNorms(localResponse, 'same'),
} satisfies Record<string, BoundRule>
