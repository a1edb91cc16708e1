/** An exact rational number: what directed rounding is held against. */
export interface Rational {
  readonly numerator: bigint
  /** Positive. */
  readonly denominator: bigint
}

/** The exact value of a finite float64. */
export function rational(x: number): Rational {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, x)
  const bits = view.getBigUint64(0)
  const field = Number((bits >> 52n) & 0x7ffn)
  const fraction = bits & 0xfffffffffffffn
  const significand = field === 0 ? fraction : fraction | (1n << 52n)
  const exponent = (field === 0 ? 1 : field) - 1075
  const signed = bits >> 63n ? -significand : significand
  return scaled(signed, exponent)
}

/** significand · 2^exponent. */
export function scaled(significand: bigint, exponent: number): Rational {
  return exponent >= 0
    ? { numerator: significand << BigInt(exponent), denominator: 1n }
    : { numerator: significand, denominator: 1n << BigInt(-exponent) }
}

export function plus(a: Rational, b: Rational): Rational {
  return {
    numerator: a.numerator * b.denominator + b.numerator * a.denominator,
    denominator: a.denominator * b.denominator,
  }
}

export function times(a: Rational, b: Rational): Rational {
  return { numerator: a.numerator * b.numerator, denominator: a.denominator * b.denominator }
}

export function over(a: Rational, b: Rational): Rational {
  const sign = b.numerator < 0n ? -1n : 1n
  return { numerator: a.numerator * b.denominator * sign, denominator: a.denominator * b.numerator * sign }
}

/** −1, 0 or 1. */
export function order(a: Rational, b: Rational): number {
  const difference = a.numerator * b.denominator - b.numerator * a.denominator
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}
