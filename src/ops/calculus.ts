import type { FloatArray, Tensor } from '../core/tensor.ts'
import type { Graph, Node } from '../graph/graph.ts'
import type { Algebra, Variable } from './algebra.ts'
import type { LinearMap } from './linear-map.ts'
import type { Folding, Operand, ValueInfo } from './operand.ts'

/** What a node's linear map may read. */
export interface LinearContext {
  readonly node: Node
  /** The node's declaration: how it folds tells how it moves elements. */
  readonly operator: Folding & Calculus
  readonly inputs: readonly (Operand | null)[]
  readonly outputs: readonly (ValueInfo | null)[]
  /** Inputs that may vary; the others are constants or held fixed. */
  varies(i: number): boolean
  /** A contradiction that inference should have met: reading attributes again needs it. */
  fail(message: string): never
}

export type LinearRule = (context: LinearContext) => LinearMap | null

export type DerivativeRule = (context: PointContext) => LinearMap | null

/** A node whose inputs are at one point of the domain; types and shapes are those of the values. */
export interface EvaluationContext extends LinearContext {
  /** Inputs at the point, float64 where they are floating-point; null where omitted. */
  readonly values: readonly (Tensor | null)[]
}

/** A node at one point of the domain. */
export interface PointContext extends EvaluationContext {
  /** Outputs at the point, as `values`. */
  readonly results: readonly (Tensor | null)[]
}

/** A tensor at a point with its place among what varies; `slot` −1: it does not. */
export interface TracedTensor {
  readonly tensor: Tensor
  readonly slot: number
}

/** A node that runs bodies, at one point. */
export interface UnrollContext {
  readonly node: Node
  readonly inputs: readonly (TracedTensor | null)[]
  fail(message: string): never
  /** Runs a body once. */
  body(graph: Graph, inputs: readonly TracedTensor[]): readonly TracedTensor[]
  /** An array in terms of others. */
  define(
    inputs: readonly TracedTensor[],
    definition: (algebra: Algebra, variables: readonly Variable[]) => Variable,
  ): TracedTensor
}

/** What a definition reads besides the arrays themselves. */
export interface DefinitionContext extends EvaluationContext {
  readonly algebra: Algebra
  /** Input i at the point; null where it is omitted. */
  readonly variables: readonly (Variable | null)[]
}

/** An operator in terms of an algebra: its outputs; null for those, or altogether, where the node has no rule. */
export type Definition = (context: DefinitionContext) => readonly (Variable | null)[] | null

/** What an operator is as a function of real numbers. All optional: what is absent is not known. */
export interface Calculus {
  /**
   * The linear part of the node where it is affine in the inputs that vary, jointly, and the same everywhere; null
   * where it is not (a product of two inputs that vary). Serves norms of linear regions, slope bounds and Jacobians.
   */
  readonly linear?: LinearRule
  /**
   * The derivative at one point, for nodes that are not affine; where the node is not differentiable, any one-sided
   * derivative. Null where there is none.
   */
  readonly derivative?: DerivativeRule
  /**
   * The outputs' elements in float64, where folding does not give them or takes too long; null for those that are not
   * known. Absent: folding, and where there is none, `linear` applied to the inputs.
   */
  readonly evaluate?: (context: EvaluationContext) => readonly (Float64Array | null)[] | null
  /** The operator in terms of an algebra, which may be one of enclosures. */
  readonly definition?: Definition
  /** For elementwise operators: float64 evaluates them without rounding. */
  readonly isExact?: true
  /**
   * What the outputs for inputs of zeros add up, in absolute values, for operators that may cancel there; null where it is
   * not known. Absent: these outputs are read, not computed.
   */
  readonly offsetSize?: (context: EvaluationContext) => FloatArray | null
  /** The largest of the outputs stands where the largest of the first input stands: Softmax and its logarithm. */
  readonly keepsOrder?: true
  /** The outputs do not change where they are differentiable: comparisons, positions. */
  readonly locallyConstant?: true
  /**
   * For elementwise nodes: arguments at which the slope jumps. Searches for large derivatives cross them on purpose.
   */
  readonly kinks?: (context: EvaluationContext) => readonly number[]
  /** Nodes that run bodies: how often, and on what. */
  readonly unroll?: (context: UnrollContext) => readonly (TracedTensor | null)[] | null
}
