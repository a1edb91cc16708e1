import { isUtf8 } from 'node:buffer'
import { LipschitzError } from '../core/errors.ts'
import { beyondLimit, type Limits } from '../core/limits.ts'
import { type Field, type MessageKind, type MessageName, messageKind } from './fields.ts'
import type { Payload, PayloadField } from './payload.ts'
import { SkeletonWriter } from './skeleton.ts'
import { malformed, WireCursor } from './wire-cursor.ts'

/** What stands in the bytes of a model, as far as that can be said without decoding it. */
export interface Scan {
  /** The model's bytes without tensor data and documentation. */
  readonly skeleton: Buffer
  /** Tensor data; TensorProto.payload counts from one. */
  readonly payloads: readonly Payload[]
  /** Fields that the schema does not have, as `Message.number`, and how often they occur. */
  readonly unknownFields: ReadonlyMap<string, number>
  /** Names of the fields that the outermost message has. */
  readonly fields: ReadonlySet<string>
}

/** Field number of TensorProto.payload, our own. */
const payloadTag = 536870911 * 8

/** Only so many names of unknown fields are kept; each may be one of 2^29. */
const unknownNames = 50

interface Frame {
  kind: MessageKind
  end: number
  /** The name of the field that the message stands in. */
  field: string
  /** Place of the message's length in the skeleton; -1 for the outermost message, which has none. */
  place: number
  /** Bits of the singular fields that have been seen. */
  seen: number
  payload: Payload | null
}

const fixedWidths: Readonly<Partial<Record<number, number>>> = { 1: 8, 5: 4 }

/** Kinds of messages with a limit of their own. */
const kindLimits: Partial<Record<MessageName, Budget>> = {
  FunctionProto: 'functions',
  NodeProto: 'nodes',
  TensorProto: 'tensors',
}

type Budget = 'messages' | 'functions' | 'nodes' | 'tensors' | 'strings' | 'numbers'

/**
 * One pass over the wire format of a whole file, from the first byte to the last, iterative, in memory that does not
 * depend on the tensor data. It finds that data and proves that the rest can be decoded in one way only: every varint,
 * tag, length and nesting is right, text is UTF-8, no singular field occurs twice (decoders disagree on whether the
 * later one replaces the earlier or is merged with it), every known field has its type, and every limit holds.
 */
class WireScanner {
  private readonly cursor: WireCursor
  private readonly limits: Limits
  private readonly skeleton: SkeletonWriter
  private readonly payloads: Payload[] = []
  private readonly unknownFields = new Map<string, number>()
  private readonly fields = new Set<string>()
  private readonly frames: Frame[] = []
  private frame: Frame
  private readonly spent: Record<Budget, number> = {
    messages: 0,
    functions: 0,
    nodes: 0,
    tensors: 0,
    strings: 0,
    numbers: 0,
  }

  constructor(descriptor: number, bytes: number, limits: Limits, kind: MessageKind) {
    this.cursor = new WireCursor(descriptor, bytes)
    this.limits = limits
    this.skeleton = new SkeletonWriter(limits.skeletonBytes)
    this.frame = { kind, end: bytes, field: kind.name, place: -1, seen: 0, payload: null }
    this.frames.push(this.frame)
  }

  scan(): Scan {
    try {
      return this.records()
    } catch (error) {
      if (!(error instanceof LipschitzError)) throw error
      const nesting = this.frames.map((frame) => frame.field).join('.')
      throw new LipschitzError(
        error.code,
        `at byte ${this.cursor.offset}: ${error.message}, in ${nesting}`,
        error.facts,
      )
    }
  }

  /** All records of the file. */
  private records(): Scan {
    const { cursor } = this
    for (;;) {
      while (cursor.offset === this.frame.end) {
        if (this.frames.length === 1) {
          const skeleton = this.skeleton.bytes.subarray(0, this.skeleton.length)
          return { skeleton, payloads: this.payloads, unknownFields: this.unknownFields, fields: this.fields }
        }
        this.leave()
      }
      this.record()
    }
  }

  /** One record of the message at hand: the tag and the value of a field. */
  private record(): void {
    const { cursor, frame } = this
    const start = cursor.offset
    const tag = cursor.varint()
    if (tag >= 2 ** 32 || cursor.offset - start > 5) throw malformed('a tag of more than 32 bits')
    const number = Math.floor(tag / 8)
    const wire = tag % 8
    if (number === 0) throw malformed('field number 0')
    const field = frame.kind.fields[number]
    if (field === undefined) {
      this.noteUnknown(`${frame.kind.name}.${number}`)
      this.skipValue(wire)
      return
    }
    if (this.frames.length === 1) this.fields.add(field.name)
    if (field.bit !== 0) {
      if ((frame.seen & field.bit) !== 0) throw malformed(`a second ${field.oneof ?? field.name}`)
      frame.seen |= field.bit
    }
    const isPacked = wire === 2 && field.wire !== 2 && field.repeated
    if (wire !== field.wire && !isPacked) {
      throw malformed(`${field.name} has wire type ${wire}, not ${field.wire}`)
    }
    this.value(field, start, tag, wire, isPacked)
  }

  private value(field: Field, start: number, tag: number, wire: number, isPacked: boolean): void {
    if (field.content === 'unread') this.skipValue(wire)
    else if (field.content === 'payload') this.payload(field, start, wire, isPacked)
    else if (field.content === 'message') this.enter(field, tag)
    else {
      this.skeleton.varint(tag)
      if (isPacked) this.list(field)
      else if (field.content === 'scalar') this.scalar(wire)
      else this.text(field)
    }
  }

  /** A length, which must fit into the message at hand. */
  private valueLength(): number {
    const length = this.cursor.varint()
    if (this.cursor.offset + length > this.frame.end) {
      throw malformed(
        this.frames.length === 1
          ? 'a length that runs past the end of the file: it is cut short or damaged'
          : 'a length that runs past the end of its message',
      )
    }
    return length
  }

  private skipValue(wire: number): void {
    const width = fixedWidths[wire]
    if (width !== undefined) this.cursor.skip(width)
    else if (wire === 0) this.cursor.varintLength()
    else if (wire === 2) this.cursor.skip(this.valueLength())
    else throw malformed(wire < 5 ? 'a group, which the format does not use' : `wire type ${wire}`)
  }

  private noteUnknown(name: string): void {
    const count = this.unknownFields.get(name)
    if (count !== undefined || this.unknownFields.size < unknownNames)
      this.unknownFields.set(name, (count ?? 0) + 1)
  }

  private enter(field: Field, tag: number): void {
    const length = this.valueLength()
    const kind = field.message!
    if (this.frames.length >= this.limits.messageDepth) {
      throw beyondLimit('messageDepth', `more than ${this.limits.messageDepth} messages inside one another`)
    }
    this.spend('messages', 1)
    const own = kindLimits[kind.name]
    if (own !== undefined) this.spend(own, 1)
    this.skeleton.varint(tag)
    const end = this.cursor.offset + length
    this.frame = { kind, end, field: field.name, place: this.skeleton.open(), seen: 0, payload: null }
    this.frames.push(this.frame)
    this.cursor.end = end
  }

  private leave(): void {
    const { payload, place } = this.frame
    if (payload !== null) {
      this.payloads.push(payload)
      this.skeleton.varint(payloadTag)
      this.skeleton.varint(this.payloads.length)
    }
    this.skeleton.close(place)
    this.frames.pop()
    this.frame = this.frames[this.frames.length - 1]
    this.cursor.end = this.frame.end
  }

  private scalar(wire: number): void {
    this.spend('numbers', 1)
    const { cursor } = this
    const width = fixedWidths[wire]
    if (width === undefined) {
      const length = cursor.varintLength()
      cursor.at -= length
      this.skeleton.copy(cursor, length)
      cursor.at += length
    } else {
      cursor.need(width)
      this.skeleton.copy(cursor, width)
      cursor.at += width
    }
  }

  private text(field: Field): void {
    const { skeleton } = this
    this.spend('strings', 1)
    const length = this.valueLength()
    skeleton.varint(length)
    const from = skeleton.length
    this.cursor.pieces(length, (count) => skeleton.copy(this.cursor, count))
    if (field.content !== 'text') return
    const { bytes } = skeleton
    for (let index = from; index < skeleton.length; index++) {
      if (bytes[index] < 128) continue
      if (isUtf8(bytes.subarray(from, skeleton.length))) return
      throw malformed(`${field.name} is not valid UTF-8`)
    }
  }

  /** A packed list of numbers that stays in the skeleton. */
  private list(field: Field): void {
    const length = this.valueLength()
    this.skeleton.varint(length)
    const entries = this.packedEntries(field, length, true)
    this.spend('numbers', entries)
  }

  /** Steps over a packed list, copying it or not; returns its entries. */
  private packedEntries(field: Field, length: number, copies: boolean): number {
    const { cursor, skeleton } = this
    const width = fixedWidths[field.wire]
    if (width !== undefined) {
      if (length % width !== 0)
        throw malformed(`the ${length} bytes of ${field.name} are no multiple of ${width}`)
      if (copies) cursor.pieces(length, (count) => skeleton.copy(cursor, count))
      else cursor.skip(length)
      return length / width
    }
    let entries = 0
    let open = 0
    const { window } = cursor
    cursor.pieces(length, (count) => {
      if (copies) skeleton.copy(cursor, count)
      const stop = cursor.at + count
      for (let index = cursor.at; index < stop; index++) {
        const byte = window[index]
        open++
        if (byte < 128) {
          if (open > 9 && (open > 10 || byte > 1)) throw malformed('a varint of more than 64 bits')
          entries++
          open = 0
        }
      }
      if (open > 10) throw malformed('a varint of more than 64 bits')
    })
    if (open > 0) throw malformed(`${field.name} ends in the middle of a varint`)
    return entries
  }

  /** Tensor data: notes where it is. `start` is the offset of the tag. */
  private payload(field: Field, start: number, wire: number, isPacked: boolean): void {
    const { cursor, frame } = this
    const name = field.name as PayloadField
    frame.payload ??= []
    if (name === 'rawData' || isPacked) {
      const length = this.valueLength()
      const { offset } = cursor
      if (name === 'rawData') cursor.skip(length)
      const entries = name === 'rawData' ? length : this.packedEntries(field, length, false)
      this.spend('messages', 1)
      frame.payload.push({ field: name, bare: true, offset, length, entries })
      return
    }
    this.skipValue(wire)
    const last = frame.payload[frame.payload.length - 1]
    if (last !== undefined && last.field === name && !last.bare && last.offset + last.length === start) {
      last.length = cursor.offset - last.offset
      last.entries++
    } else {
      this.spend('messages', 1)
      frame.payload.push({
        field: name,
        bare: false,
        offset: start,
        length: cursor.offset - start,
        entries: 1,
      })
    }
  }

  private spend(budget: Budget, amount: number): void {
    this.spent[budget] += amount
    if (this.spent[budget] > this.limits[budget]) {
      throw beyondLimit(budget, `more than ${this.limits[budget]} ${budget}`)
    }
  }
}

/**
 * Scans a file of `bytes` bytes as one message: a model, unless `name` says otherwise.
 * @throws LipschitzError malformed or limit, with the byte and the nesting where the scan stopped
 */
export function scanWire(
  descriptor: number,
  bytes: number,
  limits: Limits,
  name: MessageName = 'ModelProto',
): Scan {
  return new WireScanner(descriptor, bytes, limits, messageKind(name)).scan()
}
