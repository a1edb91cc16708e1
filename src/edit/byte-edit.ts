import { LipschitzError } from '../core/errors.ts'
import type { Payload, PayloadPiece } from '../onnx/payload.ts'
import type { StoredFile } from '../onnx/stored-file.ts'

/** Bytes of a file that others take the place of; `removed` and the length of `bytes` are equal but for names. */
export interface ByteEdit {
  readonly offset: number
  readonly removed: number
  readonly bytes: Uint8Array
}

/** Bytes of one value of the fields that hold values of fixed width. */
const fixedWidths: Readonly<Record<string, number>> = { rawData: 1, floatData: 4, doubleData: 8 }

/**
 * The edits that put new elements into the pieces of a payload, whose lengths all stay as they are. A number of
 * variable length is padded to the bytes that it had, which the wire format allows.
 * @param raw the new elements as raw data has them
 * @param width bytes of one element in `raw`
 * @throws LipschitzError unsupported where a number of variable length needs more bytes than it had
 */
export function payloadEdits(
  payload: Payload,
  file: StoredFile,
  raw: Uint8Array,
  width: number,
): readonly ByteEdit[] {
  const edits: ByteEdit[] = []
  let taken = 0
  for (const piece of payload) {
    const width0 = fixedWidths[piece.field]
    const length = width0 === undefined ? piece.entries * width : piece.entries * width0
    const own = raw.subarray(taken, taken + length)
    taken += length
    if (piece.bare && width0 !== undefined) edits.push(whole(piece, own))
    else edits.push(whole(piece, rewritten(piece, bytesOf(piece, file), own, width0 ?? width)))
  }
  return edits
}

function whole({ offset, length }: PayloadPiece, bytes: Uint8Array): ByteEdit {
  return { offset, removed: length, bytes }
}

function bytesOf({ offset, length }: PayloadPiece, file: StoredFile): Uint8Array {
  const bytes = new Uint8Array(length)
  file.use(({ read }) => read(bytes, offset))
  return bytes
}

/** The bytes of a piece that has values behind tags, or of variable length, with other values in them. */
function rewritten(piece: PayloadPiece, old: Uint8Array, values: Uint8Array, width: number): Uint8Array {
  const bytes = old.slice()
  const isVarint = fixedWidths[piece.field] === undefined
  let at = 0
  for (let value = 0; value < values.length; value += width) {
    if (!piece.bare) at = varintEnd(bytes, at)
    if (isVarint) {
      const end = varintEnd(bytes, at)
      writeVarint(bytes, at, end, values.subarray(value, value + width))
      at = end
    } else {
      bytes.set(values.subarray(value, value + width), at)
      at += width
    }
  }
  return bytes
}

function varintEnd(bytes: Uint8Array, start: number): number {
  let end = start
  while (bytes[end] >= 128) end++
  return end + 1
}

function writeVarint(bytes: Uint8Array, start: number, end: number, value: Uint8Array): void {
  let rest = value.reduceRight((sum, byte) => sum * 256 + byte, 0)
  for (let at = start; at < end; at++) {
    bytes[at] = (rest % 128) | (at < end - 1 ? 128 : 0)
    rest = Math.floor(rest / 128)
  }
  if (rest > 0) {
    throw new LipschitzError('unsupported', 'a new value takes more bytes than the old one had', {
      hint: 'store the tensor as raw data',
    })
  }
}
