import type { FloatArray } from '../core/tensor.ts'

/** Reads the weights into memory, row-major; may be called more than once. Nothing is read before. */
export type LoadWeights = () => FloatArray

/** rows × columns, row-major, times |factor|. `blocks` > 1: the maximum over that many matrices stored one after another. */
export interface MatrixOperator {
  readonly form: 'matrix'
  readonly rows: number
  readonly columns: number
  readonly blocks: number
  /** How blocks act: each on its own slice ('diagonal', the norm is the maximum), or all on one input
   * ('stacked', the norm of the matrices put side by side along the output). */
  readonly arrangement: 'diagonal' | 'stacked'
  /** The side that the layer's input runs along, where that is known; the norm does not depend on it. */
  readonly input?: 'rows' | 'columns'
  readonly factor: number
  readonly load: LoadWeights
}

/** x ↦ c ∘ x, elementwise with repetition: exact norm max over inputs of √Σ c² over the copies of that input. */
export interface DiagonalOperator {
  readonly form: 'diagonal'
  /** The norms per input element (copies already joined); each acts on `multiplicity` elements of one batch element. */
  readonly load: LoadWeights
  readonly size: number
  /** How many elements of one batch element each entry scales (for the operator's Frobenius norm); null: not known. */
  readonly multiplicity: number | null
  readonly factor: number
}

/**
 * A zero-padded convolution y = K ⋆ x in the sense of ONNX Conv, from inChannels × inputSize to
 * outChannels × outputSize; weights [outChannels, inChannels / groups, ...kernel]. Output o reads the input at
 * o·stride − padsBegin + tap·dilation, zero outside. A transposed convolution is described by the convolution that
 * it is the adjoint of: norms are equal. `padsEnd` says no more than the sizes do; it is negative where elements at
 * the end are never read, as behind an output padding. Without sizes the pads may be unknown, too, and are then 0.
 */
export interface ConvolutionOperator {
  readonly form: 'convolution'
  readonly inChannels: number
  readonly outChannels: number
  readonly groups: number
  readonly kernel: readonly number[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  readonly padsBegin: readonly number[]
  readonly padsEnd: readonly number[]
  /** Spatial sizes; null where not known: norms are then those of the supremum over sizes. */
  readonly inputSize: readonly number[] | null
  readonly outputSize: readonly number[] | null
  readonly factor: number
  readonly load: LoadWeights
}

export type LinearOperator = MatrixOperator | DiagonalOperator | ConvolutionOperator
