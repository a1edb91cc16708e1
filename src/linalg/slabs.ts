/** The products of one slab of rows: its share of AᵀA v and of AᵀA u. */
export interface SlabProducts {
  readonly z: Float64Array
  readonly y: Float64Array
}

/**
 * Threads that hold slabs of a matrix each and multiply by them at the same time. What is added up, and in which
 * order, depends on the slabs alone, not on who computes them.
 */
export interface ProductTeam {
  /** Hands both vectors to the helpers, who start at once. */
  begin(v: Float64Array, u: Float64Array): void
  /** Whether this thread computes the slab itself. */
  owns(slab: number): boolean
  /** A helper's share; waits for it. */
  products(slab: number): SlabProducts
}

/** Elements from which on a matrix is cut into slabs: below, a product takes less than a millisecond. */
const LARGE = 1 << 20
const SLABS = 8

/** First rows of the slabs and the number of rows, ascending; whole blocks of four rows but for the last. */
export function slabBounds(rows: number, columns: number): readonly number[] {
  if (rows * columns < LARGE) return [0, rows]
  const height = Math.ceil(rows / SLABS / 4) * 4
  const bounds = [0]
  while (bounds[bounds.length - 1] < rows) bounds.push(Math.min(rows, bounds[bounds.length - 1] + height))
  return bounds
}
