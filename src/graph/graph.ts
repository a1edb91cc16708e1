import type { Limits } from '../core/limits.ts'
import type { ElementType, Shape } from '../core/tensor.ts'
import type { StoredTensor } from '../onnx/stored-tensor.ts'

/** One edge of the graph: what a node writes once and any number of nodes read. Identity is the object. */
export interface Value {
  readonly id: number
  /** As in the file; inside an inlined function prefixed with the calling node's name and a slash. */
  readonly name: string
  readonly origin: 'input' | 'initializer' | 'node'
  /** The node that writes it; null for inputs and initializers. */
  readonly producer: Node | null
  /** The stored tensor of an initializer; null for others. */
  readonly stored: StoredTensor | null
  /** What the file declares. Believed for graph inputs alone, held against the inferred shape elsewhere. */
  readonly declared: Declaration
}

/** What the file claims of a value; null where it claims nothing. */
export interface Declaration {
  /** 'tensor' also where nothing is claimed; the others are values that are no dense tensor. */
  readonly kind: 'tensor' | 'sequence' | 'optional' | 'map' | 'sparse' | 'opaque'
  readonly type: ElementType | null
  readonly shape: Shape | null
  /** The names of dimensions (dim_param), aligned with `shape`; null where a dimension has none. */
  readonly symbols: readonly (string | null)[] | null
}

export type Attribute =
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'tensor'; readonly value: StoredTensor }
  | { readonly kind: 'graph'; readonly value: Graph }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  | { readonly kind: 'tensors'; readonly value: readonly StoredTensor[] }
  | { readonly kind: 'graphs'; readonly value: readonly Graph[] }
  | { readonly kind: 'other'; readonly value: null }

export interface Node {
  readonly id: number
  /** The node's name; where it is empty, the name of its first output. Unique names are not promised. */
  readonly name: string
  readonly op: string
  /** '' for ai.onnx. */
  readonly domain: string
  /** The version of `domain` that the model (or function) imports. */
  readonly version: number
  readonly attributes: ReadonlyMap<string, Attribute>
  /** null stands for an omitted optional input. */
  readonly inputs: readonly (Value | null)[]
  /** null stands for an omitted optional output. */
  readonly outputs: readonly (Value | null)[]
  /** Values from outside that the node's bodies read; empty for nodes without bodies. */
  readonly captures: ReadonlySet<Value>
}

/**
 * A graph with functions inlined and nodes in topological order. Bodies of If, Loop and Scan are graphs in
 * attributes; they refer to outer values by the same Value objects.
 */
export interface Graph {
  readonly name: string
  /** Formal inputs without an initializer of the same name. */
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  readonly nodes: readonly Node[]
  readonly initializers: readonly Value[]
  /** Those initializers that are also formal inputs (IR ≥ 4): a caller may override them. */
  readonly overridable: readonly Value[]
}

/** A fact about the file that a reader of the report should know, as a finding. */
export interface Note {
  readonly rule: string
  readonly message: string
  readonly node?: string
}

/** A whole model as read: its main graph and what the report says of the file. */
export interface Model {
  readonly path: string
  readonly sha256: string
  readonly bytes: number
  readonly irVersion: number
  readonly opsets: ReadonlyMap<string, number>
  readonly producer: string
  /** Elements of all initializers and constant tensors of floating or quantised type that layers may use. */
  readonly parameters: number
  readonly graph: Graph
  /** What this model is held against in all later stages. */
  readonly limits: Limits
  /** Facts about the file that a reader should know (for example training info that is ignored), as findings. */
  readonly notes: readonly Note[]
}
