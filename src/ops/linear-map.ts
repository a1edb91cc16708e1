import type { Tensor } from '../core/tensor.ts'
import type { Node } from '../graph/graph.ts'
import type { Operand, ValueInfo } from './operator.ts'

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

/** What a node's linear map may read. */
export interface LinearContext {
  readonly node: Node
  readonly inputs: readonly (Operand | null)[]
  readonly outputs: readonly (ValueInfo | null)[]
  /** Inputs that may vary; the others are constants or held fixed. */
  varies(i: number): boolean
}

/** A node at one point of the domain. */
export interface PointContext extends LinearContext {
  /** Inputs and outputs at the point, float64 where they are floating-point; null where omitted. */
  readonly values: readonly (Tensor | null)[]
  readonly results: readonly (Tensor | null)[]
}
