import { LipschitzError } from '../core/errors.ts'
import type { FloatArray } from '../core/tensor.ts'
import { kernels, type Pointer } from './kernels.ts'

/**
 * The memory of this thread's kernels, handed out as a stack. It only ever grows, to what the largest layer needs:
 * fresh pages cost more than anything else that is done with them. Growing detaches all views: keep pointers, and
 * make views where they are used.
 */

const PAGE = 65536
const ALIGNMENT = 64
/** Memory of one WebAssembly instance. */
const LIMIT = 2 ** 32

/** The first page belongs to the kernels. */
let top: Pointer = PAGE
/** How much of it may be used. */
let most = LIMIT

/** Lets this thread use so many bytes and no more; without a number as many as there are. */
export function limitArena(bytes = LIMIT): void {
  most = Math.min(LIMIT, bytes)
}

/** Reserves bytes, aligned to a cache line, until the `scoped` call around it returns. */
export function allocate(bytes: number): Pointer {
  const { memory } = kernels()
  const pointer = top
  const end = Math.ceil((pointer + bytes) / ALIGNMENT) * ALIGNMENT
  const missing = Math.ceil((end - memory.buffer.byteLength) / PAGE)
  if (end > most) {
    const hint =
      most < LIMIT ? 'raise the memory limit, or use fewer threads' : 'a thread cannot address more'
    throw new LipschitzError(
      'limit',
      `a layer needs ${end} bytes of memory, more than the limit of ${most}`,
      { hint },
    )
  }
  if (missing > 0) {
    try {
      memory.grow(missing)
    } catch {
      throw new LipschitzError('limit', `a layer needs ${end} bytes, more memory than there is`)
    }
  }
  top = end
  return pointer
}

export function allocateFloats(count: number): Pointer {
  return allocate(count * 8)
}

/** Runs `work` and gives back everything that it allocated. */
export function scoped<Result>(work: () => Result): Result {
  const mark = top
  try {
    return work()
  } finally {
    top = mark
  }
}

/** Gives everything back, after work that was broken off without its `scoped` calls returning. */
export function abandon(): void {
  top = PAGE
}

/** A view of float64 in the arena; valid until the next allocation. */
export function floatsAt(pointer: Pointer, count: number): Float64Array<ArrayBuffer> {
  return new Float64Array(kernels().memory.buffer, pointer, count)
}

export function singlesAt(pointer: Pointer, count: number): Float32Array<ArrayBuffer> {
  return new Float32Array(kernels().memory.buffer, pointer, count)
}

export function bytesAt(pointer: Pointer, count: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(kernels().memory.buffer, pointer, count)
}

/** Where the elements stand in the arena: where they already are, else copied there. */
export function place(data: FloatArray): Pointer {
  if (data.buffer === kernels().memory.buffer) return data.byteOffset
  const pointer = allocate(data.byteLength)
  bytesAt(pointer, data.byteLength).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  return pointer
}
