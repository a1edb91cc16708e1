import { createHash } from 'node:crypto'
import type { ElementType, FloatArray } from '../core/tensor.ts'
import { elementStorage } from '../onnx/element-types.ts'
import { type OpenFile, useFile } from '../onnx/stored-file.ts'
import type { ByteRange } from '../onnx/stored-tensor.ts'

/** Where a layer's weights come from: a run of a file, which any thread can read, or folded elements. */
export type WeightSource =
  | { readonly kind: 'stored'; readonly range: ByteRange; readonly type: ElementType; readonly size: number }
  | { readonly kind: 'folded'; readonly data: FloatArray; readonly sha256: string }

export type StoredSource = WeightSource & { readonly kind: 'stored' }

/** Bytes that are read and decoded at a time where elements are not used as they are stored. */
const PIECE = 1 << 20

export function isSingle(source: WeightSource): boolean {
  return source.kind === 'folded'
    ? source.data instanceof Float32Array
    : elementStorage[source.type].array === Float32Array
}

export function sizeOf(source: WeightSource): number {
  return source.kind === 'folded' ? source.data.length : source.size
}

export function bytesOf(data: FloatArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}

export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/**
 * Writes the elements to `target`, which has room for them as float32 or float64 (see `isSingle`), and returns the
 * SHA-256 of the weight: of the bytes as stored, or of the folded elements. Stored float32 and float64 are read by
 * position with no copy in between.
 */
export function readWeights(source: WeightSource, target: FloatArray): string {
  if (source.kind === 'folded') {
    target.set(source.data)
    return source.sha256
  }
  const { range, type } = source
  return useFile(range, `${range.path}: `, (file) => {
    if (type !== 'float32' && type !== 'float64') return decodeFile(file, source, target)
    const bytes = bytesOf(target)
    file.read(bytes, range.offset)
    return hashOf(bytes)
  })
}

/** Reads some of the elements of a stored float32 or float64 tensor: as many as `target` holds, from `first` on. */
export function readElements({ range }: StoredSource, first: number, target: FloatArray): void {
  const offset = range.offset + first * target.BYTES_PER_ELEMENT
  useFile(range, `${range.path}: `, (file) => file.read(bytesOf(target), offset))
}

function decodeFile(file: OpenFile, source: StoredSource, target: FloatArray): string {
  const { range, type, size } = source
  const { bits, decode } = elementStorage[type]
  const pieceElements = Math.floor((PIECE * 8) / bits / 8) * 8
  const buffer = new Uint8Array(Math.min(range.length, PIECE))
  const hash = createHash('sha256')
  for (let done = 0; done < size; done += pieceElements) {
    const count = Math.min(pieceElements, size - done)
    const piece = buffer.subarray(0, Math.ceil((count * bits) / 8))
    file.read(piece, range.offset + (done * bits) / 8)
    hash.update(piece)
    decode(piece, count, target, done)
  }
  return hash.digest('hex')
}
