import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { elementStorage } from '../../../src/onnx/element-types.ts'
import { integerRange, isIntegerType, rounderOf, roundHalfEven } from '../../../src/ops/fold/element.ts'

/** All finite values of a narrow type, decoded from its bit patterns: independent of how rounding is done. */
function valuesOf(
  type: 'float16' | 'bfloat16' | 'float8e4m3fn' | 'float8e4m3fnuz' | 'float8e5m2' | 'float8e5m2fnuz',
) {
  const bits = elementStorage[type].bits
  const count = 2 ** bits
  const bytes = new Uint8Array((count * bits) / 8)
  for (let pattern = 0; pattern < count; pattern++) {
    if (bits === 8) bytes[pattern] = pattern
    else new DataView(bytes.buffer).setUint16(2 * pattern, pattern, true)
  }
  const decoded = new Float32Array(count)
  elementStorage[type].decode(bytes, count, decoded, 0)
  return [...new Set(decoded)].filter(Number.isFinite).sort((a, b) => a - b)
}

describe('rounding to narrow floats', () => {
  it.each(['float16', 'bfloat16', 'float8e4m3fn', 'float8e4m3fnuz', 'float8e5m2', 'float8e5m2fnuz'] as const)(
    '%s takes the nearest value',
    (type) => {
      const values = valuesOf(type)
      const round = rounderOf(type)
      const largest = values[values.length - 1]
      for (const value of values) expect(round(value)).toBe(value)
      fc.assert(
        fc.property(fc.nat(values.length - 2), fc.double({ min: 0, max: 1, noNaN: true }), (i, t) => {
          const [below, above] = [values[i], values[i + 1]]
          const x = below + t * (above - below)
          const rounded = round(x)
          const nearest = Math.min(Math.abs(x - below), Math.abs(above - x))
          expect(rounded === below || rounded === above).toBe(true)
          expect(Math.abs(x - rounded)).toBe(nearest)
        }),
      )
      expect(round(largest * 4)).toBe(type.startsWith('float8') ? largest : Number.POSITIVE_INFINITY)
      expect(round(Number.NaN)).toBeNaN()
    },
  )

  it('breaks ties to even', () => {
    expect(rounderOf('bfloat16')(1 + 2 ** -8)).toBe(1)
    expect(rounderOf('bfloat16')(1 + 3 * 2 ** -8)).toBe(1 + 2 ** -6)
    expect([0.5, 1.5, 2.5, 3.5, -1.5, -2.5].map(roundHalfEven)).toEqual([0, 2, 2, 4, -2, -2])
  })
})

describe('rounding to integers', () => {
  const narrow = ['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int4', 'uint4'] as const

  it.each(narrow)('%s wraps as machine arithmetic does', (type) => {
    const round = rounderOf(type)
    const { lowest, highest } = integerRange(type)
    const bits = Math.log2(highest - lowest + 1)
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), (x) => {
        const wrap = lowest < 0 ? BigInt.asIntN : BigInt.asUintN
        expect(round(x)).toBe(Number(wrap(bits, BigInt(x))))
      }),
    )
    expect(round(Number.NaN)).toBeNaN()
    expect(round(1e30)).toBeNaN()
  })

  it('keeps 64-bit integers in range and gives up beyond', () => {
    expect(rounderOf('int64')(2 ** 62)).toBe(2 ** 62)
    expect(rounderOf('int64')(2 ** 65)).toBeNaN()
    expect(rounderOf('uint64')(-1)).toBeNaN()
  })

  it('knows which types are integers', () => {
    expect(isIntegerType('uint2')).toBe(true)
    expect(isIntegerType('bool')).toBe(false)
    expect(isIntegerType('float32')).toBe(false)
  })
})
