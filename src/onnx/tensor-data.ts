import { createHash } from 'node:crypto'
import { LipschitzError, named } from '../core/errors.ts'
import { beyondLimit, type Limits } from '../core/limits.ts'
import type { ElementType, FloatArray, Tensor } from '../core/tensor.ts'
import { type ElementStorage, elementStorage, elementTypeOf, rawBytes } from './element-types.ts'
import { type ExternalFiles, externalRange } from './external-data.ts'
import type { TensorProto } from './generated/onnx.js'
import type { Payload } from './payload.ts'
import { payloadBytes } from './payload-elements.ts'
import type { StoredFile } from './stored-file.ts'
import type { ByteRange, StoredTensor } from './stored-tensor.ts'

/** Elements are read and decoded in pieces of about this many bytes. */
const pieceBytes = 1 << 20

/** Where the tensors of one model come from. */
export interface TensorSource {
  readonly file: StoredFile
  readonly payloads: readonly Payload[]
  /** null where external data is switched off. */
  readonly external: ExternalFiles | null
  readonly limits: Limits
}

/** Elements of a shape. @throws LipschitzError malformed or limit */
export function elementCount(dims: readonly number[], limits: Limits): number {
  if (dims.length > limits.rank)
    throw beyondLimit('rank', `it has ${dims.length} dims, more than ${limits.rank}`)
  let count = 1
  for (const dim of dims) {
    if (dim < 0) throw new LipschitzError('malformed', `it has the negative dim ${dim}`)
    if (dim > Number.MAX_SAFE_INTEGER) throw new LipschitzError('limit', `it has the dim ${dim}`)
    count *= dim
  }
  if (count > limits.tensorElements) {
    throw beyondLimit('tensorElements', `it has ${count} elements, more than ${limits.tensorElements}`)
  }
  return count
}

/** Allocates an array; a machine that has not the memory is a limit, not a bug. */
export function allocate(storage: ElementStorage, numbers: number): FloatArray {
  try {
    return new storage.array(numbers)
  } catch {
    throw new LipschitzError('limit', `its ${numbers} elements do not fit into memory`)
  }
}

function typeOf(proto: TensorProto): ElementType {
  const type = elementTypeOf(proto.dataType)
  if (type !== null) return type
  throw proto.dataType === 0
    ? new LipschitzError('malformed', 'it has no element type')
    : new LipschitzError('unsupported', `it has the element type ${proto.dataType}, which is not known`)
}

/** Holds the data fields of a tensor against its type and size. */
function checkPayload(payload: Payload, type: ElementType, size: number): void {
  const { field, bits, components } = elementStorage[type]
  const fields = new Set(payload.map((piece) => piece.field))
  if (fields.size > 1) {
    throw new LipschitzError('malformed', `it has elements in two places, ${[...fields].join(' and ')}`)
  }
  const entries = payload.reduce((sum, piece) => sum + piece.entries, 0)
  const [stored] = fields
  if (stored === 'rawData' && type !== 'string') {
    const expected = rawBytes(type, size)
    if (entries === expected) return
    throw new LipschitzError(
      'malformed',
      `it has ${entries} bytes of data, but its type and dims call for ${expected}`,
    )
  }
  if (stored !== undefined && stored !== field) {
    throw new LipschitzError('malformed', `elements of type ${type} cannot stand in ${stored}`)
  }
  const expected = bits > 0 && bits < 8 ? rawBytes(type, size) : size * Math.max(1, components)
  if (entries !== expected) {
    throw new LipschitzError(
      'malformed',
      `it has ${entries} values in ${field}, but its type and dims call for ${expected}`,
    )
  }
}

/** The bytes of the elements as one little-endian run, if that is how the model file has them. */
function bareRun(payload: Payload, file: StoredFile): ByteRange | null {
  if (payload.length !== 1) return null
  const [{ field, bare, offset, length }] = payload
  const isRun = bare && (field === 'rawData' || field === 'floatData' || field === 'doubleData')
  return isRun ? { path: file.path, stamp: file.stamp, offset, length } : null
}

function readRun(
  file: StoredFile,
  range: ByteRange,
  storage: ElementStorage,
  size: number,
  target: FloatArray,
): void {
  // A multiple of eight elements is a whole number of bytes for every type.
  const pieceElements = Math.floor(pieceBytes / storage.bits) * 8
  const buffer = new Uint8Array(Math.min(range.length, pieceBytes))
  file.use(({ read }) => {
    for (let done = 0; done < size; done += pieceElements) {
      const count = Math.min(pieceElements, size - done)
      const piece = buffer.subarray(0, Math.ceil((count * storage.bits) / 8))
      read(piece, range.offset + (done * storage.bits) / 8)
      storage.decode(piece, count, target, done)
    }
  })
}

/** Where the elements of a tensor are: one run of bytes in a file, or pieces in the model file. */
interface Place {
  readonly file: StoredFile
  readonly range: ByteRange | null
  readonly payload: Payload
}

function placeOf(proto: TensorProto, type: ElementType, size: number, source: TensorSource): Place {
  const payload = proto.payload === 0 ? [] : source.payloads[proto.payload - 1]
  if (proto.segment !== null) throw new LipschitzError('unsupported', 'it is one segment of a tensor')
  if (proto.dataLocation === 0) {
    checkPayload(payload, type, size)
    return { file: source.file, range: bareRun(payload, source.file), payload }
  }
  if (proto.dataLocation !== 1) {
    throw new LipschitzError('unsupported', `its data location ${proto.dataLocation} is not known`)
  }
  if (source.external === null) {
    throw new LipschitzError('unsafe', 'its elements are in another file, which is not allowed')
  }
  if (payload.length > 0) {
    throw new LipschitzError('malformed', 'it has elements both here and in another file')
  }
  if (type === 'string') throw new LipschitzError('malformed', 'strings cannot stand in another file')
  return { ...externalRange(proto.externalData, rawBytes(type, size), source.external), payload }
}

/**
 * A tensor of a model: checks its type, dims and the number of its stored bytes; reads none of them.
 * @throws LipschitzError malformed, unsupported, limit, and for external data unsafe, not-found, unreadable
 */
export function storedTensor(proto: TensorProto, source: TensorSource): StoredTensor {
  const { name, dims } = proto
  const facts = { tensor: name }
  return named(facts, () => {
    const type = typeOf(proto)
    const storage = elementStorage[type]
    const size = elementCount(dims, source.limits)
    const { file, range, payload } = placeOf(proto, type, size, source)
    const elementBytes = () => payloadBytes(payload, file, rawBytes(type, size), Math.max(8, storage.bits))

    function load(): Tensor {
      const data = allocate(storage, size * storage.components)
      if (storage.components > 0) {
        if (range !== null) readRun(file, range, storage, size, data)
        else storage.decode(elementBytes(), size, data, 0)
      }
      return { type, dims, data }
    }

    function sha256(): string {
      if (range !== null) return file.digest('sha256', range.offset, range.length)
      if (storage.components > 0) return createHash('sha256').update(elementBytes()).digest('hex')
      const hash = createHash('sha256')
      for (const { offset, length } of payload) hash.update(file.digest('sha256', offset, length))
      return hash.digest('hex')
    }

    return {
      ...{ name, type, dims, size, range, payload: proto.dataLocation === 0 ? payload : null },
      load: () => named(facts, load),
      sha256: () => named(facts, sha256),
    }
  })
}
