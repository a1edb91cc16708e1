import type { SparseRow } from './small-matrix.ts'

/**
 * Which elements of an axis a value between them is interpolated from. Coordinates count elements from 0. Runtimes compute
 * them in float32: where a position may fall on the other side of a tie it counts on both.
 */

export interface Neighbour {
  readonly index: number
  readonly weight: number
}

/** The index that stands for one outside of [0, size); null where zeros do. */
export type Outside = (index: number, size: number) => number | null

export const clampIndex = (at: number, size: number) => Math.min(Math.max(at, 0), size - 1)

/** Mirrors indices at the centres of the outermost elements, or at their far edges. */
export function reflection(atCentres: boolean): Outside {
  return (index, size) => {
    if (size === 1) return 0
    const period = atCentres ? 2 * (size - 1) : 2 * size
    const folded = ((index % period) + period) % period
    return folded < size ? folded : atCentres ? period - folded : period - 1 - folded
  }
}

/** Keys' kernel, at distance x. */
export function keys(x: number, a: number): number {
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
}

/** How far off a coordinate may be in float32. */
const doubt = (at: number) => 1e-4 + Math.abs(at) * 1e-6

/** For every interpolation mode the sets of neighbours that a coordinate may have, by their weights. */
export const neighbourKinds = {
  /** One neighbour; two candidates near a tie. */
  nearest: (at: number): Neighbour[][] => {
    const candidates = new Set([Math.round(at - doubt(at)), Math.round(at + doubt(at))])
    return [...candidates].map((index) => [{ index, weight: 1 }])
  },
  linear: (at: number): Neighbour[][] => {
    const low = Math.floor(at)
    return [
      [
        { index: low, weight: 1 - (at - low) },
        { index: low + 1, weight: at - low },
      ],
    ]
  },
  cubic: (at: number): Neighbour[][] => {
    const low = Math.floor(at)
    return [
      [-1, 0, 1, 2].map((offset) => ({
        index: low + offset,
        weight: keys(Math.abs(at - low - offset), -0.75),
      })),
    ]
  },
} satisfies Record<string, (at: number) => Neighbour[][]>

/** Rows of the tensor product of one set of neighbours for each axis, over the flattened spatial sizes. */
export function productRows(
  perAxis: readonly (readonly Neighbour[][])[],
  sizes: readonly number[],
  outside: Outside,
): SparseRow[] {
  let rows: Map<number, number>[] = [new Map([[0, 1]])]
  for (const [axis, candidates] of perAxis.entries()) {
    rows = rows.flatMap((row) =>
      candidates.map((neighbours) => {
        const next = new Map<number, number>()
        for (const { index, weight } of neighbours) {
          const inside = index >= 0 && index < sizes[axis] ? index : outside(index, sizes[axis])
          if (inside === null || weight === 0) continue
          for (const [at, own] of row) {
            const column = at * sizes[axis] + inside
            next.set(column, (next.get(column) ?? 0) + own * weight)
          }
        }
        return next
      }),
    )
  }
  return rows.map((row) => ({ columns: [...row.keys()], weights: [...row.values()] }))
}
