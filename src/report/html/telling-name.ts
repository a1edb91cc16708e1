import { displayName } from '../display-name.ts'

/** A node's name as people read it; a name that is only a number gets its operator before it. */
export function tellingName(node: string, op: string, most?: number): string {
  const name = displayName(node, most)
  return op !== '' && /^\d+$/.test(name) ? `${displayName(op, 24)} ${name}` : name
}
