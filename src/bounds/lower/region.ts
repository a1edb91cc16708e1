import { gaussianVector, type Random } from '../../core/random.ts'
import type { Interval } from '../../ops/bound.ts'
import { lengthOf, moved } from './point.ts'

/** The set of points that a bound is about, as a lower bound searches it: all inputs in one vector. */
export interface Region {
  /** The nearest point of the region, or one that is near; new. */
  project(x: Float64Array): Float64Array
  /** Start number `index` of a search: fixed points first, then random ones at several scales. */
  start(index: number, random: Random): Float64Array
  /** How far apart points of the region are, about; what steps are measured by. */
  readonly scale: number
}

/** Scales of the random starts where nothing bounds the inputs: networks see data of about 1, or bytes. */
const scales = [1, 0.1, 10, 0.01, 100, 1000]

/** Everywhere, but for inputs with an interval. `intervals` are aligned with `sizes`, null for inputs without one. */
export function boxRegion(sizes: readonly number[], intervals: readonly (Interval | null)[]): Region {
  const total = sizes.reduce((sum, size) => sum + size, 0)
  const lo = new Float64Array(total).fill(-Infinity)
  const hi = new Float64Array(total).fill(Infinity)
  let at = 0
  sizes.forEach((size, i) => {
    lo.fill(intervals[i]?.lo ?? -Infinity, at, at + size)
    hi.fill(intervals[i]?.hi ?? Infinity, at, at + size)
    at += size
  })
  const project = (x: Float64Array) => x.map((value, i) => Math.min(Math.max(value, lo[i]), hi[i]))
  const widths = intervals.map((interval) => (interval === null ? Infinity : interval.hi - interval.lo))
  const finite = widths.filter((width) => width < Infinity && width > 0)
  return {
    project,
    scale: finite.length > 0 ? Math.max(...finite) : 1,
    start(index, random) {
      const scale = scales[index % scales.length]
      const isCorner = index % 3 === 2
      return project(
        Float64Array.from({ length: total }, (_, i) => {
          const width = hi[i] - lo[i]
          if (width === Infinity) return index === 0 ? 0 : scale * random.gaussian()
          if (index === 0) return (lo[i] + hi[i]) / 2
          const u = random.uniform()
          return lo[i] + width * (isCorner ? Math.round(u) : u)
        }),
      )
    },
  }
}

/** A ball around a point. In ℓ2 it holds all inputs together. */
export function ballRegion(center: Float64Array, radius: number, norm: 'l2' | 'linf'): Region {
  const project = (x: Float64Array) => {
    if (norm === 'linf')
      return x.map((value, i) => Math.min(Math.max(value, center[i] - radius), center[i] + radius))
    const away = moved(x, -1, center)
    const distance = lengthOf(away)
    // A little inside, so that rounding does not put it outside.
    return distance <= radius ? x.slice() : moved(center, (radius * (1 - 2 ** -40)) / distance, away)
  }
  return {
    project,
    scale: radius,
    start(index, random) {
      if (index === 0) return center.slice()
      const direction = gaussianVector(center.length, random)
      if (norm === 'linf')
        return moved(
          center,
          radius,
          direction.map((x) => (index % 3 === 2 ? Math.sign(x) : 2 * random.uniform() - 1)),
        )
      const share = index % 3 === 2 ? 1 : random.uniform() ** (1 / Math.min(center.length, 8))
      return project(moved(center, (radius * share) / (lengthOf(direction) || 1), direction))
    },
  }
}
