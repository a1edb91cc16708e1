import * as mag from '../../core/magnitude.ts'
import type { NormName } from '../../core/norm-name.ts'
import { mulUp } from '../../core/rounding.ts'
import { type Shape, sizeOf } from '../../core/tensor.ts'
import { floatAttribute, stringAttribute } from '../../graph/attribute.ts'
import {
  type BoundContext,
  type BoundOperand,
  type BoundRule,
  everything,
  type Interval,
  type TensorBound,
} from '../bound.ts'
import { broadcastBox, elementwiseBox } from '../boxes/elementwise.ts'
import { withBoxes } from '../boxes/rule.ts'
import { erf } from '../numeric/special-functions.ts'
import { growth, rootOf, unknownCopies } from './broadcast.ts'
import { scalarOf } from './constant.ts'
import {
  down,
  farthest,
  hull,
  increasing,
  intersection,
  interval,
  product,
  scaled,
  sum,
  up,
} from './interval.ts'
import { added, addedIn, isFixed, stacked, stackedIn, through } from './join.ts'
import { inEvery, inNorms, repeated } from './norms.ts'
import { overReals } from './reals.ts'

/**
 * Elementwise functions f with a known slope: |Δf(x)|₂ ≤ sup|f′|·|Δx|₂, the supremum over the range of x (an
 * interval, so that the mean value theorem holds for continuous piecewise differentiable f).
 */
export interface Activation {
  /** sup |f′| over the range, rounded up; Infinity where there is none. */
  readonly slope: number
  /** Holds f(x) for every x of the range. */
  readonly image: Interval
}

const origin = interval(0, 0)

/** Slope and image given the range of the first input and the node's attributes. */
type ActivationOf = (range: Interval, context: BoundContext) => Activation

/** A rule from the function's slope and image, given the range of the first input and the node's attributes. */
export function elementwise(activationOf: ActivationOf, unbounded = 'has no bound on its slope'): BoundRule {
  const rule = overReals((context) => {
    const x = context.input(0)
    if (x === null) return [context.refuse('has no input')]
    const { slope, image } = activationOf(x.range, context)
    if (slope === Infinity) return [context.refuse(unbounded)]
    return [through(x, slope, image, lengthOf(x, activationOf, context))]
  })
  return withBoxes(
    inNorms(rule, 'same'),
    elementwiseBox((range, context) => activationOf(range, context).image),
  )
}

/** |f(x)| ≤ sup|f′|·|x| where f(0) = 0, the supremum between 0 and x. */
function lengthOf(x: BoundOperand, activationOf: ActivationOf, context: BoundContext): number {
  if (x.norm === Infinity || farthest(activationOf(origin, context).image) > 0) return Infinity
  return mulUp(activationOf(hull(x.range, origin), context).slope, x.norm)
}

/** Largest slope of x·Φ(x), at √2. */
export const geluSlope = 1.128904145185155
/** Of GELU by tanh(√(2/π)(x + 0.044715 x³)). */
export const geluTanhSlope = 1.128993068658772
/** Of ½x(1 + tanh(0.797885 x + 0.035677 x³)), the constants of ONNX Runtime's FastGelu. */
export const fastGeluSlope = 1.128992766031858
/** Of x·σ(x); the same for x·σ(αx), which is it with both axes scaled by 1/α. */
export const swishSlope = 1.099839320128867
/** Of x·tanh(ln(1 + eˣ)). */
export const mishSlope = 1.088498161251728
/** 2/√π. */
export const erfSlope = 1.128379167095513

const alpha = (context: BoundContext, fallback: number) => floatAttribute(context.node, 'alpha', fallback)

/** x ↦ x for x ≥ 0 and s·x below. */
export function leaky(range: Interval, below: Interval): Activation {
  const positive = interval(Math.max(range.lo, 0), Math.max(range.hi, 0))
  const negative = interval(Math.min(range.lo, 0), Math.min(range.hi, 0))
  const image =
    range.hi < 0
      ? product(negative, below)
      : range.lo >= 0
        ? positive
        : hull(positive, product(negative, below))
  return { slope: Math.max(1, farthest(below)), image }
}

/** γ·x for x ≥ 0 and γ·α·(eˣ − 1) below. */
function exponentialUnit(range: Interval, factor: number, gamma: number): Activation {
  const least = Math.max(-1, down(Math.expm1(Math.min(range.lo, 0))))
  const below = scaled(interval(least, Math.min(0, up(Math.expm1(Math.min(range.hi, 0))))), factor)
  const above = interval(Math.max(range.lo, 0), Math.max(range.hi, 0))
  const image = range.hi < 0 ? below : range.lo >= 0 ? above : hull(above, below)
  return { slope: mulUp(Math.abs(gamma), Math.max(1, Math.abs(factor))), image: scaled(image, gamma) }
}

/** max(0, min(1, αx + β)). */
export function hardSigmoid(range: Interval, a: number, b: number): Activation {
  const line = sum(scaled(range, a), interval(b, b))
  return { slope: Math.abs(a), image: clamp(line, 0, 1) }
}

export function clamp(range: Interval, lo: number, hi: number): Interval {
  return interval(Math.min(Math.max(range.lo, lo), hi), Math.min(Math.max(range.hi, lo), hi))
}

/** A gate x·g(x) with 0 ≥ x·g(x) ≥ −dip for x < 0, and 0 ≤ g ≤ 1. */
export function gated(range: Interval, slope: number, dip: number): Activation {
  return { slope, image: interval(range.lo >= 0 ? 0 : -Math.min(dip, -range.lo), Math.max(range.hi, 0)) }
}

/** The image, narrowed to what the slope allows around the middle of the range: all that narrow ranges need. */
function narrowed({ slope, image }: Activation, range: Interval, f: (x: number) => number): Activation {
  const middle = range.lo + (range.hi - range.lo) / 2
  if (!Number.isFinite(middle)) return { slope, image }
  const value = f(middle)
  const reach =
    up(mulUp(slope, Math.max(range.hi - middle, middle - range.lo))) + 1e-14 + Math.abs(value) * 1e-12
  return { slope, image: intersection(image, interval(down(value - reach), up(value + reach))) }
}

const logistic = (x: number) => 1 / (1 + Math.exp(-x))
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))
const signed: Interval = { lo: -1, hi: 1 }

function clipLimit(context: BoundContext, name: 'min' | 'max', i: number): number | null {
  const open = name === 'min' ? -Infinity : Infinity
  if (context.node.version >= 11) return scalarOf(context.input(i), open)
  return floatAttribute(context.node, name, open)
}

/** Each element is one of x, the lower and the upper limit, and changes by no more than the largest change: √n for limits of n elements. */
function clippedBy(
  context: BoundContext,
  x: BoundOperand,
  limits: readonly BoundOperand[],
  norm: NormName,
): TensorBound {
  const size = x.shape && sizeOf(x.shape)
  if (size === null) return context.refuse(unknownCopies)
  const gain = norm === 'l2' ? rootOf(size) : repeated[norm](size)
  const parts = [{ bound: x, gain: 1 }, ...limits.map((bound) => ({ bound, gain }))]
  return norm === 'l2' ? stacked(parts, everything) : stackedIn(norm, parts, everything)
}

/** With fixed limits its slope is 1, in every norm. */
const clip = (context: BoundContext, norm: NormName): TensorBound[] => {
  const x = context.input(0)
  const limits = [context.input(1), context.input(2)]
  if (x === null) return [context.refuse('has no data')]
  const varying = limits.filter((limit) => limit !== null && !isFixed(limit)) as BoundOperand[]
  if (varying.length > 0) return [clippedBy(context, x, varying, norm)]
  return [through(x, 1, clipped(x.range, context))]
}

function clipped(range: Interval, context: BoundContext): Interval {
  const isKnown = [1, 2].every((i) => context.input(i) === null || scalarOf(context.input(i)) !== null)
  if (!isKnown) return everything
  const lo = clipLimit(context, 'min', 1) ?? -Infinity
  const hi = clipLimit(context, 'max', 2) ?? Infinity
  // runtimes differ in which limit counts where they contradict each other
  return lo <= hi ? clamp(range, lo, hi) : interval(hi, lo)
}

const gelu = elementwise((range, { node }) =>
  stringAttribute(node, 'approximate', 'none') === 'tanh'
    ? narrowed(gated(range, geluTanhSlope, 0.171), range, tanhGelu)
    : narrowed(gated(range, geluSlope, 0.171), range, (x) => (x / 2) * (1 + erf(x / Math.SQRT2))),
)

function tanhGelu(x: number): number {
  return (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))
}

/** x·σ(αx). */
export function swishOf(range: Interval, factor: number): Activation {
  if (factor === 0) return { slope: 0.5, image: scaled(range, 0.5) }
  const mirrored = factor < 0 ? interval(-range.hi, -range.lo) : range
  const { slope, image } = gated(mirrored, swishSlope, 0.2785 / Math.abs(factor))
  const turned = { slope, image: factor < 0 ? interval(-image.hi, -image.lo) : image }
  return narrowed(turned, range, (x) => x * logistic(factor * x))
}

const swish = elementwise((range, context) => swishOf(range, alpha(context, 1)))

/** α(e^{x/α} − 1) below 0, x above; the formula and the function body of the standard disagree for α ≤ 0. */
const celu = elementwise((range, context) => {
  const factor = alpha(context, 1)
  if (!(factor > 0)) return { slope: Infinity, image: range }
  const image = interval(Math.max(range.lo, -factor), Math.max(range.hi, 0))
  return narrowed({ slope: 1, image }, range, (x) => (x < 0 ? factor * Math.expm1(x / factor) : x))
}, 'is not well defined for alpha ≤ 0')

/** Runtimes broadcast data to its slopes, too: a dimension that is not known may be 1, and repeat. */
function mayRepeat(data: Shape | null, slopes: Shape | null): boolean {
  if (slopes === null) return true
  return slopes.some((dim, axis) => dim !== 1 && dim !== (data?.at(axis - slopes.length) ?? null))
}

/**
 * x for x ≥ 0 and s·x below, slopes broadcast to the data: |Δ| ≤ max(1, sup|s|)·|Δx| + √copies·sup|min(x, 0)|·|Δs|; in other
 * norms copies count as the norm counts them.
 */
const prelu = (context: BoundContext, norm: NormName): TensorBound[] => {
  const [x, slopes] = [context.input(0), context.input(1)]
  if (x === null || slopes === null) return [context.refuse('lacks its slopes')]
  if (!Number.isFinite(farthest(slopes.range)))
    return [context.refuse('has slopes that have no proven bounds')]
  if (context.node.version >= 7 && mayRepeat(x.shape, slopes.shape)) return [context.refuse(unknownCopies)]
  const { slope, image } = leaky(x.range, slopes.range)
  if (isFixed(slopes)) return [through(x, slope, image)]
  const below = Math.max(0, -x.range.lo)
  const copies = growth(slopes.shape, x.shape)
  if (copies === null || below === Infinity)
    return [context.refuse('has slopes that are computed from data, and data that have no proven bounds')]
  const times = norm === 'l2' ? rootOf(copies) : mag.magnitude(repeated[norm](copies))
  const parts = [
    { bound: x, gain: mag.magnitude(slope) },
    { bound: slopes, gain: mag.multiply(times, mag.magnitude(below)) },
  ]
  return [norm === 'l2' ? added(parts, image) : addedIn(norm, parts, image)]
}

/** 0 up to α, then x: a jump of α unless it is 0. */
const thresholdedRelu = elementwise(
  (range, context) => ({ slope: alpha(context, 1) === 0 ? 1 : Infinity, image: clamp(range, 0, Infinity) }),
  'jumps by alpha where it sets in',
)

/** x ∓ bias outside ±λ, 0 within: continuous where bias = λ. */
const shrink = elementwise((range, { node }) => {
  const [bias, threshold] = [floatAttribute(node, 'bias', 0), floatAttribute(node, 'lambd', 0.5)]
  const [shrunk, grown] = [
    sum(range, interval(-threshold, -threshold)),
    sum(range, interval(threshold, threshold)),
  ]
  const image = interval(
    Math.max(shrunk.lo, Math.min(grown.lo, 0)),
    Math.min(grown.hi, Math.max(shrunk.hi, 0)),
  )
  return { slope: bias === threshold && threshold >= 0 ? 1 : Infinity, image }
}, 'jumps where bias and lambd differ')

/** |αβ|. */
const alphaTimesBeta = (context: BoundContext) =>
  mulUp(Math.abs(alpha(context, 1)), Math.abs(floatAttribute(context.node, 'beta', 1)))

export const elementwiseRules = {
  Abs: elementwise((range) => ({
    slope: 1,
    image: interval(range.lo > 0 ? range.lo : range.hi < 0 ? -range.hi : 0, farthest(range)),
  })),
  Neg: elementwise((range) => ({ slope: 1, image: { lo: -range.hi, hi: -range.lo } })),
  Relu: elementwise((range) => ({ slope: 1, image: clamp(range, 0, Infinity) })),
  LeakyRelu: elementwise((range, context) =>
    leaky(range, interval(alpha(context, 0.01), alpha(context, 0.01))),
  ),
  PRelu: withBoxes(
    overReals(inEvery(prelu)),
    broadcastBox(([x, slopes]) => leaky(x, slopes).image),
  ),
  Clip: withBoxes(inEvery(clip), elementwiseBox(clipped)),
  Elu: elementwise((range, context) => exponentialUnit(range, alpha(context, 1), 1)),
  Celu: celu,
  Selu: elementwise((range, context) =>
    exponentialUnit(
      range,
      alpha(context, 1.6732631921768188),
      floatAttribute(context.node, 'gamma', 1.0507010221481323),
    ),
  ),
  Sigmoid: elementwise((range) => ({ slope: 0.25, image: clamp(increasing(logistic, range), 0, 1) })),
  HardSigmoid: elementwise((range, context) =>
    hardSigmoid(range, alpha(context, Math.fround(0.2)), floatAttribute(context.node, 'beta', 0.5)),
  ),
  Tanh: elementwise((range) => ({ slope: 1, image: clamp(increasing(Math.tanh, range), -1, 1) })),
  Erf: elementwise((range) => narrowed({ slope: erfSlope, image: signed }, range, erf)),
  Softplus: elementwise((range) => ({ slope: 1, image: clamp(increasing(softplus, range), 0, Infinity) })),
  Softsign: elementwise((range) =>
    narrowed({ slope: 1, image: signed }, range, (x) => x / (1 + Math.abs(x))),
  ),
  HardSwish: elementwise((range) =>
    narrowed(gated(range, 1.5, 0.376), range, (x) => x * Math.min(1, Math.max(0, x / 6 + 0.5))),
  ),
  Swish: swish,
  Gelu: gelu,
  Mish: elementwise((range) =>
    narrowed(gated(range, mishSlope, 0.309), range, (x) => x * Math.tanh(softplus(x))),
  ),
  Sin: elementwise((range) => narrowed({ slope: 1, image: signed }, range, Math.sin)),
  Cos: elementwise((range) => narrowed({ slope: 1, image: signed }, range, Math.cos)),
  Atan: elementwise((range) => ({ slope: 1, image: increasing(Math.atan, range) })),
  Asinh: elementwise((range) => ({ slope: 1, image: increasing(Math.asinh, range) })),
  /** α·softplus(βx), α·tanh(βx) and αx + β, of the first versions of the standard. */
  ParametricSoftplus: elementwise((_, context) => ({ slope: alphaTimesBeta(context), image: everything })),
  ScaledTanh: elementwise((_, context) => ({ slope: alphaTimesBeta(context), image: everything })),
  Affine: elementwise((_, context) => ({ slope: Math.abs(alpha(context, 1)), image: everything })),
  ThresholdedRelu: thresholdedRelu,
  Shrink: shrink,
} satisfies Record<string, BoundRule>
