/** The walls of a cell: half-spaces of inputs, as the numbers of the file have them. */
export type Wall = NeuronWall | DomainWall

/** A neuron is above or below the place where two of its pieces meet. */
export interface NeuronWall {
  readonly kind: 'neuron'
  readonly neuron: number
  readonly below: number
  /** 1: above, −1: below. */
  readonly side: 1 | -1
}

/** normal·x + offset ≥ 0, in floats that are exact. */
export interface DomainWall {
  readonly kind: 'domain'
  readonly normal: Float64Array
  readonly offset: number
}
