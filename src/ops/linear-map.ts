/**
 * A linear map from the varying inputs of a node to its outputs, matrix-free, in float64, row-major. Null stands for
 * zero: an input that does not vary, an output that nothing asks for.
 */
export interface LinearMap {
  /** The outputs' changes, aligned with the node's outputs. Never writes to what it is given. */
  apply(changes: readonly (Float64Array | null)[]): (Float64Array | null)[]
  /** The adjoint: ⟨apply(x), y⟩ = ⟨x, applyAdjoint(y)⟩; aligned with the node's inputs. Never writes to what it is given. */
  applyAdjoint(changes: readonly (Float64Array | null)[]): (Float64Array | null)[]
}
