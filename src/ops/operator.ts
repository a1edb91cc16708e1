import type { ElementType, Shape, Tensor } from '../core/tensor.ts'
import type { Graph, Node, Value } from '../graph/graph.ts'
import type { StoredTensor } from '../onnx/stored-tensor.ts'
import type { BoundRule } from './bound.ts'
import type { LayerSpec } from './layer.ts'
import type { Calculus } from './linear-map.ts'

/** What inference knows of a value: null where it does not know. */
export interface ValueInfo {
  readonly type: ElementType | null
  readonly shape: Shape | null
}

/** An input as shape and layer rules see it. */
export interface Operand extends ValueInfo {
  readonly value: Value
  /** Whether the elements follow from the file alone (or from shapes). Costs nothing. */
  readonly isConstant: boolean
  /** The tensor in the file whose elements these are, unchanged: an initializer, or what `stored` passes on. */
  readonly stored: StoredTensor | null
  /**
   * The elements, folded on demand within the budget; null when not constant, or when its shape depends on a
   * dimension that is not known. Entries may be NaN (unknown), for example where they are such dimensions.
   */
  constant(): Tensor | null
  /** The elements only if they are at most a few thousand: for shapes, axes, pads, repeats. */
  smallConstant(): Tensor | null
}

export interface InferenceContext {
  readonly node: Node
  /** Null where the optional input i is omitted. */
  input(i: number): Operand | null
  /** Refuses the model: the file contradicts itself or the operator's specification. */
  fail(message: string): never
  /** Infers a body graph with the given infos for its formal inputs; returns the infos of its outputs. */
  body(graph: Graph, inputs: readonly ValueInfo[]): readonly ValueInfo[]
}

export interface FoldingContext {
  readonly node: Node
  /** All inputs in memory; null where omitted. */
  readonly inputs: readonly (Tensor | null)[]
  /** Types and shapes of the inputs: all that an operator with `foldsFrom: 'shapes'` may read. */
  readonly operands: readonly (ValueInfo | null)[]
  /** What inference found for each output. */
  readonly outputs: readonly ValueInfo[]
  fail(message: string): never
  /** Refuses to create more than the budget allows, before it is allocated. */
  allocate(type: ElementType, dims: readonly number[]): Tensor
}

export interface LayerContext {
  readonly node: Node
  input(i: number): Operand | null
  output(i: number): ValueInfo | null
  /** Refuses the model, also later from within `load`: weights that contradict the operator's specification. */
  fail(message: string): never
}

/**
 * One operator from one opset version on, as data. The registry picks, for a node, the declaration with the
 * largest `since` that is ≤ the imported version of its domain.
 */
export interface Operator extends Calculus {
  readonly op: string
  /** Default '' (ai.onnx). */
  readonly domain?: string
  /** Default 1. */
  readonly since?: number
  /** First version that no longer has it: the operator was removed from the standard. */
  readonly until?: number
  /** Types and shapes of the outputs, from those of the inputs. Never believes what the file declares. */
  infer(context: InferenceContext): readonly ValueInfo[]
  /**
   * The outputs' elements from the inputs': constant folding. Null where the outputs' shapes depend on entries
   * that are not known. Absent: never folded. Never called for strings and complex numbers.
   */
  readonly fold?: (context: FoldingContext) => readonly Tensor[] | null
  /** Whether the node may draw random numbers: then its outputs are no constants, whatever its inputs are. */
  readonly draws?: (node: Node) => boolean
  /**
   * 'shapes': folding needs the inputs' shapes alone, so the outputs are constant as soon as the ranks are known
   * (Shape, Size); `inputs` is then empty. 'first': it needs the elements of the first input, and of the others
   * types and shapes (CastLike); `inputs` holds only that one. Default 'elements': all inputs must be constant.
   */
  readonly foldsFrom?: 'elements' | 'first' | 'shapes'
  /**
   * The stored tensor that the first output is, unchanged, given those that the inputs are (Constant, Identity):
   * lets a weight be read from the file in place. Absent: the outputs are computed.
   */
  readonly stored?: (node: Node, inputs: readonly (StoredTensor | null)[]) => StoredTensor | null
  /**
   * The outputs' shapes depend on the inputs' elements and cannot be told from constants (NonZero, Compress,
   * Unique): a dimension that inference leaves open is then data, and so is everything computed from it.
   */
  readonly shapesFollowData?: true
  /**
   * The body that runs whatever the data are, where constants decide (If): the node's outputs are then the
   * body's. Null where they do not decide.
   */
  readonly takes?: (context: InferenceContext) => Graph | null
  /** The layers that this node is, when a weight is constant: their linear operators. */
  readonly layers?: (context: LayerContext) => readonly LayerSpec[]
  /**
   * The input that the first output equals up to a constant and a change of nothing else (Identity, adding a
   * constant); null where there is none.
   */
  readonly translates?: (context: LayerContext) => number | null
  /** An attribute may be NaN without the output being so: it is what elements are compared with. */
  readonly comparesWithNaN?: true
  /** How the node carries bounds from its inputs to its outputs. Absent: no certificate behind this node. */
  readonly bound?: BoundRule
  /** Why there is no `bound`, in words that go on from the node's name; what the refusal says. One of the two is given. */
  readonly without?: string
}
