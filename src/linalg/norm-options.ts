import type { Certificate } from '../core/enclosure.ts'

/** How one operator norm is to be enclosed. */
export interface NormOptions {
  /** Largest accepted relative width (upper − lower) / upper. Enclosures are tighter where that is cheap. */
  readonly tolerance: number
  /** `deterministic` forbids certificates that hold only with a probability. */
  readonly certify: Certificate
  /** Seed of this operator's random start; equal seeds and equal weights give equal bytes. */
  readonly seed: number
  /** Probability with which this one enclosure may fail (its share of what the whole model may spend). */
  readonly failureProbability: number
}
