import { LipschitzError } from '../core/errors.ts'
import type { ElementType, FloatArray } from '../core/tensor.ts'
import { rounderOf } from '../ops/fold/element.ts'

/** Writes one value, already rounded to the type, as its little-endian bit pattern. */
type Write = (view: DataView, offset: number, value: number) => void

/** Bit pattern of a value of a small binary format with `mantissaBits` and an exponent bias; subnormals at exponent 0. */
function patternOf(value: number, exponentBits: number, mantissaBits: number, bias: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 2 ** (exponentBits + mantissaBits) : 0
  const magnitude = Math.abs(value)
  if (magnitude === 0) return sign
  let exponent = Math.floor(Math.log2(magnitude))
  // the logarithm may be rounded to the next whole number
  if (2 ** exponent > magnitude) exponent--
  else if (2 ** (exponent + 1) <= magnitude) exponent++
  const least = 1 - bias
  if (exponent < least) return sign + magnitude / 2 ** (least - mantissaBits)
  const mantissa = (magnitude / 2 ** exponent - 1) * 2 ** mantissaBits
  return sign + (exponent + bias) * 2 ** mantissaBits + mantissa
}

const half: Write = (view, offset, value) => view.setUint16(offset, patternOf(value, 5, 10, 15), true)
const brain: Write = (view, offset, value) => view.setUint16(offset, patternOf(value, 8, 7, 127), true)

/** The types that weights and scales are written in: bytes of an element, and how they come to be. */
const writers: Partial<Record<ElementType, { readonly bytes: 2 | 4 | 8; readonly write: Write }>> = {
  float64: { bytes: 8, write: (view, offset, value) => view.setFloat64(offset, value, true) },
  float32: { bytes: 4, write: (view, offset, value) => view.setFloat32(offset, value, true) },
  float16: { bytes: 2, write: half },
  bfloat16: { bytes: 2, write: brain },
}

/** Whether elements of the type can be written; others (integers, floats of eight bits or fewer) are not scaled. */
export function isWritable(type: ElementType): boolean {
  return type in writers
}

/**
 * The values rounded to nearest, ties to even, as raw data of the type holds them. The type must be writable.
 * @throws LipschitzError unsupported where a value is too large for the type
 */
export function encodeElements(type: ElementType, values: FloatArray): Uint8Array {
  const writer = writers[type]
  if (writer === undefined) throw new RangeError(`elements of type ${type} are not written`)
  const round = rounderOf(type)
  const bytes = new Uint8Array(values.length * writer.bytes)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < values.length; i++) {
    const value = type === 'float32' ? Math.fround(values[i]) : round(values[i])
    if (!Number.isFinite(value)) {
      throw new LipschitzError('unsupported', `the new value ${values[i]} is beyond the range of ${type}`)
    }
    writer.write(view, i * writer.bytes, value)
  }
  return bytes
}
