/** Writes what NumPy's `load` reads: arrays of float64 in a zip archive, stored without compression. */
import { crc32 } from 'node:zlib'

export interface NamedArray {
  readonly name: string
  readonly dims: readonly number[]
  readonly data: Float64Array
}

/** One array as a .npy file, version 1.0; its header is padded to a multiple of 64 bytes. */
function npyOf({ dims, data }: NamedArray): Buffer {
  const shape = dims.length === 1 ? `(${dims[0]},)` : `(${dims.join(', ')})`
  const text = `{'descr': '<f8', 'fortran_order': False, 'shape': ${shape}, }`
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10
  const head = Buffer.alloc(10)
  head.write('\x93NUMPY\x01\x00', 'latin1')
  head.writeUInt16LE(length, 8)
  const elements = Buffer.alloc(8 * data.length)
  for (const [i, value] of data.entries()) elements.writeDoubleLE(value, 8 * i)
  return Buffer.concat([head, Buffer.from(`${text.padEnd(length - 1)}\n`, 'latin1'), elements])
}

/** The fields that a file's header in the archive and its entry in the directory have in common. */
function describe(name: Buffer, content: Buffer): Buffer {
  const fields = Buffer.alloc(26)
  fields.writeUInt16LE(20, 0) // the version of the format that is needed
  fields.writeUInt16LE(1 << 11, 2) // names are UTF-8
  fields.writeUInt16LE(33, 8) // 1 January 1980: equal arrays give equal bytes
  fields.writeUInt32LE(crc32(content), 10)
  fields.writeUInt32LE(content.length, 14)
  fields.writeUInt32LE(content.length, 18)
  fields.writeUInt16LE(name.length, 22)
  return fields
}

const signature = (code: number) => Buffer.from([0x50, 0x4b, code & 255, code >> 8])

/** The archive, up to 4 GB. */
export function npzOf(arrays: readonly NamedArray[]): Buffer {
  const files: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const array of arrays) {
    const name = Buffer.from(`${array.name}.npy`)
    const content = npyOf(array)
    const fields = describe(name, content)
    const file = Buffer.concat([signature(0x0403), fields, name, content])
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE(offset, 10)
    directory.push(signature(0x0201), Buffer.from([20, 0]), fields, tail, name)
    files.push(file)
    offset += file.length
  }
  const entries = Buffer.concat(directory)
  const end = Buffer.alloc(18)
  end.writeUInt16LE(arrays.length, 4)
  end.writeUInt16LE(arrays.length, 6)
  end.writeUInt32LE(entries.length, 8)
  end.writeUInt32LE(offset, 12)
  return Buffer.concat([...files, entries, signature(0x0605), end])
}
