import type { ElementType, Shape, Tensor } from '../core/tensor.ts'
import type { Graph, Node, Value } from '../graph/graph.ts'
import type { StoredTensor } from '../onnx/stored-tensor.ts'

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

/** How a node's outputs follow from the elements of its inputs. */
export interface Folding {
  /**
   * The outputs' elements from the inputs': constant folding. Null where the outputs' shapes depend on entries
   * that are not known. Absent: never folded. Never called for strings and complex numbers.
   */
  readonly fold?: (context: FoldingContext) => readonly Tensor[] | null
  /**
   * 'shapes': folding needs the inputs' shapes alone, so the outputs are constant as soon as the ranks are known
   * (Shape, Size); `inputs` is then empty. 'first': it needs the elements of the first input, and of the others
   * types and shapes (CastLike); `inputs` holds only that one. Default 'elements': all inputs must be constant.
   */
  readonly foldsFrom?: 'elements' | 'first' | 'shapes'
}

export interface LayerContext {
  readonly node: Node
  input(i: number): Operand | null
  output(i: number): ValueInfo | null
  /** Refuses the model, also later from within `load`: weights that contradict the operator's specification. */
  fail(message: string): never
}
