import { gamma, outward } from '../../linalg/rounding-error.ts'

/** A bound of all that the sources of a window put into its targets. */
export interface JointNorm {
  readonly bound: number
  /** 0 for deterministic bounds. */
  readonly failureProbability: number
}

/** √(Σ τₛ bₛ²) for the scales 1/√τₛ, rounded up. */
export function weightOf(sources: readonly { readonly bound: number }[], scales: readonly number[]): number {
  let square = 0
  sources.forEach(({ bound }, s) => {
    square += (bound / scales[s]) ** 2
  })
  return outward(Math.sqrt(square) * (1 + gamma(sources.length + 4)))
}
