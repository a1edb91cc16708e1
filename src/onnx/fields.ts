import { messageFields } from './generated/fields.ts'

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

export type MessageName = keyof typeof messageFields

export interface Field extends Omit<FieldRow, 'message'> {
  readonly message: MessageKind | null
  /** Bit of a singular field (or of its group) in the set of fields seen; 0 for repeated ones. */
  readonly bit: number
}

/** A message type with its fields by number. */
export interface MessageKind {
  readonly name: MessageName
  readonly fields: (Field | undefined)[]
}

function buildKinds(): Map<string, MessageKind> {
  const names = Object.keys(messageFields) as MessageName[]
  const kinds = new Map<string, MessageKind>(names.map((name) => [name, { name, fields: [] }]))
  for (const [name, kind] of kinds) {
    const bits = new Map<string, number>()
    const rows: Record<string, FieldRow> = messageFields[name as MessageName]
    for (const [number, row] of Object.entries(rows)) {
      const group = row.oneof ?? row.name
      if (!row.repeated && !bits.has(group)) bits.set(group, 2 ** bits.size)
      const message = row.message === undefined ? null : kinds.get(row.message)!
      kind.fields[Number(number)] = { ...row, message, bit: row.repeated ? 0 : bits.get(group)! }
    }
  }
  return kinds
}

const kinds = buildKinds()

/** The message type of a name; all others are reached through its fields. */
export function messageKind(name: MessageName): MessageKind {
  return kinds.get(name)!
}
