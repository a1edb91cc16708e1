import type { Interval } from '../../ops/bound.ts'
import type { Slopes } from '../../ops/slopes/slopes.ts'

/** f(z) − f(c) lies within [lo, hi] of slope·(z − c), for all z of a range and c of another. */
export interface Band {
  readonly slope: number
  readonly lo: number
  readonly hi: number
}

/** Parts that pieces are cut into where secants are not one number. */
const PARTS = 8
/** More than four roundings lose, relatively. */
const ROUNDING = 2 ** -50

/** A point z, and where f(z) − f(c) lies. */
interface Point {
  readonly z: number
  readonly lo: number
  readonly hi: number
}

/**
 * A band around a graph, known from secants alone: between neighbouring points p < q with secants in [α, β] over [p, q],
 * f(z) ≤ f(p) + β(z − p), which is straight, so that what it is above the band's line is largest at a point. Points are
 * the ends of the range, c, 0 (where most kinks are), and a few between where secants differ. The line goes through the
 * ends, as in linear relaxation: for ReLU over [l, u] the band is as high as −lu/(u − l), half of what secants
 * [0, 1] from c say, and less near the ends. Null where secants have no bound. Cost: at most 33 times the secants.
 */
export function bandOf(slopes: Slopes, range: Interval, at: Interval): Band | null {
  const c = at.lo + (at.hi - at.lo) / 2
  const [l, u] = [Math.min(range.lo, c), Math.max(range.hi, c)]
  const [below, above] = [pointsTo(slopes, c, l), pointsTo(slopes, c, u)]
  const around = at.lo < at.hi ? slopes(at) : { lo: 0, hi: 0 }
  const points = [...below, ...above]
  const [first, last] = [below.at(-1) as Point, above.at(-1) as Point]
  const middle = ({ lo, hi }: Point) => lo + (hi - lo) / 2
  const slope = u > l ? (middle(last) - middle(first)) / (u - l) : 0
  if (!points.every(({ lo, hi }) => Number.isFinite(lo) && Number.isFinite(hi)) || !Number.isFinite(slope))
    return null
  let [lo, hi] = [Infinity, -Infinity]
  for (const point of points) {
    const line = slope * (point.z - c)
    const slack = ROUNDING * (Math.abs(slope) * (Math.abs(point.z) + Math.abs(c)))
    lo = Math.min(lo, point.lo - line - slack - ROUNDING * Math.abs(point.lo))
    hi = Math.max(hi, point.hi - line + slack + ROUNDING * Math.abs(point.hi))
  }
  const steepest = Math.max(Math.abs(around.lo), Math.abs(around.hi)) + Math.abs(slope)
  const moved = steepest * (at.hi - at.lo) * (1 + 2 ** -40)
  return Number.isFinite(moved) ? { slope, lo: lo - moved, hi: hi + moved } : null
}

/** f(z) − f(c) at points from c to one end. */
function pointsTo(slopes: Slopes, c: number, end: number): Point[] {
  const points: Point[] = [{ z: c, lo: 0, hi: 0 }]
  if (end === c) return points
  const isBetween = c < 0 === end > 0 && c !== 0 && end !== 0
  for (const to of isBetween ? [0, end] : [end]) {
    const from = (points.at(-1) as Point).z
    const { lo, hi } = slopes({ lo: Math.min(from, to), hi: Math.max(from, to) })
    const parts = lo < hi ? PARTS : 1
    for (let part = 1; part <= parts; part++) {
      const z = part === parts ? to : from + ((to - from) * part) / parts
      points.push(next(slopes, points.at(-1) as Point, z))
    }
  }
  return points
}

function next(slopes: Slopes, { z: from, lo, hi }: Point, z: number): Point {
  const secants = slopes({ lo: Math.min(from, z), hi: Math.max(from, z) })
  const ends = [secants.lo * (z - from), secants.hi * (z - from)]
  const steepest = Math.max(Math.abs(secants.lo), Math.abs(secants.hi))
  const slack = ROUNDING * (Math.abs(lo) + Math.abs(hi) + steepest * (Math.abs(z) + Math.abs(from)))
  return { z, lo: lo + Math.min(...ends) - slack, hi: hi + Math.max(...ends) + slack }
}
