import { type Field, type MessageKind, messageKind } from '../onnx/fields.ts'
import type { StoredFile } from '../onnx/stored-file.ts'
import { WireCursor } from '../onnx/wire-cursor.ts'
import type { ByteEdit } from './byte-edit.ts'

/** The file that takes the place of an external data file. */
export interface NewLocation {
  readonly name: string
  /** SHA-1 of its bytes in hex: tensors may state it. */
  sha1(): string
}

/** The file that takes the place of the one at a location; null where that stays. */
export type Relocate = (location: string) => NewLocation | null

/** Where a length stands and what it is. */
interface Length {
  readonly at: number
  readonly size: number
  readonly value: number
}

/** An entry of TensorProto.external_data. */
interface Entry {
  readonly length: Length
  key: string
  value: { readonly text: string; readonly length: Length } | null
}

interface Frame {
  readonly kind: MessageKind
  readonly end: number
  readonly length: Length | null
  readonly entries: Entry[]
  /** By how many bytes the message grows. */
  growth: number
}

/**
 * The edits that point the tensors of a model file to other external data files, by location: names, the checksums
 * behind them, and the lengths of every message around them. The file has been scanned: it is well formed. One pass.
 */
export function locationEdits(file: StoredFile, relocate: Relocate): ByteEdit[] {
  const edits: ByteEdit[] = []
  file.use(({ descriptor }) => {
    const cursor = new WireCursor(descriptor, file.bytes)
    const top: Frame = {
      kind: messageKind('ModelProto'),
      end: file.bytes,
      length: null,
      entries: [],
      growth: 0,
    }
    const frames = [top]
    let frame = top
    for (;;) {
      while (cursor.offset === frame.end) {
        frames.pop()
        const around = frames.at(-1)
        if (around === undefined) return
        around.growth += leave(frame, around, relocate, edits)
        frame = around
        cursor.end = frame.end
      }
      const entered = record(cursor, frame)
      if (entered === null) continue
      frames.push(entered)
      frame = entered
      cursor.end = frame.end
    }
  })
  return edits.sort((a, b) => a.offset - b.offset)
}

/** Reads one field; the frame of a message that begins here. */
function record(cursor: WireCursor, frame: Frame): Frame | null {
  const tag = cursor.varint()
  const field: Field | undefined = frame.kind.fields[Math.floor(tag / 8)]
  const wire = tag % 8
  if (wire !== 2) {
    if (wire === 0) cursor.varint()
    else cursor.skip(wire === 1 ? 8 : 4)
    return null
  }
  const length = lengthAt(cursor)
  if (field?.content === 'message' && field.message !== null) {
    const end = cursor.offset + length.value
    const entered: Frame = { kind: field.message, end, length, entries: [], growth: 0 }
    if (field.name === 'externalData') frame.entries.push({ length, key: '', value: null })
    return entered
  }
  const entry = frame.kind.name === 'StringStringEntryProto' ? frame : null
  if (entry === null) cursor.skip(length.value)
  else
    entry.entries.push({
      length,
      key: field?.name ?? '',
      value: { text: text(cursor, length.value), length },
    })
  return null
}

function lengthAt(cursor: WireCursor): Length {
  const at = cursor.offset
  const value = cursor.varint()
  return { at, size: cursor.offset - at, value }
}

function text(cursor: WireCursor, length: number): string {
  const parts: Buffer[] = []
  cursor.pieces(length, (count) =>
    parts.push(Buffer.from(cursor.window.subarray(cursor.at, cursor.at + count))),
  )
  return Buffer.concat(parts).toString('utf8')
}

/** Closes a message: edits what is decided now, and gives by how much the message around it grows. */
function leave(frame: Frame, around: Frame, relocate: Relocate, edits: ByteEdit[]): number {
  const { length, kind, entries } = frame
  if (length === null) return 0
  if (kind.name === 'StringStringEntryProto') {
    const entry = around.entries.find((candidate) => candidate.length === length)
    if (entry === undefined) return 0
    entry.key = entries.find(({ key }) => key === 'key')?.value?.text ?? ''
    entry.value = entries.find(({ key }) => key === 'value')?.value ?? null
    return 0
  }
  const location = entries.find(({ key }) => key === 'location')?.value
  const target = location ? relocate(location.text) : null
  if (target !== null) {
    for (const entry of entries) {
      if (entry.value === null || (entry.key !== 'location' && entry.key !== 'checksum')) continue
      const replacement = entry.key === 'location' ? target.name : target.sha1()
      const grown = replaceText(entry.value.length, replacement, edits)
      frame.growth += grown + resize(entry.length, grown, edits)
    }
  }
  return frame.growth === 0 ? 0 : frame.growth + resize(length, frame.growth, edits)
}

/** Replaces a text with its length; by how many bytes that grows. */
function replaceText(length: Length, replacement: string, edits: ByteEdit[]): number {
  const content = Buffer.from(replacement)
  const bytes = Buffer.concat([varint(content.length), content])
  const removed = length.size + length.value
  edits.push({ offset: length.at, removed, bytes })
  return bytes.length - removed
}

/** Rewrites the length of a message that has grown; by how many bytes the length itself grows. */
function resize({ at, size, value }: Length, growth: number, edits: ByteEdit[]): number {
  if (growth === 0) return 0
  const bytes = varint(value + growth)
  edits.push({ offset: at, removed: size, bytes })
  return bytes.length - size
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  return Buffer.from([...bytes, rest])
}
