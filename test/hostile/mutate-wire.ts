import type { Random } from '../../src/core/random.ts'

/** A field of a protobuf message; what is delimited by a length is a message where it can be read as one. */
interface Field {
  number: number
  wire: number
  content: bigint | Buffer | Field[]
}

const deepest = 8

function readVarint(bytes: Buffer, at: number): [bigint, number] | null {
  let value = 0n
  for (let shift = 0n; shift < 70n; shift += 7n) {
    if (at >= bytes.length) return null
    const byte = bytes[at++]
    value |= BigInt(byte & 127) << shift
    if (byte < 128) return [value, at]
  }
  return null
}

/** The fields, or null where the bytes are no message. */
export function parseWire(bytes: Buffer, depth = 0): Field[] | null {
  const fields: Field[] = []
  for (let at = 0; at < bytes.length; ) {
    const tag = readVarint(bytes, at)
    if (tag === null || tag[0] < 8n || tag[0] > 0xffff_ffffn) return null
    const [number, wire] = [Number(tag[0] >> 3n), Number(tag[0] & 7n)]
    at = tag[1]
    if (wire === 0) {
      const value = readVarint(bytes, at)
      if (value === null) return null
      fields.push({ number, wire, content: value[0] })
      at = value[1]
      continue
    }
    const length = wire === 2 ? readVarint(bytes, at) : null
    if (wire !== 1 && wire !== 5 && length === null) return null
    const start = length?.[1] ?? at
    const size = length === null ? (wire === 1 ? 8 : 4) : Number(length[0])
    if (start + size > bytes.length) return null
    const part = bytes.subarray(start, start + size)
    const inner = wire === 2 && size > 1 && depth < deepest ? parseWire(part, depth + 1) : null
    fields.push({ number, wire, content: inner ?? Buffer.from(part) })
    at = start + size
  }
  return fields
}

function varint(value: bigint): Buffer {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, value)
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  return Buffer.from([...bytes, Number(rest)])
}

export function writeWire(fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.flatMap(({ number, wire, content }) => {
      const tag = varint(BigInt(number) * 8n + BigInt(wire))
      if (typeof content === 'bigint') return [tag, varint(content)]
      const inner = Array.isArray(content) ? writeWire(content) : content
      return wire === 2 ? [tag, varint(BigInt(inner.length)), inner] : [tag, inner]
    }),
  )
}

function listsIn(fields: Field[]): Field[][] {
  const lists = [fields]
  for (let i = 0; i < lists.length; i++)
    for (const { content } of lists[i]) if (Array.isArray(content)) lists.push(content)
  return lists.filter((list) => list.length > 0)
}

const integers = [
  0n,
  1n,
  2n,
  3n,
  7n,
  8n,
  16n,
  64n,
  127n,
  255n,
  2n ** 31n,
  2n ** 32n,
  2n ** 53n,
  2n ** 62n,
  -1n,
  -2n,
]
const floats = [0, -0, 1e-45, 1e38, Number.NaN, Infinity, -1, 1e-30, 2]

/**
 * Another message of some fields, lengths set right again: numbers and texts exchanged, fields left out, doubled, moved,
 * or taken from elsewhere in the same message or another. Null where the bytes are no message.
 */
export function mutateWire(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array | null {
  const below = (count: number) => Math.floor(random.uniform() * count)
  const fields = parseWire(Buffer.from(bytes))
  if (fields === null || fields.length === 0) return null
  const foreign = listsIn(parseWire(Buffer.from(other)) ?? [])
  for (let times = below(3); times >= 0; times--) {
    const lists = listsIn(fields)
    if (lists.length === 0) break
    const list = lists[below(lists.length)]
    const at = below(list.length)
    const field = list[at]
    const donors = [...lists, ...foreign]
      .flat()
      .filter(({ number, wire }) => number === field.number && wire === field.wire)
    const donor = structuredClone(donors[below(donors.length)])
    const content = () => {
      if (typeof field.content === 'bigint')
        field.content =
          random.uniform() < 0.7 ? integers[below(integers.length)] : field.content + BigInt(below(5) - 2)
      else if (Buffer.isBuffer(field.content) && field.wire === 5) {
        field.content = Buffer.alloc(4)
        field.content.writeFloatLE(floats[below(floats.length)])
      } else if (Buffer.isBuffer(field.content)) {
        const size = field.content.length
        if (size > 0 && random.uniform() < 0.5) field.content[below(size)] ^= 1 << below(8)
        else field.content = field.content.subarray(0, below(size + 1))
      }
    }
    const ways = [
      content,
      content,
      () => Object.assign(field, restored(donor)),
      () => Object.assign(field, restored(donor)),
      () => list.splice(at, 1),
      () => list.splice(below(list.length), 0, restored(structuredClone(field))),
      () => list.splice(below(list.length), 0, restored(donor)),
      () => list.push(...list.splice(at, 1)),
      () => {
        field.number = 1 + below(26)
      },
    ]
    ways[below(ways.length)]()
  }
  return writeWire(fields)
}

/** Cloning makes plain bytes of buffers. */
function restored(field: Field): Field {
  const { content } = field
  if (typeof content === 'bigint') return field
  if (Array.isArray(content)) return { ...field, content: content.map(restored) }
  return { ...field, content: Buffer.from(content) }
}
