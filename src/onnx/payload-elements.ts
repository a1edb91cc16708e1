import { LipschitzError } from '../core/errors.ts'
import type { Payload, PayloadField, PayloadPiece } from './payload.ts'
import type { StoredFile } from './stored-file.ts'

/** Wire width of one value of a field; 0 for varints. */
const widths: Readonly<Record<PayloadField, number>> = {
  rawData: 1,
  floatData: 4,
  doubleData: 8,
  int32Data: 0,
  int64Data: 0,
  uint64Data: 0,
  stringData: 0,
}

/** The value of the varint that ends before `end`, as two words of 32 bits; a varint has at most ten bytes. */
function varintWords(bytes: Uint8Array, start: number, end: number, words: Uint32Array): void {
  let low = 0
  let high = 0
  for (let index = start, shift = 0; index < end; index++, shift += 7) {
    const bits = bytes[index] & 127
    if (shift < 28) low |= bits << shift
    else if (shift > 28) high |= bits << (shift - 32)
    else {
      low |= (bits & 15) << 28
      high = bits >> 4
    }
  }
  words[0] = low
  words[1] = high
}

function varintEnd(bytes: Uint8Array, start: number): number {
  let end = start
  while (bytes[end] >= 128) end++
  return end + 1
}

/**
 * Whether a value of an integer field is a bit pattern of `bits` bits: from the least signed to the largest unsigned
 * number of that width. Runtimes cut off what is beyond; here it is an error.
 */
function fits(low: number, high: number, bits: number): boolean {
  if (bits >= 64) return true
  const negative = high === 0xffffffff && low >= 2 ** 32 - 2 ** (bits - 1)
  return negative || (high === 0 && low < 2 ** bits)
}

/** Appends the values of one piece, `bytes`, to `target` at `position` as little-endian raw data; returns the new end. */
function append(
  piece: PayloadPiece,
  bytes: Uint8Array,
  target: Uint8Array,
  position: number,
  bits: number,
): number {
  const width = widths[piece.field]
  if (piece.bare && width > 0) {
    target.set(bytes, position)
    return position + bytes.length
  }
  const words = new Uint32Array(2)
  let at = 0
  let end = position
  while (at < bytes.length) {
    if (!piece.bare) at = varintEnd(bytes, at)
    if (width > 0) {
      target.set(bytes.subarray(at, at + width), end)
      at += width
      end += width
      continue
    }
    const stop = varintEnd(bytes, at)
    varintWords(bytes, at, stop, words)
    // A negative 32-bit number may be written in five bytes, without its sign extended.
    if (piece.field === 'int32Data') words[1] = words[0] >= 2 ** 31 ? 0xffffffff : 0
    if (!fits(words[0], words[1], bits)) {
      throw new LipschitzError('malformed', `a value in ${piece.field} does not fit into ${bits} bits`)
    }
    for (let byte = 0; byte < bits / 8; byte++) target[end++] = words[byte >> 2] >>> (8 * (byte & 3))
    at = stop
  }
  return end
}

/**
 * The elements of a payload as raw data is: little-endian, sub-byte types packed.
 * @param bits width of a value of the field in raw data: that of an element, but 8 for packed types
 */
export function payloadBytes(payload: Payload, file: StoredFile, length: number, bits: number): Uint8Array {
  const target = new Uint8Array(length)
  file.use(({ read }) => {
    let end = 0
    for (const piece of payload) {
      const bytes = new Uint8Array(piece.length)
      read(bytes, piece.offset)
      end = append(piece, bytes, target, end, bits)
    }
  })
  return target
}
