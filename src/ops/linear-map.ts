/**
 * A linear map from the varying inputs of a node to its outputs, matrix-free, in float64, row-major. Null stands for
 * zero: an input that does not vary, an output that nothing asks for.
 */
export interface LinearMap {
  /** The outputs' changes, aligned with the node's outputs. Never writes to what it is given. */
  apply(changes: readonly (Float64Array | null)[]): (Float64Array | null)[]
  /** The adjoint: ⟨apply(x), y⟩ = ⟨x, applyAdjoint(y)⟩; aligned with the node's inputs. Never writes to what it is given. */
  applyAdjoint(changes: readonly (Float64Array | null)[]): (Float64Array | null)[]
  /** What bounds its rounding; absent where nothing does. */
  readonly absolute?: () => AbsoluteMap
}

/**
 * |A| of a map A, from which |fl(Ax) − Ax| ≤ γ·|A||x| follows, γ of `terms` and the roundings that coefficients are made
 * with. May be more than |A|, never less.
 */
export interface AbsoluteMap {
  apply(sizes: readonly (Float64Array | null)[]): (Float64Array | null)[]
  /** Products that one element adds up at the most. */
  readonly terms: number
  /** Whether every element of a result is an element, or 0: nothing is rounded. */
  readonly isSelection?: true
}
