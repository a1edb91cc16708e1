import { Buffer } from 'node:buffer'
import protobuf from 'protobufjs/minimal.js'
import { beyondLimit } from '../core/limits.ts'
import { type ModelProto, onnx } from './generated/onnx.js'
import type { WireCursor } from './wire-cursor.ts'

/** Lengths of nested messages are written as varints of this many bytes, filled in once they are known. */
const lengthBytes = 4

/** Collects the bytes of a model without its tensor data. */
export class SkeletonWriter {
  bytes = Buffer.allocUnsafe(1 << 14)
  length = 0
  private readonly limit: number

  constructor(limit: number) {
    this.limit = Math.min(limit, 2 ** (7 * lengthBytes) - 1)
  }

  private reserve(count: number): void {
    const wanted = this.length + count
    if (wanted <= this.bytes.length) return
    if (wanted > this.limit) {
      throw beyondLimit(
        'skeletonBytes',
        `its structure without tensor data takes more than ${this.limit} bytes`,
      )
    }
    const grown = Buffer.allocUnsafe(Math.max(wanted, 2 * this.bytes.length))
    this.bytes.copy(grown, 0, 0, this.length)
    this.bytes = grown
  }

  varint(value: number): void {
    this.reserve(10)
    let rest = value
    while (rest >= 128) {
      this.bytes[this.length++] = (rest % 128) | 128
      rest = Math.floor(rest / 128)
    }
    this.bytes[this.length++] = rest
  }

  /** Copies the cursor's next `count` bytes, which are in its window. */
  copy(cursor: WireCursor, count: number): void {
    this.reserve(count)
    if (count > 16) cursor.window.copy(this.bytes, this.length, cursor.at, cursor.at + count)
    else
      for (let index = 0; index < count; index++)
        this.bytes[this.length + index] = cursor.window[cursor.at + index]
    this.length += count
  }

  /** Opens a nested message; returns the place of its length. */
  open(): number {
    this.reserve(lengthBytes)
    this.length += lengthBytes
    return this.length - lengthBytes
  }

  /** Closes the nested message whose length stands at `place`. */
  close(place: number): void {
    const length = this.length - place - lengthBytes
    for (let index = 0; index < lengthBytes; index++) {
      this.bytes[place + index] = ((length >>> (7 * index)) & 127) | (index < lengthBytes - 1 ? 128 : 0)
    }
  }
}

/** Reads a 64-bit integer as the nearest number; nothing in a model needs more than 53 bits of one exactly. */
function readInt64(this: protobuf.Reader): number {
  let low = 0
  let high = 0
  let byte = 128
  for (let shift = 0; byte >= 128; shift += 7) {
    byte = this.buf[this.pos++]
    if (shift < 28) low |= (byte & 127) << shift
    else if (shift > 28) high |= (byte & 127) << (shift - 32)
    else {
      low |= (byte & 15) << 28
      high = (byte >> 4) & 7
    }
  }
  return high * 2 ** 32 + (low >>> 0)
}

/** Decodes the bytes that the scan let through; it has checked all that a decoder could fail on. */
export function decodeSkeleton(skeleton: Buffer): ModelProto {
  return onnx.ModelProto.decode(Object.assign(new protobuf.BufferReader(skeleton), { int64: readInt64 }))
}
