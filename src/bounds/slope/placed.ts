import type { UnrolledConvolution } from '../../linalg/unrolled-convolution.ts'
import type { Block } from '../../ops/blocks/block.ts'
import type { Step } from '../../ops/maps/composed.ts'
import type { MatrixFactor } from './parts.ts'

/** How an activation is split: Δa = C Δz + √R u with |u| ≤ |√R Δz|, elementwise. */
export interface Split {
  /** One number for all elements, or one for each. */
  readonly center: number | Float64Array
  /** √R. */
  readonly root: number | Float64Array
  /** |u|₂ per unit of change of the audited inputs, at most. */
  readonly bound: number
}

/** One node of a window: the slots that it reads and writes, −1 where there is none. */
export interface Placed extends Step {
  readonly gain: number
  /** ‖fl(Wx) − Wx‖ ≤ rounding·‖x‖, of the adjoint as well. */
  readonly rounding: number
  /** Set for nodes that multiply one vector by one matrix. */
  readonly matrix: (() => MatrixFactor | null) | null
  /** Set for convolutions: their products in the arena. */
  readonly convolution: (() => UnrolledConvolution | null) | null
  /** Set for activations: factors of Δz and u. */
  readonly split: Pick<Split, 'center' | 'root'> | null
  /** Set for nodes that mix groups of elements: what bounds their u. */
  readonly block?: Block
}
