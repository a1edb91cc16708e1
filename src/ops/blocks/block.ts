import type { LinearMap } from '../linear-map.ts'

/**
 * A node that mixes the elements of its first input group by group, between any two points of its domain
 *
 *     Δa  =  C Δz + B u    for some u with  |u_g| ≤ |(M Δz)_g|  for each group g.
 */
export interface Block {
  /** (Δz, u) ↦ C Δz + B u. */
  readonly split: LinearMap
  /** Δz ↦ M Δz. */
  readonly measure: LinearMap
  /** Elements of u, and of M Δz. */
  readonly size: number
  readonly measured: number
  /** Which group each of them belongs to. */
  readonly groupsOf: Int32Array
  readonly groupsMeasured: Int32Array
  readonly groups: number
  /** Norms of (C, B) and of M at most. */
  readonly gain: number
  readonly measureGain: number
  /** Products that one element adds up at most. */
  readonly terms: number
}
