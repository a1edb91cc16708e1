import type { ElementType, FloatArray } from '../core/tensor.ts'
import { allocate, bytesAt } from '../linalg/arena.ts'
import { kernels, type Pointer } from '../linalg/kernels.ts'
import { useFile } from '../onnx/stored-file.ts'
import { type StoredSource, sizeOf, type WeightReader, type WeightSource } from './source.ts'

/**
 * Weights of one or two bytes an element, as stored in memory: a block of rows is widened to float32 each time that it is multiplied
 * by. Results are the bytes that widening all of them when they are loaded would give, at half or a quarter of the memory.
 */
interface NarrowType {
  readonly bytes: 1 | 2
  widen(from: Pointer, count: number, to: Pointer): void
}

const narrowTypes: { readonly [Type in ElementType]?: NarrowType } = {
  float16: { bytes: 2, widen: (from, count, to) => kernels().widenF16(from, count, to) },
  bfloat16: { bytes: 2, widen: (from, count, to) => kernels().widenBF16(from, count, to) },
  int8: { bytes: 1, widen: (from, count, to) => kernels().widenI8(from, count, to) },
  uint8: { bytes: 1, widen: (from, count, to) => kernels().widenU8(from, count, to) },
}

/** Elements from which on memory counts for more than the time that widening takes. */
const LARGE = 1 << 22
/** Bytes of a widened block, where whole panels allow it: it stays in the cache. */
export const NARROW_BLOCK = 1 << 19
/** Bytes that are read and hashed at a time. */
const PIECE = 1 << 20

/** Bytes that `count` of the weights take as they are stored; null where they are widened when they are loaded. */
export function narrowBytes(source: WeightSource, count = sizeOf(source)): number | null {
  const narrow = source.kind === 'stored' ? narrowTypes[source.type] : undefined
  return narrow === undefined || sizeOf(source) < LARGE ? null : narrow.bytes * count
}

/**
 * Reads `count` elements from `first` on into the arena, where they stay until the enclosing `scoped` call returns. Elements are
 * then numbered as in the source; targets are views of the arena.
 * @throws LipschitzError not-found or unreadable
 */
export function placeNarrow({ range, type }: StoredSource, first: number, count: number): WeightReader {
  const { bytes, widen } = narrowTypes[type] as NarrowType
  const pointer = allocate(bytes * count)
  useFile(range, `${range.path}: `, (file) => {
    for (let done = 0; done < bytes * count; done += PIECE) {
      const length = Math.min(PIECE, bytes * count - done)
      file.read(bytesAt(pointer + done, length), range.offset + bytes * first + done)
    }
  })
  return {
    read(from: number, target: FloatArray, onBytes) {
      const start = pointer + bytes * (from - first)
      onBytes?.(bytesAt(start, bytes * target.length))
      widen(start, target.length, target.byteOffset)
    },
  }
}
