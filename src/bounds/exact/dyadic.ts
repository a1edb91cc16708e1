/** Floats are integers times powers of two: sums and products of them in integers are exact. */

const bits = new DataView(new ArrayBuffer(8))

/** A finite float as mantissa · 2^exponent. */
function split(x: number): { mantissa: bigint; exponent: number } {
  bits.setFloat64(0, x)
  const [high, low] = [bits.getUint32(0), bits.getUint32(4)]
  const biased = (high >>> 20) & 0x7ff
  const fraction = (BigInt(high & 0xfffff) << 32n) | BigInt(low)
  const size = biased === 0 ? fraction : fraction | (1n << 52n)
  return { mantissa: x < 0 ? -size : size, exponent: Math.max(biased, 1) - 1075 }
}

/** Several numbers that share a scale: values · 2^−scale. */
export interface Integers {
  readonly values: readonly bigint[]
  readonly scale: number
}

/** Finite floats as integers of the least common scale of at least 0. Throws a `RangeError` for others. */
export function integersOf(numbers: ArrayLike<number>): Integers {
  const parts = Array.from(numbers, (x) => {
    if (!Number.isFinite(x)) throw new RangeError(`${x} is no finite number`)
    let { mantissa, exponent } = split(x)
    if (mantissa === 0n) return { mantissa, exponent: 0 }
    // trailing zeros would make all numbers longer
    while ((mantissa & 0xffffn) === 0n) {
      mantissa >>= 16n
      exponent += 16
    }
    while ((mantissa & 1n) === 0n) {
      mantissa >>= 1n
      exponent++
    }
    return { mantissa, exponent }
  })
  const scale = parts.reduce((most, { exponent }) => Math.max(most, -exponent), 0)
  return { values: parts.map(({ mantissa, exponent }) => mantissa << BigInt(scale + exponent)), scale }
}

/** value · 2^−scale as a float, right to 2⁻⁵² of its size, or 2⁻¹⁰⁷⁴. */
export function toFloat(value: bigint, scale: number): number {
  if (value === 0n) return 0
  const length = value.toString(16).length * 4
  const extra = Math.max(0, length - 80)
  const mantissa = Number(value >> BigInt(extra))
  const exponent = extra - scale
  // in two steps: a power of two alone may be out of range
  const half = Math.trunc(exponent / 2)
  return mantissa * 2 ** half * 2 ** (exponent - half)
}
