import type { Shape } from '../core/tensor.ts'
import type { LinearOperator } from '../linalg/linear-operator.ts'
import type { StoredTensor } from '../onnx/stored-tensor.ts'

export interface AffineAxes {
  readonly input: number
  readonly output: number
}

export type LayerKind = 'dense' | 'conv' | 'conv-transpose' | 'recurrent' | 'embedding' | 'scale'

/** One row of the report before it is measured: a linear operator with constant weights, and where it stands. */
export interface LayerSpec {
  /** Tells the layers of one node apart: '' where it has one, else for example 'W.i', 'R.f'. */
  readonly role: string
  readonly kind: LayerKind
  /** Name of the tensor that enters the node. */
  readonly weightName: string
  /** Shape of that tensor. */
  readonly weightShape: readonly number[]
  /** Shape of the data input as inferred; null where the rank is not known. */
  readonly inputShape: Shape | null
  /** The tensor in the file that the weight is, when it is stored as used; null for folded weights. */
  readonly stored: StoredTensor | null
  /** The map on one batch element at its real size. */
  readonly operator: LinearOperator
  /**
   * Set where the node's first output is nothing but this operator applied to its one data input, plus a constant:
   * the axes of data and output that the operator's columns and rows (channels; entries of a diagonal) run along.
   * Negative axes count from the end. Such layers may be merged with their neighbours.
   */
  readonly affine?: AffineAxes
}
