import type { ElementType, FloatArray } from '../core/tensor.ts'
import type { PayloadField } from './payload.ts'

/** Writes `count` elements, stored in `bytes` as raw data is, to `target` from `start` on. */
export type Decode = (bytes: Uint8Array, count: number, target: FloatArray, start: number) => void

/** How the format stores one element type. */
export interface ElementStorage {
  /** TensorProto.DataType. */
  readonly code: number
  /** Bits of a stored element; 0 for strings. */
  readonly bits: number
  /** The field that may hold elements of this type instead of raw data. */
  readonly field: PayloadField
  /** Numbers of an element in a decoded tensor: 2 for complex types, 0 for strings. */
  readonly components: 0 | 1 | 2
  /** The array that holds every value of the type exactly, 64-bit integers excepted. */
  readonly array: typeof Float32Array | typeof Float64Array
  readonly decode: Decode
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Whole-byte elements through a DataView, which does not care for alignment. */
function viewed(width: number, read: (view: DataView, offset: number) => number): Decode {
  return (bytes, count, target, start) => {
    const view = viewOf(bytes)
    for (let index = 0; index < count; index++) target[start + index] = read(view, index * width)
  }
}

/** Elements of at most 16 bits by a table of all their values, made on first use. */
function tabulated(bits: 2 | 4 | 8 | 16, toValue: (pattern: number) => number): Decode {
  let table: Float32Array | null = null
  const perByte = 8 / bits
  const mask = 2 ** bits - 1
  return (bytes, count, target, start) => {
    table ??= Float32Array.from({ length: 2 ** bits }, (_, pattern) => toValue(pattern))
    if (bits === 16) {
      for (let index = 0; index < count; index++) {
        target[start + index] = table[bytes[2 * index] | (bytes[2 * index + 1] << 8)]
      }
    } else if (bits === 8) {
      for (let index = 0; index < count; index++) target[start + index] = table[bytes[index]]
    } else {
      // The first element of a byte stands in its lowest bits.
      for (let index = 0; index < count; index++) {
        const shift = (index % perByte) * bits
        target[start + index] = table[(bytes[Math.floor(index / perByte)] >> shift) & mask]
      }
    }
  }
}

const signed = (bits: number) => (pattern: number) =>
  pattern >= 2 ** (bits - 1) ? pattern - 2 ** bits : pattern

/**
 * Value of a small binary float: sign, exponent, mantissa from the highest bit down; subnormal at exponent 0.
 * `specials` says what the reserved patterns are: as in IEEE 754 (largest exponent: infinities and NaN), 'fn' (NaN where
 * exponent and mantissa are all ones, no infinities), 'fnuz' (the pattern of minus zero is the only NaN), or none.
 */
function smallFloat(
  exponentBits: number,
  mantissaBits: number,
  bias: number,
  specials: 'ieee' | 'fn' | 'fnuz' | 'none',
): (pattern: number) => number {
  const mantissas = 2 ** mantissaBits
  const topExponent = 2 ** exponentBits - 1
  return (pattern) => {
    const negative = pattern >= 2 ** (exponentBits + mantissaBits)
    const exponent = Math.floor(pattern / mantissas) % (topExponent + 1)
    const mantissa = pattern % mantissas
    if (specials === 'ieee' && exponent === topExponent) {
      if (mantissa !== 0) return Number.NaN
      return negative ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
    }
    if (specials === 'fn' && exponent === topExponent && mantissa === mantissas - 1) return Number.NaN
    if (specials === 'fnuz' && negative && exponent === 0 && mantissa === 0) return Number.NaN
    const magnitude =
      exponent === 0
        ? mantissa * 2 ** (1 - bias - mantissaBits)
        : (mantissas + mantissa) * 2 ** (exponent - bias - mantissaBits)
    return negative ? -magnitude : magnitude
  }
}

const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1
const float32 = viewed(4, (view, offset) => view.getFloat32(offset, true))
const float64 = viewed(8, (view, offset) => view.getFloat64(offset, true))

/** Elements that stand in memory as in the file: one copy of bytes. */
function copied(
  array: typeof Float32Array | typeof Float64Array,
  components: number,
  otherwise: Decode,
): Decode {
  const width = array.BYTES_PER_ELEMENT
  return (bytes, count, target, start) => {
    const numbers = count * components
    if (littleEndian && target instanceof array) {
      new Uint8Array(target.buffer, target.byteOffset + start * components * width, numbers * width).set(
        bytes.subarray(0, numbers * width),
      )
    } else otherwise(bytes, numbers, target, start * components)
  }
}

function bfloat16(bytes: Uint8Array, count: number, target: FloatArray, start: number): void {
  const pattern = new Uint32Array(1)
  const value = new Float32Array(pattern.buffer)
  for (let index = 0; index < count; index++) {
    pattern[0] = (bytes[2 * index] << 16) | (bytes[2 * index + 1] << 24)
    target[start + index] = value[0]
  }
}

const single = Float32Array
const double = Float64Array

/** Types of at most 16 bits: exact in float32, bit patterns in int32_data. */
function narrow(code: number, bits: 2 | 4 | 8 | 16, decode: Decode): ElementStorage {
  return { code, bits, field: 'int32Data', components: 1, array: single, decode }
}

function floating(
  code: number,
  bits: 64 | 32 | 128,
  components: 1 | 2,
  array: typeof single | typeof double,
): ElementStorage {
  const decode = array === single ? copied(single, components, float32) : copied(double, components, float64)
  return { code, bits, field: array === single ? 'floatData' : 'doubleData', components, array, decode }
}

type ViewRead = (view: DataView, offset: number) => number

function wide(code: number, bits: 32 | 64, field: PayloadField, read: ViewRead): ElementStorage {
  return { code, bits, field, components: 1, array: double, decode: viewed(bits / 8, read) }
}

/**
 * Every element type of the format: its code, its storage and its values. Sub-byte types are packed, first element in
 * the lowest bits; int32_data holds their packed bytes, one a number.
 */
export const elementStorage: Readonly<Record<ElementType, ElementStorage>> = {
  float32: floating(1, 32, 1, single),
  float64: floating(11, 64, 1, double),
  complex64: floating(14, 64, 2, single),
  complex128: floating(15, 128, 2, double),
  float16: narrow(10, 16, tabulated(16, smallFloat(5, 10, 15, 'ieee'))),
  bfloat16: narrow(16, 16, bfloat16),
  float8e4m3fn: narrow(17, 8, tabulated(8, smallFloat(4, 3, 7, 'fn'))),
  float8e4m3fnuz: narrow(18, 8, tabulated(8, smallFloat(4, 3, 8, 'fnuz'))),
  float8e5m2: narrow(19, 8, tabulated(8, smallFloat(5, 2, 15, 'ieee'))),
  float8e5m2fnuz: narrow(20, 8, tabulated(8, smallFloat(5, 2, 16, 'fnuz'))),
  float8e8m0: narrow(
    24,
    8,
    tabulated(8, (pattern) => (pattern === 255 ? Number.NaN : 2 ** (pattern - 127))),
  ),
  float4e2m1: narrow(23, 4, tabulated(4, smallFloat(2, 1, 1, 'none'))),
  int2: narrow(26, 2, tabulated(2, signed(2))),
  int4: narrow(22, 4, tabulated(4, signed(4))),
  int8: narrow(3, 8, tabulated(8, signed(8))),
  int16: narrow(
    5,
    16,
    viewed(2, (view, offset) => view.getInt16(offset, true)),
  ),
  uint2: narrow(25, 2, tabulated(2, Number)),
  uint4: narrow(21, 4, tabulated(4, Number)),
  uint8: narrow(2, 8, tabulated(8, Number)),
  uint16: narrow(
    4,
    16,
    viewed(2, (view, offset) => view.getUint16(offset, true)),
  ),
  bool: narrow(
    9,
    8,
    tabulated(8, (pattern) => Number(pattern !== 0)),
  ),
  int32: wide(6, 32, 'int32Data', (view, offset) => view.getInt32(offset, true)),
  uint32: wide(12, 32, 'uint64Data', (view, offset) => view.getUint32(offset, true)),
  int64: wide(
    7,
    64,
    'int64Data',
    (view, offset) => view.getInt32(offset + 4, true) * 2 ** 32 + view.getUint32(offset, true),
  ),
  uint64: wide(
    13,
    64,
    'uint64Data',
    (view, offset) => view.getUint32(offset + 4, true) * 2 ** 32 + view.getUint32(offset, true),
  ),
  string: { code: 8, bits: 0, field: 'stringData', components: 0, array: single, decode: () => {} },
}

const typesByCode = new Map<number, ElementType>(
  Object.entries(elementStorage).map(([type, { code }]) => [code, type as ElementType]),
)

/** The element type of a code of TensorProto.DataType (also TypeProto's elem_type); null for 0 and codes not known. */
export function elementTypeOf(code: number): ElementType | null {
  return typesByCode.get(code) ?? null
}

/** Bytes of `count` elements as raw data: packed without gaps, the last byte padded. */
export function rawBytes(type: ElementType, count: number): number {
  return Math.ceil((count * elementStorage[type].bits) / 8)
}
