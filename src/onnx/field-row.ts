/** What the scan does with a field: copy it, copy and check it as UTF-8, descend, cut it out, or pass over it. */
export type FieldContent = 'scalar' | 'bytes' | 'text' | 'message' | 'payload' | 'unread'

/** One field of a message as the schema declares it. */
export interface FieldRow {
  readonly name: string
  /** Wire type of one value: 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes. */
  readonly wire: 0 | 1 | 2 | 5
  readonly repeated: boolean
  readonly content: FieldContent
  /** The message type of the value. */
  readonly message?: string
  /** At most one field of a group may be set. */
  readonly oneof?: string
}
