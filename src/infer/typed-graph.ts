import type { Graph, Model, Node, Note, Value } from '../graph/graph.ts'
import type { LayerSpec } from '../ops/layer.ts'
import type { Operand } from '../ops/operand.ts'
import type { Operator } from '../ops/operator.ts'

/** A node with what inference found: its declaration, its operands, and what it writes. */
export interface TypedNode {
  readonly node: Node
  /** The declaration that holds for the node's domain and version; null when the operator is not known. */
  readonly operator: Operator | null
  /** Aligned with `node.inputs`; null where an optional input is omitted. */
  readonly inputs: readonly (Operand | null)[]
  /** Aligned with `node.outputs`; null where an optional output is omitted. */
  readonly outputs: readonly (Operand | null)[]
}

/**
 * A model after inference: types, shapes and constantness of every value of the main graph and of the bodies of
 * If, Loop and Scan. Elements and layers are computed on demand.
 */
export interface TypedGraph {
  readonly model: Model
  /** The main graph, nodes in topological order. */
  readonly graph: Graph
  /** The model's notes, then those of inference (a bound batch axis, operators that are not known). */
  readonly notes: readonly Note[]
  /** Any value of the main graph or of a body. */
  operand(value: Value): Operand
  /** Any node of the main graph or of a body. */
  typed(node: Node): TypedNode
  /** The layers that the node is, made once; empty where it is none. */
  layers(node: Node): readonly LayerSpec[]
}
