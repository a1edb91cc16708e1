import { encodeNpy, type NumberArray } from './npy.ts'

/** CRC-32 as ZIP has it: the reflected polynomial 0xEDB88320. */
function crc32(bytes: Uint8Array): number {
  let crc = -1
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return ~crc >>> 0
}

/** Little-endian numbers of the given widths in bytes. */
function fields(...entries: readonly (readonly [value: number, width: 2 | 4])[]): Uint8Array {
  const bytes = new Uint8Array(entries.reduce((sum, [, width]) => sum + width, 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const [value, width] of entries) {
    if (width === 2) view.setUint16(at, value, true)
    else view.setUint32(at, value, true)
    at += width
  }
  return bytes
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** 1980-01-01, the earliest date that ZIP knows: equal arrays give equal bytes. */
const date = 0x21
/** Names are UTF-8. */
const utf8 = 0x800

/** The bytes that `numpy.load` reads as arrays by name: a ZIP archive of .npy files, stored without compression. */
export function encodeNpz(arrays: ReadonlyMap<string, NumberArray>): Uint8Array {
  const files: Uint8Array[] = []
  const directory: Uint8Array[] = []
  let offset = 0
  for (const [name, array] of arrays) {
    const path = new TextEncoder().encode(`${name}.npy`)
    const data = encodeNpy(array)
    const common = [
      [utf8, 2],
      [0, 2],
      [0, 2],
      [date, 2],
      [crc32(data), 4],
      [data.length, 4],
      [data.length, 4],
      [path.length, 2],
      [0, 2],
    ] as const
    const file = concat([fields([0x04034b50, 4], [20, 2], ...common), path, data])
    const entry = fields(
      [0x02014b50, 4],
      [20, 2],
      [20, 2],
      ...common,
      [0, 2],
      [0, 2],
      [0, 2],
      [0, 4],
      [offset, 4],
    )
    files.push(file)
    directory.push(concat([entry, path]))
    offset += file.length
  }
  const listing = concat(directory)
  const end = fields(
    [0x06054b50, 4],
    [0, 2],
    [0, 2],
    [arrays.size, 2],
    [arrays.size, 2],
    [listing.length, 4],
    [offset, 4],
    [0, 2],
  )
  return concat([...files, listing, end])
}
