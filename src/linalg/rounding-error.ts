/**
 * A-priori rounding errors of float64 (Higham, Accuracy and Stability of Numerical Algorithms, chapters 3 and 10).
 * Everything here rounds up: each result is ≥ the exact expression in its docstring.
 */

/** The unit roundoff 2⁻⁵³ of rounding to nearest. */
export const unitRoundoff = 2 ** -53

/** Sums of nonnegative terms in float64 are exact within this factor when nobody adds more than 2²⁰ of them. */
const OUTWARD = 1 + 2 ** -30

/** γₖ = k·u / (1 − k·u): the relative error that k roundings on the way of one term can make. */
export function gamma(roundings: number): number {
  const total = roundings * unitRoundoff
  return total < 0.5 ? (total / (1 - total)) * OUTWARD : Infinity
}

/** `gamma` for roundings to float32, whose unit roundoff is 2⁻²⁴. */
export function singleGamma(roundings: number): number {
  const total = roundings * 2 ** -24
  return total < 0.5 ? (total / (1 - total)) * OUTWARD : Infinity
}

/** Roundings that one of `terms` products meets in a sum over `lanes` partial sums, joined one after another. */
export function sumDepth(terms: number, lanes = 1): number {
  return Math.ceil(terms / lanes) + lanes
}

/** x·(1 + 2⁻³⁰ · 2⁻²⁰)-style widening: more than any short float64 expression of nonnegative terms loses. */
export function outward(x: number): number {
  return x * (1 + 64 * unitRoundoff)
}

export function inward(x: number): number {
  return x * (1 - 64 * unitRoundoff)
}
