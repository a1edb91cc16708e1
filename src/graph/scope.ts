import type { DraftGraph, DraftNode, DraftValue } from './draft.ts'
import { capture } from './draft.ts'
import type { Attribute } from './graph.ts'
import { malformed } from './malformed.ts'

/** Where names are looked up: a graph, a body, or an inlined call of a function. */
export interface Scope {
  /** The graph that nodes of this scope become part of. */
  readonly graph: DraftGraph
  /** Put before the names of what this scope makes: the path of calls that lead here. */
  readonly prefix: string
  /** Values by their names in the file; null for a function's input that the call omits. */
  readonly values: Map<string, DraftValue | null>
  readonly opsets: ReadonlyMap<string, number>
  /** The attributes of the call that is inlined here; null outside of functions. */
  readonly attributes: ReadonlyMap<string, Attribute> | null
  /** The surrounding scope, and the node whose body this is; both null for the main graph and for calls. */
  readonly parent: Scope | null
  readonly owner: DraftNode | null
  /** How many bodies are around it. */
  readonly depth: number
}

/**
 * The value of that name, looked up outwards through bodies; every node whose body looks past itself is told.
 * Null where a call omits it. Throws `malformed` where there is none.
 */
export function lookUp(scope: Scope, name: string, node?: string): DraftValue | null {
  let at: Scope | null = scope
  while (at !== null && !at.values.has(name)) at = at.parent
  if (at === null) throw malformed(`'${name}' is read and nothing writes it`, { node, tensor: name })
  const value = at.values.get(name) ?? null
  if (value === null) return null
  for (let inner = scope; inner !== at; inner = inner.parent!) {
    if (inner.owner !== null) capture(inner.owner, value)
  }
  return value
}

/** Whether the name is taken in the scope or in one around it. */
export function isTaken(scope: Scope, name: string): boolean {
  for (let at: Scope | null = scope; at !== null; at = at.parent) if (at.values.has(name)) return true
  return false
}
