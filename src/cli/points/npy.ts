import { stridesOf } from '../../core/tensor.ts'
import { copyStrided } from '../../ops/fold/strided.ts'

/** Numbers with dims, row-major. */
export interface NumberArray {
  readonly dims: readonly number[]
  readonly data: Float64Array
}

type ReadElement = (view: DataView, at: number, littleEndian: boolean) => number

/** Kinds of elements as NumPy writes them: a letter and the bytes that one takes. */
const elementKinds = {
  f2: (view, at, little) => halfToNumber(view.getUint16(at, little)),
  f4: (view, at, little) => view.getFloat32(at, little),
  f8: (view, at, little) => view.getFloat64(at, little),
  i1: (view, at) => view.getInt8(at),
  i2: (view, at, little) => view.getInt16(at, little),
  i4: (view, at, little) => view.getInt32(at, little),
  i8: (view, at, little) => Number(view.getBigInt64(at, little)),
  u1: (view, at) => view.getUint8(at),
  u2: (view, at, little) => view.getUint16(at, little),
  u4: (view, at, little) => view.getUint32(at, little),
  u8: (view, at, little) => Number(view.getBigUint64(at, little)),
  b1: (view, at) => (view.getUint8(at) === 0 ? 0 : 1),
} satisfies Record<string, ReadElement>

function halfToNumber(bits: number): number {
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  const sign = bits & 0x8000 ? -1 : 1
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15))
}

const magic = '\x93NUMPY'

interface Header {
  readonly kind: keyof typeof elementKinds
  readonly littleEndian: boolean
  readonly fortranOrder: boolean
  readonly dims: readonly number[]
}

/**
 * Decodes an array as `numpy.save` writes it (format versions 1 to 3), C or Fortran order, either byte order; 64-bit
 * integers are rounded to float64. Throws an `Error` with the reason for anything else: objects, strings, complex
 * numbers, files that end early.
 */
export function decodeNpy(bytes: Uint8Array): NumberArray {
  const prefix = String.fromCharCode(...bytes.subarray(0, 6))
  if (prefix !== magic) throw new Error('it is no .npy file')
  if (bytes.length < 12) throw new Error('the file ends within its header')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const version = bytes[6]
  if (version < 1 || version > 3) throw new Error(`.npy version ${version} is not known`)
  const start = version === 1 ? 10 : 12
  const headerBytes = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  if (start + headerBytes > bytes.length) throw new Error('the file ends within its header')
  const text = new TextDecoder().decode(bytes.subarray(start, start + headerBytes))
  const { kind, littleEndian, fortranOrder, dims } = readHeader(text)
  const size = dims.reduce((product, dim) => product * dim, 1)
  const width = Number(kind[1])
  const first = start + headerBytes
  if (bytes.length - first < size * width)
    throw new Error(`it holds ${bytes.length - first} bytes of data, [${dims}] takes ${size * width}`)
  const data = new Float64Array(size)
  const read: ReadElement = elementKinds[kind]
  for (let i = 0; i < size; i++) data[i] = read(view, first + i * width, littleEndian)
  return { dims, data: fortranOrder ? fromFortranOrder(data, dims) : data }
}

/** The header is a literal of Python: {'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }. */
function readHeader(text: string): Header {
  const descr = /'descr':\s*'([^']*)'/.exec(text)?.[1]
  const order = /'fortran_order':\s*(True|False)/.exec(text)?.[1]
  const shape = /'shape':\s*\(([\d,\sL]*)\)/.exec(text)?.[1]
  if (descr === undefined || order === undefined || shape === undefined)
    throw new Error(`its header is not one of an array of numbers: ${text.trim().slice(0, 80)}`)
  const kind = descr.replace(/^[<>|=]/, '')
  if (!(kind in elementKinds))
    throw new Error(`elements of type '${descr}' are not read: convert them to float32`)
  const dims = shape
    .split(',')
    .map((dim) => dim.replace('L', '').trim())
    .filter((dim) => dim !== '')
    .map(Number)
  if (
    !dims.every((dim) => Number.isSafeInteger(dim)) ||
    !Number.isSafeInteger(dims.reduce((a, b) => a * b, 1))
  )
    throw new Error(`its shape (${shape}) is not possible`)
  return {
    kind: kind as keyof typeof elementKinds,
    littleEndian: !descr.startsWith('>'),
    fortranOrder: order === 'True',
    dims,
  }
}

function fromFortranOrder(data: Float64Array, dims: readonly number[]): Float64Array {
  const result = new Float64Array(data.length)
  const strides = stridesOf(dims.toReversed()).toReversed()
  copyStrided(dims, { data, offset: 0, strides }, { data: result, offset: 0, strides: stridesOf(dims) })
  return result
}

/** The bytes that `numpy.load` reads back as float64 (or float32) in C order. */
export function encodeNpy({ dims, data }: NumberArray, type: 'f4' | 'f8' = 'f8'): Uint8Array {
  const shape = dims.length === 1 ? `(${dims[0]},)` : `(${dims.join(', ')})`
  const literal = `{'descr': '<${type}', 'fortran_order': False, 'shape': ${shape}, }`
  const length = Math.ceil((10 + literal.length + 1) / 64) * 64 - 10
  const width = Number(type[1])
  const bytes = new Uint8Array(10 + length + data.length * width)
  bytes.set(Uint8Array.from(magic, (letter) => letter.charCodeAt(0)))
  const view = new DataView(bytes.buffer)
  view.setUint8(6, 1)
  view.setUint16(8, length, true)
  bytes.set(new TextEncoder().encode(`${literal.padEnd(length - 1)}\n`), 10)
  for (let i = 0; i < data.length; i++) {
    if (type === 'f8') view.setFloat64(10 + length + i * 8, data[i], true)
    else view.setFloat32(10 + length + i * 4, data[i], true)
  }
  return bytes
}
