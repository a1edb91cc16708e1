import type { FieldRow } from './field-row.ts'
import { messageFields } from './generated/fields.ts'

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
