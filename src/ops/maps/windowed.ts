/**
 * A convolution on [batch, channels, …spatial], from the side that its windows read ("wide") to the side with one
 * element for each window ("narrow").
 */
export interface Windowed {
  readonly batch: number
  readonly groups: number
  readonly wideChannels: number
  readonly narrowChannels: number
  readonly wide: readonly number[]
  readonly narrow: readonly number[]
  readonly kernel: readonly number[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  readonly pads: readonly number[]
}
