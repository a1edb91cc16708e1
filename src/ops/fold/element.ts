import type { ElementType } from '../../core/tensor.ts'

/** A binary floating-point format: p significant bits, smallest normal exponent, largest finite value. */
interface FloatFormat {
  readonly precision: number
  readonly minExponent: number
  readonly largest: number
  /** What a value beyond the largest becomes. */
  readonly overflow: 'infinity' | 'saturate'
}

const floatFormats = {
  float16: { precision: 11, minExponent: -14, largest: 65504, overflow: 'infinity' },
  bfloat16: { precision: 8, minExponent: -126, largest: 3.3895313892515355e38, overflow: 'infinity' },
  float8e4m3fn: { precision: 4, minExponent: -6, largest: 448, overflow: 'saturate' },
  float8e4m3fnuz: { precision: 4, minExponent: -7, largest: 240, overflow: 'saturate' },
  float8e5m2: { precision: 3, minExponent: -14, largest: 57344, overflow: 'saturate' },
  float8e5m2fnuz: { precision: 3, minExponent: -15, largest: 57344, overflow: 'saturate' },
  float8e8m0: { precision: 1, minExponent: -127, largest: 2 ** 127, overflow: 'saturate' },
  float4e2m1: { precision: 2, minExponent: 0, largest: 6, overflow: 'saturate' },
} as const satisfies Partial<Record<ElementType, FloatFormat>>

/** Bits and sign of the integer types. */
const integerFormats = {
  int2: { bits: 2, signed: true },
  uint2: { bits: 2, signed: false },
  int4: { bits: 4, signed: true },
  uint4: { bits: 4, signed: false },
  int8: { bits: 8, signed: true },
  uint8: { bits: 8, signed: false },
  int16: { bits: 16, signed: true },
  uint16: { bits: 16, signed: false },
  int32: { bits: 32, signed: true },
  uint32: { bits: 32, signed: false },
  int64: { bits: 64, signed: true },
  uint64: { bits: 64, signed: false },
} as const satisfies Partial<Record<ElementType, { bits: number; signed: boolean }>>

export function isIntegerType(type: ElementType): type is keyof typeof integerFormats {
  return type in integerFormats
}

/** Smallest and largest value of an integer type. */
export function integerRange(type: keyof typeof integerFormats): { lowest: number; highest: number } {
  const { bits, signed } = integerFormats[type]
  return signed
    ? { lowest: -(2 ** (bits - 1)), highest: 2 ** (bits - 1) - 1 }
    : { lowest: 0, highest: 2 ** bits - 1 }
}

const scratch = new Float64Array(1)
const scratchWords = new Uint32Array(scratch.buffer)

/** The word that holds a float64's exponent: machines store the low word first, or last. */
const highWord = new Uint32Array(Float64Array.of(1).buffer)[1] === 0 ? 0 : 1

/**
 * Rounds to the nearest value of a binary format, ties to even; beyond the largest finite value as the format
 * says. Adding and subtracting 1.5·2^52 units of the format's last place makes float64 addition do the rounding.
 */
function roundToFormat(x: number, format: FloatFormat): number {
  const magnitude = Math.abs(x)
  if (x === 0 || Number.isNaN(x)) return x
  let rounded = magnitude
  if (magnitude <= 2 * format.largest) {
    scratch[0] = magnitude
    const exponent = Math.max((scratchWords[highWord] >>> 20) - 1023, format.minExponent)
    scratchWords[highWord] = ((exponent - format.precision + 53 + 1023) << 20) | 0x80000
    scratchWords[1 - highWord] = 0
    rounded = magnitude + scratch[0] - scratch[0]
  }
  if (rounded > format.largest)
    rounded = format.overflow === 'infinity' ? Number.POSITIVE_INFINITY : format.largest
  return x < 0 ? -rounded : rounded
}

/** The nearest integer, ties to even. */
export function roundHalfEven(x: number): number {
  if (Math.abs(x) >= 2 ** 52) return x
  const floor = Math.floor(x)
  const rest = x - floor
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1
  return floor % 2 === 0 ? floor : floor + 1
}

/**
 * How a computed real number becomes an element of each type. Floats round to nearest (float32 by its
 * array). Integers drop the
 * fraction and wrap modulo 2^bits as machine arithmetic does; beyond ±2^63 the result is unknown (NaN).
 */
export function rounderOf(type: ElementType): (x: number) => number {
  if (type in floatFormats) {
    const format = floatFormats[type as keyof typeof floatFormats]
    return (x) => roundToFormat(x, format)
  }
  if (!isIntegerType(type)) return (x) => x
  const { bits, signed } = integerFormats[type]
  if (bits === 64) {
    const { lowest, highest } = integerRange(type)
    return (x) => (x >= lowest && x <= highest ? Math.trunc(x) : Number.NaN)
  }
  const modulus = 2 ** bits
  const half = signed ? modulus / 2 : modulus
  return (x) => {
    const whole = Math.trunc(x)
    if (whole >= half - modulus && whole < half) return whole + 0
    if (!(Math.abs(whole) <= 2 ** 53)) return Number.NaN
    const wrapped = ((whole % modulus) + modulus) % modulus
    return wrapped >= half ? wrapped - modulus : wrapped
  }
}
