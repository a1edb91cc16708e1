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

/** Bytes that are read, hashed and decoded at a time: few enough to stay in the cache of a core. */
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

/** Reads elements of a weight, decoded, wherever they stand. */
export interface WeightReader {
  /**
   * Fills the target with elements from `first` on. Elements of less than a byte are read from whole bytes on.
   * `onBytes` is given what was read as it is stored, piece by piece.
   */
  read(first: number, target: FloatArray, onBytes?: (bytes: Uint8Array) => void): void
}

/**
 * Opens the weight for as long as it is used. A file has to stay the same meanwhile.
 * @throws LipschitzError not-found or unreadable
 */
export function withReader<Result>(source: WeightSource, use: (reader: WeightReader) => Result): Result {
  if (source.kind === 'stored') {
    const { range } = source
    return useFile(range, `${range.path}: `, (file) => use(storedReader(file, source)))
  }
  const { data } = source
  return use({ read: (first, target) => target.set(data.subarray(first, first + target.length)) })
}

/**
 * Writes the elements to `target`, which has room for them as float32 or float64 (see `isSingle`), and returns the
 * SHA-256 of the weight: of the bytes as stored, or of the folded elements. Stored float32 and float64 are read by
 * position with no copy in between.
 */
export function readWeights(source: WeightSource, target: FloatArray): string {
  const hash = createHash('sha256')
  withReader(source, (reader) => reader.read(0, target, (bytes) => hash.update(bytes)))
  return source.kind === 'folded' ? source.sha256 : hash.digest('hex')
}

function storedReader(file: OpenFile, { range, type }: StoredSource): WeightReader {
  const { bits, decode } = elementStorage[type]
  const isPlain = type === 'float32' || type === 'float64'
  const buffer = new Uint8Array(isPlain ? 0 : Math.min(range.length, PIECE))
  const pieceElements = Math.floor(PIECE / bits) * 8
  return {
    read(first, target, onBytes) {
      for (let done = 0; done < target.length; done += pieceElements) {
        const count = Math.min(pieceElements, target.length - done)
        const length = Math.ceil((count * bits) / 8)
        const bytes = isPlain ? bytesOf(target.subarray(done, done + count)) : buffer.subarray(0, length)
        file.read(bytes, range.offset + ((first + done) * bits) / 8)
        onBytes?.(bytes)
        if (!isPlain) decode(bytes, count, target, done)
      }
    },
  }
}
