import type { StoredTensor } from '../onnx/stored-tensor.ts'
import type { Attribute, Declaration, Graph, Node, Value } from './graph.ts'

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

/** The parts of a graph while it is built; finished, they are handed out as read-only. */
export type DraftValue = Mutable<Value>

export interface DraftNode extends Mutable<Omit<Node, 'attributes' | 'captures'>> {
  attributes: Map<string, Attribute>
  captures: ReadonlySet<Value>
}

export interface DraftGraph
  extends Mutable<Omit<Graph, 'inputs' | 'outputs' | 'nodes' | 'initializers' | 'overridable'>> {
  inputs: Value[]
  outputs: Value[]
  nodes: Node[]
  initializers: Value[]
  overridable: Value[]
}

export function draftGraph(name: string): DraftGraph {
  return { name, inputs: [], outputs: [], nodes: [], initializers: [], overridable: [] }
}

/** Most nodes have no bodies: they share one empty set. */
const none: ReadonlySet<Value> = new Set()

/** Records that a body of the node reads a value from outside. */
export function capture(node: DraftNode, value: Value): void {
  if (node.captures === none) node.captures = new Set<Value>()
  ;(node.captures as Set<Value>).add(value)
}

/** Numbers values and nodes in the order of their creation. */
export interface Drafter {
  value(name: string, origin: Value['origin'], declared: Declaration, stored?: StoredTensor): DraftValue
  node(fields: Omit<DraftNode, 'id' | 'captures'>): DraftNode
}

export function createDrafter(): Drafter {
  let values = 0
  let nodes = 0
  return {
    value: (name, origin, declared, stored) => ({
      id: values++,
      name,
      origin,
      producer: null,
      stored: stored ?? null,
      declared,
    }),
    node: (fields) => ({ ...fields, id: nodes++, captures: none }),
  }
}
