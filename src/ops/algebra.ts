import type { FloatArray, Tensor } from '../core/tensor.ts'
import type { Interval } from './bound.ts'
import type { LinearMap } from './linear-map.ts'

/** An array on the way through a definition; `slot` −1: it does not vary. */
export interface Variable {
  readonly dims: readonly number[]
  readonly data: FloatArray
  readonly slot: number
}

/** What is largest, and its places as numbers that do not vary. */
export interface Largest {
  readonly values: Variable
  readonly positions: Variable
}

/** A function of two numbers with its partial derivatives, which may also use the result. */
export interface Binary {
  readonly value: (x: number, y: number) => number
  readonly first: (x: number, y: number, result: number) => number
  readonly second: (x: number, y: number, result: number) => number
}

/** Holds all secants of a function over an interval, rounded outward; infinite where there is no bound. */
export type SecantsOf = (range: Interval) => Interval

/**
 * Arrays of real numbers whose operations remember their derivatives: an operator that is defined in terms of these
 * has its value and its derivative from the one definition. What does not vary is computed and not remembered.
 */
export interface Algebra {
  constant(dims: readonly number[], data: FloatArray): Variable
  /** An array that varies where it is asked for. */
  input(tensor: Tensor, varies: boolean): Variable
  /** The same numbers, not varying: what cancels out, as a shift of exponents does. */
  fixed(x: Variable): Variable
  /**
   * f of each element; the derivative from the element and the result. `secants` serves enclosures, which refuse what has
   * none.
   */
  map(
    x: Variable,
    f: (x: number) => number,
    slope: (x: number, result: number) => number,
    secants?: SecantsOf,
  ): Variable
  /** Elementwise with broadcasting. */
  zip(a: Variable, b: Variable, f: Binary): Variable
  /** Σ of products: labels name the axes; those that the output lacks are summed. */
  product(a: Variable, aLabels: string, b: Variable, bLabels: string, output: string): Variable
  /** Σ over the axes, which stay with length 1. */
  sum(x: Variable, axes: readonly number[]): Variable
  /** The largest over the axes, which stay with length 1; the first of equal ones counts. */
  max(x: Variable, axes: readonly number[]): Variable
  /**
   * The largest of each run of `taps` places, −1 for none, and where it stands in x; the first of equal ones counts. −∞
   * where a run has no place.
   */
  largest(x: Variable, dims: readonly number[], places: Int32Array, taps: number): Largest
  /** Each element of the result is the element of x with that place; −1 stands for the filling number. */
  select(x: Variable, dims: readonly number[], places: Int32Array, filling?: number): Variable
  reshape(x: Variable, dims: readonly number[]): Variable
  transpose(x: Variable, perm: readonly number[]): Variable
  /** Elements `from` to `to` of one axis, in steps of `step`, which may be −1. */
  slice(x: Variable, axis: number, from: number, to: number): Variable
  reverse(x: Variable, axis: number): Variable
  concat(parts: readonly Variable[], axis: number): Variable
  /** The derivative of results by inputs, as the map of a node. */
  derivative(inputs: readonly (Variable | null)[], outputs: readonly (Variable | null)[]): LinearMap
}
