import type { Graph, Node } from '../graph/graph.ts'
import type { StoredTensor } from '../onnx/stored-tensor.ts'
import type { BoundRule } from './bound.ts'
import type { Calculus } from './calculus.ts'
import type { LayerSpec } from './layer.ts'
import type { Folding, InferenceContext, LayerContext, ValueInfo } from './operand.ts'

/**
 * One operator from one opset version on, as data. The registry picks, for a node, the declaration with the
 * largest `since` that is ≤ the imported version of its domain.
 */
export interface Operator extends Folding, Calculus {
  readonly op: string
  /** Default '' (ai.onnx). */
  readonly domain?: string
  /** Default 1. */
  readonly since?: number
  /** First version that no longer has it: the operator was removed from the standard. */
  readonly until?: number
  /** Types and shapes of the outputs, from those of the inputs. Never believes what the file declares. */
  infer(context: InferenceContext): readonly ValueInfo[]
  /** Whether the node may draw random numbers: then its outputs are no constants, whatever its inputs are. */
  readonly draws?: (node: Node) => boolean
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
