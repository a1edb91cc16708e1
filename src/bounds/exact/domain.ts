import type { InputBox } from './ranges.ts'
import type { DomainWall } from './walls.ts'

/** Where the inputs lie, as a search through cells needs it: convex, with an inside. */
export interface SearchDomain {
  /** A box that holds it; null where an input has no end. */
  readonly box: InputBox | null
  /** Half-spaces that hold it. */
  readonly walls: readonly DomainWall[]
  /** A half-space that holds it and from which a point is well away; null where the point is inside, or nearly. */
  cut(x: Float64Array): DomainWall | null
  /** Whether a point is provably inside. */
  holds(x: Float64Array): boolean
}

/** All inputs between lo and hi, infinite where there is no end; null where a box has no inside. */
export function boxDomain(lo: Float64Array, hi: Float64Array): SearchDomain | null {
  const walls: DomainWall[] = []
  for (let i = 0; i < lo.length; i++) {
    if (!(lo[i] < hi[i])) return null
    const along = (side: number) => {
      const normal = new Float64Array(lo.length)
      normal[i] = side
      return normal
    }
    if (lo[i] > -Infinity) walls.push({ kind: 'domain', normal: along(1), offset: -lo[i] })
    if (hi[i] < Infinity) walls.push({ kind: 'domain', normal: along(-1), offset: hi[i] })
  }
  return {
    box: [...lo, ...hi].every(Number.isFinite) ? { lo, hi } : null,
    walls,
    cut: () => null,
    holds: (x) => x.every((value, i) => value > lo[i] && value < hi[i]),
  }
}

/** How far outside a point has to be for a cut, relative to the radius. */
const OUTSIDE = 1e-9

/** |x − center|₂ ≤ radius: the box around it, and tangents where they are wanted. */
export function ballDomain(center: Float64Array, radius: number): SearchDomain | null {
  const room = 1 + 2 ** -40
  const around = boxDomain(
    center.map((value) => value - radius * room - Math.abs(value) * 2 ** -40),
    center.map((value) => value + radius * room + Math.abs(value) * 2 ** -40),
  )
  if (around === null || !(radius > 0)) return null
  return {
    box: around.box,
    walls: around.walls,
    holds: (x) => Math.hypot(...x.map((value, i) => value - center[i])) < radius * (1 - 2 ** -40),
    cut(x) {
      const away = x.map((value, i) => value - center[i])
      const distance = Math.hypot(...away)
      if (!(distance > radius * (1 + OUTSIDE))) return null
      // −u·x + (u·center + radius|u|) ≥ 0, the sum rounded up by more than it may err
      const normal = away.map((value) => -value / distance)
      let [offset, size] = [0, 0]
      for (let i = 0; i < normal.length; i++) {
        offset -= normal[i] * center[i]
        size += Math.abs(normal[i] * center[i])
      }
      const length = Math.hypot(...normal) * (1 + 2 ** -45)
      return { kind: 'domain', normal, offset: offset + radius * length + (size + radius) * 2 ** -45 }
    },
  }
}
