import { addUp, divUp, mulUp, nextUp, sqrtUp } from './rounding.ts'

/**
 * A nonnegative number m·2^e with 1 ≤ m < 2 (or 0, or Infinity), far beyond the range of float64: products of
 * thousands of norms neither overflow nor underflow. Every operation rounds up, so a chain of them keeps its
 * direction: the result is ≥ the exact result of the operands, and exact where it is representable.
 */
export interface Magnitude {
  readonly m: number
  readonly e: number
}

export const zero: Magnitude = { m: 0, e: 0 }
export const one: Magnitude = { m: 1, e: 0 }
export const infinite: Magnitude = { m: Infinity, e: 0 }

const view = new DataView(new ArrayBuffer(8))

/** m·2^e for any m ≥ 0, brought to 1 ≤ m < 2; exact. */
function normalize(m: number, e: number): Magnitude {
  if (m === 0) return zero
  if (m === Infinity) return infinite
  if (m >= 1 && m < 2) return { m, e }
  let shift = 0
  if (m < 2 ** -1022) {
    m *= 2 ** 54
    shift = -54
  }
  view.setFloat64(0, m)
  const exponent = ((view.getUint16(0) >> 4) & 0x7ff) - 1023
  view.setUint16(0, (view.getUint16(0) & 0x800f) | 0x3ff0)
  return { m: view.getFloat64(0), e: e + exponent + shift }
}

/** From a nonnegative float64; NaN and negative numbers are bugs of the caller. */
export function magnitude(x: number): Magnitude {
  if (!(x >= 0)) throw new RangeError(`a magnitude is nonnegative, not ${x}`)
  return normalize(x, 0)
}

export function isZero(a: Magnitude): boolean {
  return a.m === 0
}

export function isBounded(a: Magnitude): boolean {
  return a.m !== Infinity
}

/** −1, 0 or 1. */
export function compare(a: Magnitude, b: Magnitude): number {
  if (a.m === b.m && (a.e === b.e || a.m === 0 || a.m === Infinity)) return 0
  if (a.m === 0 || b.m === Infinity) return -1
  if (b.m === 0 || a.m === Infinity) return 1
  return a.e !== b.e ? Math.sign(a.e - b.e) : Math.sign(a.m - b.m)
}

export function maximum(a: Magnitude, b: Magnitude): Magnitude {
  return compare(a, b) >= 0 ? a : b
}

export function minimum(a: Magnitude, b: Magnitude): Magnitude {
  return compare(a, b) <= 0 ? a : b
}

/** 0·∞ = 0: an operand that does not vary stays so behind an operator without a bound. */
export function multiply(a: Magnitude, b: Magnitude): Magnitude {
  if (a.m === 0 || b.m === 0) return zero
  return normalize(mulUp(a.m, b.m), a.e + b.e)
}

/** a / b for b > 0; a / 0 is infinite unless a is 0. */
export function divide(a: Magnitude, b: Magnitude): Magnitude {
  if (a.m === 0) return zero
  if (b.m === 0 || a.m === Infinity) return infinite
  if (b.m === Infinity) return zero
  return normalize(divUp(a.m, b.m), a.e - b.e)
}

export function add(a: Magnitude, b: Magnitude): Magnitude {
  if (a.m === 0) return b
  if (b.m === 0) return a
  if (a.m === Infinity || b.m === Infinity) return infinite
  const [large, small] = a.e >= b.e ? [a, b] : [b, a]
  const gap = large.e - small.e
  if (gap > 1000) return normalize(nextUp(large.m), large.e)
  return normalize(addUp(large.m, small.m * 2 ** -gap), large.e)
}

export function squareRoot(a: Magnitude): Magnitude {
  if (a.m === 0 || a.m === Infinity) return a
  const odd = a.e % 2 !== 0
  return normalize(sqrtUp(odd ? a.m * 2 : a.m), (odd ? a.e - 1 : a.e) / 2)
}

/** √(Σ aᵢ²). */
export function rootSumSquare(terms: readonly Magnitude[]): Magnitude {
  const nonzero = terms.filter((term) => term.m !== 0)
  if (nonzero.length === 0) return zero
  if (nonzero.length === 1) return nonzero[0]
  return squareRoot(nonzero.map((term) => multiply(term, term)).reduce(add))
}

/** The value as a float64, Infinity beyond its range; rounded up where it underflows. */
export function toNumber(a: Magnitude): number {
  if (a.m === 0 || a.m === Infinity) return a.m
  if (a.e > 1023) return Infinity
  if (a.e >= -1022) return a.m * 2 ** a.e
  return a.e < -1080 ? Number.MIN_VALUE : nextUp(a.m * 2 ** -500 * 2 ** (a.e + 500))
}

/** log₁₀ of the value, to nearest: for display, not for proofs. */
export function log10(a: Magnitude): number {
  if (a.m === 0) return -Infinity
  return Math.log10(a.m) + a.e * Math.LOG10E * Math.LN2
}

/** Natural logarithm of the value, to nearest: for ranking and display, not for proofs. */
export function log(a: Magnitude): number {
  if (a.m === 0) return -Infinity
  return Math.log(a.m) + a.e * Math.LN2
}

/** a / b as a float64, to nearest, for finite a and b > 0: for sensitivities, not for proofs. */
export function ratio(a: Magnitude, b: Magnitude): number {
  const gap = a.e - b.e
  if (a.m === 0) return 0
  return gap > 1000 ? Infinity : gap < -1000 ? 0 : (a.m / b.m) * 2 ** gap
}
