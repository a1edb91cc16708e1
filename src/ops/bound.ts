import type { Limits } from '../core/limits.ts'
import type { OtherNorm } from '../core/norm-name.ts'
import type { Shape } from '../core/tensor.ts'
import type { Term } from '../core/term.ts'
import type { Graph, Node, Value } from '../graph/graph.ts'
import type { Operand, ValueInfo } from './operand.ts'
import type { Region } from './rules/region.ts'

/** A closed interval that holds every element of a tensor over the domain; ±Infinity where nothing is known. */
export interface Interval {
  readonly lo: number
  readonly hi: number
}

/**
 * Where each element of a tensor lies. `dims` has the tensor's rank; along an axis where it is 1 all elements share
 * their interval. Ends may be infinite, and are never NaN.
 */
export interface Box {
  readonly dims: readonly number[]
  readonly lo: Float64Array
  readonly hi: Float64Array
}

/** Why there is no bound: the first operator on the way that has none, and the reason in plain words. */
export interface Refusal {
  readonly node: string
  readonly op: string
  readonly reason: string
}

/**
 * What the walk knows of a tensor: |Δtensor|₂ ≤ lipschitz·|Δinputs|₂ + offset for any two inputs of the domain,
 * every element of the tensor lies in `range`, and their ℓ2 norm is at most `norm`.
 */
export interface TensorBound {
  /** Zero for tensors that do not depend on the audited inputs; infinite with a refusal where there is no proof. */
  readonly lipschitz: Term
  readonly offset: Term
  readonly range: Interval
  /** ‖tensor‖₂ at most, over all elements; Infinity where nothing is known. */
  readonly norm: number
  /** Audited inputs (indices) that the tensor may depend on; disjoint sets join by root-sum-square. */
  readonly dependence: ReadonlySet<number>
  readonly refusal: Refusal | null
  /** How it follows from parts of a tensor that was cut, where it does. */
  readonly share?: Share | null
}

/** A tensor that is cut into parts: one for every time that it is computed. */
export interface Origin {
  /** Later ones come behind earlier ones. */
  readonly order: number
  readonly bound: TensorBound
}

/** |Δtensor| ≤ lipschitz·|Δ(origin, on the regions)| + offset. */
export interface Share {
  readonly origin: Origin
  readonly regions: readonly Region[]
  readonly lipschitz: Term
  readonly offset: Term
  /** Whether the tensor is the only region itself, axis by axis. */
  readonly isPart: boolean
  /** The bound that it was found with: it says nothing of a bound that was changed behind it. */
  readonly of: Pick<TensorBound, 'lipschitz' | 'offset'>
}

/** An input of a node as bound rules see it. */
export interface BoundOperand extends TensorBound {
  readonly info: ValueInfo
  readonly operand: Operand
  readonly shape: Shape | null
  readonly isConstant: boolean
}

export interface BoundContext {
  readonly node: Node
  readonly limits: Limits
  /** Null where the optional input i is omitted. */
  input(i: number): BoundOperand | null
  readonly inputCount: number
  output(i: number): ValueInfo | null
  readonly outputCount: number
  /** Input i as a tensor that is cut into parts, for shares; null where parts are not followed. */
  origin(i: number): Origin | null
  /** Any value that the node or one before it reads: what recognising decomposed forms needs. */
  operandOf(value: Value): BoundOperand
  /** The number that a constant of one element holds, anywhere in the graph or its bodies; null for anything else. */
  numberIn(value: Value): number | null
  /** The norm of the layer with this role of this node, as a leaf; null when the node has no such layer. */
  layerNorm(role?: string, of?: Node): Term | null
  /** No certificate behind this node, for the given reason, unless nothing that it reads varies. */
  refuse(reason: string): TensorBound
  /**
   * Carries the bounds through a body graph with the given ones at its formal inputs, once; returns those of its
   * outputs. Loops over bodies that take too long get refusals.
   */
  body(graph: Graph, inputs?: readonly TensorBound[]): readonly TensorBound[]
  /** A contradiction that inference should have met: reading attributes again needs it. */
  fail(message: string): never
}

/**
 * What a node says of the ranges of single elements: a box for each output, null where it says no more than the range
 * of the whole tensor. `boxOf(i)` is what is known of input i, one interval for all where that is all; null where
 * its rank is not known. Every element of an output lies in its interval, whatever elements of the inputs'.
 */
export type BoxRule = (context: BoundContext, boxOf: (i: number) => Box | null) => readonly (Box | null)[]

/** A rule for ℓ∞ and ℓ1. */
export type NormRule = (context: BoundContext, norm: OtherNorm) => readonly TensorBound[]

/** How a node carries bounds from its inputs to its outputs. */
export interface BoundRule {
  (context: BoundContext): readonly TensorBound[]
  /** How it carries the ranges of single elements; absent: outputs have the range of their tensor alone. */
  readonly boxes?: BoxRule
  /** What it proves in ℓ∞ and ℓ1; `same`: it holds in every such norm as it is. Absent: nothing. */
  readonly norms?: NormRule | 'same'
  /** The rule that this one is, with more said; absent: it stands by itself. */
  readonly extends?: BoundRule
}

export const everything: Interval = { lo: -Infinity, hi: Infinity }
