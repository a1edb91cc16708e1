/** The fields of TensorProto that hold elements. */
export type PayloadField =
  | 'rawData'
  | 'floatData'
  | 'doubleData'
  | 'int32Data'
  | 'int64Data'
  | 'uint64Data'
  | 'stringData'

/**
 * A piece of tensor data in the model file. A bare piece is nothing but values (raw data, a packed list); otherwise
 * the bytes are whole records, each value behind its tag (an unpacked list, strings).
 */
export interface PayloadPiece {
  readonly field: PayloadField
  readonly bare: boolean
  readonly offset: number
  length: number
  /** Values; for raw data its bytes. */
  entries: number
}

/** The elements of one tensor where the file has them, in their order. */
export type Payload = PayloadPiece[]
