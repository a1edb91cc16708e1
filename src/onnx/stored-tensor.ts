import type { ElementType, Tensor } from '../core/tensor.ts'
import type { Payload } from './payload.ts'
import type { FileIdentity } from './stored-file.ts'

/** A run of bytes in a file: the model itself or an external data file. */
export interface ByteRange extends FileIdentity {
  readonly offset: number
  readonly length: number
}

/**
 * A tensor as stored, not yet read: dims and type are known and checked, bytes are read by position on demand.
 * Creating one allocates nothing of the tensor's size.
 */
export interface StoredTensor {
  readonly name: string
  readonly type: ElementType
  readonly dims: readonly number[]
  /** Elements, the product of `dims` (checked against the limits and the bytes that are there). */
  readonly size: number
  /**
   * Where the elements stand, when they stand as one little-endian run (raw data, external data, packed
   * float_data or double_data): what a worker reads straight into its own memory. Else null.
   */
  readonly range: ByteRange | null
  /** Where the model file has the elements, in pieces; null where they are in another file, or only as sparse values. */
  readonly payload: Payload | null
  /** Reads and decodes all elements. Nothing is cached. */
  load(): Tensor
  /** SHA-256 (hex) of the stored bytes of the elements. */
  sha256(): string
}
