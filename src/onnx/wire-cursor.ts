import { readSync } from 'node:fs'
import { LipschitzError } from '../core/errors.ts'

const windowBytes = 1 << 18

/** An error of the wire format at the byte where the scan stands. */
export function malformed(what: string): LipschitzError {
  return new LipschitzError('malformed', what)
}

/**
 * Reads protobuf's wire format from a file through a window of fixed size, forward only. `end` is the end of the
 * message at hand: nothing is read past it. What is stepped over is not read at all.
 */
export class WireCursor {
  /** File offset of the end of the message at hand. */
  end: number
  /** The window; the next byte is `window[at]`, once `need` has been asked for it. */
  readonly window: Buffer
  at = 0
  private readonly descriptor: number
  private readonly size: number
  /** File offset of window[0], and how many bytes of the window are filled. */
  private base = 0
  private filled = 0

  constructor(descriptor: number, size: number) {
    this.descriptor = descriptor
    this.size = size
    this.end = size
    this.window = Buffer.allocUnsafe(Math.min(size, windowBytes))
  }

  /** File offset of the next byte. */
  get offset(): number {
    return this.base + this.at
  }

  /** Makes sure that the next `count` bytes (at most the window's size) belong to the message and are in the window. */
  need(count: number): void {
    if (this.offset + count > this.end) throw this.truncated()
    if (this.at + count > this.filled) this.fill()
  }

  /** Fills the window from the next byte on. */
  private fill(): void {
    const kept = Math.max(0, this.filled - this.at)
    this.base = this.offset
    if (kept > 0) this.window.copyWithin(0, this.at, this.filled)
    this.at = 0
    this.filled = kept
    while (this.filled < this.window.length && this.base + this.filled < this.size) {
      const from = this.base + this.filled
      const count = readSync(
        this.descriptor,
        this.window,
        this.filled,
        this.window.length - this.filled,
        from,
      )
      if (count === 0) throw new LipschitzError('unreadable', 'the file ended while it was being read')
      this.filled += count
    }
  }

  /** Steps over `count` bytes of the message. */
  skip(count: number): void {
    if (this.offset + count > this.end) throw this.truncated()
    this.at += count
  }

  /** The next `count` bytes piece by piece, each in `window` from `at` on; the callback gets their number. */
  pieces(count: number, use: (length: number) => void): void {
    if (this.offset + count > this.end) throw this.truncated()
    let left = count
    while (left > 0) {
      this.need(1)
      const length = Math.min(left, this.filled - this.at)
      use(length)
      this.at += length
      left -= length
    }
  }

  /** Steps over a varint and returns how many bytes it has: at most 10, its value below 2^64. */
  varintLength(): number {
    let count = 0
    for (;;) {
      if (this.at + count >= this.filled || this.offset + count >= this.end) this.need(count + 1)
      const byte = this.window[this.at + count]
      count++
      if (count === 10 && byte > 1) throw malformed('a varint of more than 64 bits')
      if (byte < 128) break
    }
    this.at += count
    return count
  }

  /** The next varint as a number: exact below 2^53, which is far beyond every length that can be right. */
  varint(): number {
    this.need(1)
    const first = this.window[this.at]
    if (first < 128) {
      this.at++
      return first
    }
    const count = this.varintLength()
    let value = 0
    for (let index = this.at - 1; index >= this.at - count; index--)
      value = value * 128 + (this.window[index] & 127)
    return value
  }

  private truncated(): LipschitzError {
    return this.end === this.size
      ? malformed('the file ends in the middle of a value: it is cut short or damaged')
      : malformed('a value runs past the end of the message that it stands in')
  }
}
