import { LipschitzError } from './errors.ts'

/** `deterministic` holds given IEEE arithmetic, rounding accounted for; `probabilistic` except with the stated probability. */
export type Certificate = 'deterministic' | 'probabilistic'

/**
 * A proven two-sided bound: lower ≤ true value ≤ upper, except with probability `failureProbability` over the
 * seeded random start (0 for deterministic certificates). Estimates have another type and never become one.
 */
export interface Enclosure {
  readonly lower: number
  readonly upper: number
  readonly method: string
  readonly certificate: Certificate
  readonly failureProbability: number
}

/**
 * Two bounds that are proven without exception. Throws `internal` where they contradict each other: then one of the
 * proofs is wrong, and neither may be shown.
 */
export function deterministic(lower: number, upper: number, method: string): Enclosure {
  if (!(lower <= upper))
    throw new LipschitzError(
      'internal',
      `the bounds ${lower} and ${upper} (${method}) of a norm contradict each other`,
    )
  return { lower, upper, method, certificate: 'deterministic', failureProbability: 0 }
}

/** An exact value that was computed with a relative error of at most `relativeError`, widened by it. */
export function exactly(value: number, method: string, relativeError = 0): Enclosure {
  return {
    lower: value * (1 - relativeError),
    upper: value * (1 + relativeError),
    method,
    certificate: 'deterministic',
    failureProbability: 0,
  }
}

/** Relative width (upper − lower) / upper; 0 for the zero operator. */
export function relativeWidth(enclosure: Enclosure): number {
  return enclosure.upper === 0 ? 0 : (enclosure.upper - enclosure.lower) / enclosure.upper
}

/** Encloses the larger of two values; both proofs must hold, so their failure probabilities add up. */
export function joinMaximum(a: Enclosure, b: Enclosure): Enclosure {
  const winner = b.upper > a.upper ? b : a
  const failureProbability = a.failureProbability + b.failureProbability
  return {
    lower: Math.max(a.lower, b.lower),
    upper: winner.upper,
    method: winner.method,
    certificate: failureProbability > 0 ? 'probabilistic' : 'deterministic',
    failureProbability,
  }
}
