import type { SearchDomain } from './domain.ts'
import { type Deepest, deepestPoint } from './simplex.ts'
import type { Wall } from './walls.ts'

/** Half-spaces with their rows (p, q) in floats, |p| = 1; cuts of the domain are added to both. */
export interface Walled {
  readonly walls: Wall[]
  readonly rows: Float64Array[]
}

export interface InnerPoint {
  /** Inside all walls, as far as floats tell; null where none was found. */
  readonly point: Float64Array | null
  /** To begin with where walls are added. */
  readonly basis: Int32Array | null
  /** Multiply-adds. */
  readonly cost: number
}

export interface InnerPointOptions {
  readonly dimension: number
  readonly domain: SearchDomain
  readonly basis: Int32Array | null
  /** Whether some of the walls provably leave no room between them. */
  isEmpty(support: readonly number[]): boolean
}

/** How far from the origin points are looked for, by the distances of walls: regions may lie anywhere. */
const REACHES = [10, 1e5, 1e9]

/** Tangents of a ball that are tried for one point. */
const MOST_CUTS = 30

/** Depths, by the distances of walls, that may be rounding. */
const SHALLOW = 1e-12

/** A point well inside all walls; 'empty' where there is provably none. */
export function innerPoint(
  { walls, rows }: Walled,
  { dimension, domain, basis: given, isEmpty }: InnerPointOptions,
): InnerPoint | 'empty' {
  // cones have no size of their own
  const distance = rows.reduce((most, row) => Math.max(most, Math.abs(row[dimension])), 0) || 1
  let [basis, cost] = [given, 0]
  for (const reach of REACHES) {
    for (let cuts = 0; cuts <= MOST_CUTS; cuts++) {
      const options = { dimension, reach: reach * distance, cap: 0.1 * reach * distance, basis }
      const deepest: Deepest | null = deepestPoint(rows, options)
      if (deepest === null) return { point: null, basis: null, cost }
      cost += (deepest.pivots + dimension) * (dimension + 1) * (rows.length + dimension + 1)
      basis = deepest.basis
      if (!(deepest.depth > SHALLOW * distance)) {
        if (isEmpty(deepest.support)) return 'empty'
        if (deepest.leansOnReach) break
        return { point: null, basis, cost }
      }
      const cut = domain.cut(deepest.x)
      if (cut === null) return { point: deepest.x, basis, cost }
      walls.push(cut)
      rows.push(normalized(cut.normal, cut.offset) as Float64Array)
    }
  }
  return { point: null, basis, cost }
}

/** (normal, offset) / |normal|; null where that is not a number. */
export function normalized(normal: Float64Array, offset: number): Float64Array | null {
  let largest = 0
  for (const value of normal) largest = Math.max(largest, Math.abs(value))
  let square = 0
  for (const value of normal) square += (value / largest) ** 2
  const length = largest * Math.sqrt(square)
  if (!(length > 1e-300 && length < 1e300 && Number.isFinite(offset))) return null
  const row = new Float64Array(normal.length + 1)
  for (let k = 0; k < normal.length; k++) row[k] = normal[k] / length
  row[normal.length] = offset / length
  return row
}
