import { addDown, addUp, divDown, divUp, mulDown, mulUp } from '../../core/rounding.ts'
import { everything, type Interval } from '../bound.ts'

/**
 * Interval arithmetic, rounded outward: each result holds f(a, b) for all a and b of the operands. Endpoints may
 * be infinite; elements are finite numbers, so 0·∞ counts as 0.
 */

/** The interval from lo to hi; everything where an endpoint is no number. */
export function interval(lo: number, hi: number): Interval {
  return lo <= hi ? { lo, hi } : everything
}

export const unit: Interval = { lo: 0, hi: 1 }

export function hull(a: Interval, b: Interval): Interval {
  return interval(Math.min(a.lo, b.lo), Math.max(a.hi, b.hi))
}

/** What both hold; the first where rounding has made them disjoint. */
export function intersection(a: Interval, b: Interval): Interval {
  const lo = Math.max(a.lo, b.lo)
  const hi = Math.min(a.hi, b.hi)
  return lo <= hi ? { lo, hi } : a
}

export function sum(a: Interval, b: Interval): Interval {
  return interval(addDown(a.lo, b.lo), addUp(a.hi, b.hi))
}

export function negative(a: Interval): Interval {
  return { lo: -a.hi, hi: -a.lo }
}

export function difference(a: Interval, b: Interval): Interval {
  return sum(a, negative(b))
}

export function product(a: Interval, b: Interval): Interval {
  const corners = [
    [a.lo, b.lo],
    [a.lo, b.hi],
    [a.hi, b.lo],
    [a.hi, b.hi],
  ]
  return interval(
    Math.min(...corners.map(([x, y]) => mulDown(x, y))),
    Math.max(...corners.map(([x, y]) => mulUp(x, y))),
  )
}

/** 1 / b; everything where b may be 0. */
export function reciprocal(b: Interval): Interval {
  return b.lo > 0 || b.hi < 0 ? interval(divDown(1, b.hi), divUp(1, b.lo)) : everything
}

export function scaled(a: Interval, factor: number): Interval {
  return product(a, { lo: factor, hi: factor })
}

/** {x²}. */
export function square(a: Interval): Interval {
  const largest = farthest(a)
  const least = nearest(a)
  return interval(mulDown(least, least), mulUp(largest, largest))
}

/** sup |x|. */
export function farthest(a: Interval): number {
  return Math.max(Math.abs(a.lo), Math.abs(a.hi))
}

/** inf |x|. */
export function nearest(a: Interval): number {
  return a.lo > 0 ? a.lo : a.hi < 0 ? -a.hi : 0
}

/** Covers the error of Math.exp and its like, which V8 keeps within a few units in the last place. */
const slack = 1e-14

/** A value of a function of the standard library, rounded up. */
export function up(x: number): number {
  return Number.isFinite(x) ? addUp(x, Math.abs(x) * slack) : x
}

/** A value of a function of the standard library, rounded down. */
export function down(x: number): number {
  return -up(-x)
}

/** The image under an increasing function of the standard library. */
export function increasing(f: (x: number) => number, a: Interval): Interval {
  return interval(down(f(a.lo)), up(f(a.hi)))
}
