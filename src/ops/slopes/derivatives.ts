import { everything, type Interval } from '../bound.ts'
import { erf, sigmoid, softplus } from '../numeric/special-functions.ts'
import { down, farthest, hull, interval, nearest, up } from '../rules/interval.ts'

/**
 * Ranges of derivatives over intervals, rounded outward. A continuous function that is differentiable but for finitely
 * many points has all its secants (f(x) − f(y)) / (x − y), x ≠ y in an interval, within the hull of its derivatives there.
 */

/** What functions of functions of the standard library lose: far more than their few units in the last place. */
const slack = 1e-12

const widened = (lo: number, hi: number) =>
  interval(down(lo) - Math.abs(lo) * slack, up(hi) + Math.abs(hi) * slack)

/** One smooth piece of a function: where it lies and the range of its derivative over a part of it. */
export interface Piece {
  readonly from: number
  readonly to: number
  readonly derivative: (range: Interval) => Interval
}

/** The hull over the pieces that the range has more than a point of; a range of one point lies in one of them, one that is none in all. */
export function overPieces(pieces: readonly Piece[], range: Interval): Interval {
  const met = pieces.filter(({ from, to }) =>
    range.lo === range.hi ? range.lo >= from && range.lo <= to : range.lo < to && range.hi > from,
  )
  // an end that is no number
  if (met.length === 0) return everything
  return met
    .map(({ from, to, derivative }) =>
      derivative({ lo: Math.max(range.lo, from), hi: Math.min(range.hi, to) }),
    )
    .reduce(hull)
}

/** A straight piece. */
export function straight(from: number, to: number, slope: number): Piece {
  return { from, to, derivative: () => interval(slope, slope) }
}

/** The range of an increasing derivative. */
export function rising(derivative: (x: number) => number): (range: Interval) => Interval {
  return ({ lo, hi }) => widened(derivative(lo), derivative(hi))
}

/** The range of an even derivative ≥ 0 that falls with |x|. */
export function bell(derivative: (size: number) => number): (range: Interval) => Interval {
  return (range) => {
    const { lo, hi } = widened(derivative(farthest(range)), derivative(nearest(range)))
    return interval(Math.max(lo, 0), hi)
  }
}

/** What derivatives that cancel, and turning points that are known to 1e-6, lose of values near 1. */
const absolute = 1e-11

/** The range of a derivative that is monotone between turning points; `d` has limits at ±∞. */
export function turning(d: (x: number) => number, points: readonly number[]): (range: Interval) => Interval {
  return ({ lo, hi }) => {
    const values = [lo, ...points.filter((point) => point > lo && point < hi), hi].map(d)
    const { lo: least, hi: most } = widened(Math.min(...values), Math.max(...values))
    return interval(least - absolute, most + absolute)
  }
}

/** cos over the range. */
export function cosines({ lo, hi }: Interval): Interval {
  if (!(hi - lo < 6) || !(Math.max(Math.abs(lo), Math.abs(hi)) < 1e6)) return { lo: -1, hi: 1 }
  const room = 1e-8
  const holds = (phase: number) => {
    const turn = Math.ceil((lo - room - phase) / (2 * Math.PI))
    return turn * 2 * Math.PI + phase <= hi + room
  }
  const ends = widened(Math.min(Math.cos(lo), Math.cos(hi)), Math.max(Math.cos(lo), Math.cos(hi)))
  return interval(holds(Math.PI) ? -1 : ends.lo, holds(0) ? 1 : ends.hi)
}

const density = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)

/** Φ(x) + x·φ(x): the derivative of x·Φ(x), turning at ±√2. */
export function geluDerivative(x: number): number {
  if (Math.abs(x) > 38) return x > 0 ? 1 : 0
  return (1 + erf(x / Math.SQRT2)) / 2 + x * density(x)
}

export const geluTurns = [-Math.SQRT2, Math.SQRT2]

/** The derivative of ½x(1 + tanh(ax + bx³)). */
export function tanhGeluDerivative(a: number, b: number): (x: number) => number {
  return (x) => {
    if (Math.abs(x) > 38) return x > 0 ? 1 : 0
    const t = Math.tanh(a * x + b * x ** 3)
    const sech = 1 / Math.cosh(a * x + b * x ** 3)
    return (1 + t) / 2 + (x / 2) * sech * sech * (a + 3 * b * x * x)
  }
}

/** Where it turns, for the usual constants. */
export const tanhGeluTurns = [-1.4185040087908285, 1.4185040087908285]

/** The derivative of x·σ(x). */
export function swishDerivative(x: number): number {
  if (Math.abs(x) > 745) return x > 0 ? 1 : 0
  const s = sigmoid(x)
  return s + x * s * sigmoid(-x)
}

export const swishTurns = [-2.3993572805154675, 2.3993572805154675]

/** The derivative of x·tanh(softplus(x)). */
export function mishDerivative(x: number): number {
  if (Math.abs(x) > 40) return x > 0 ? 1 : 0
  const t = Math.tanh(softplus(x))
  return t + x * (1 - t) * (1 + t) * sigmoid(x)
}

export const mishTurns = [-2.256376396320793, 1.4905711794854284]

/** σ(x)(1 − σ(x)) by |x|. */
export function logisticDensity(size: number): number {
  const e = Math.exp(-size)
  return e / (1 + e) ** 2
}

/** 1 − tanh²(x) by |x|. */
export const tanhDensity = (size: number) => 4 * logisticDensity(2 * size)
