import type { BoundContext, Box, BoxRule } from '../bound.ts'
import type { LinearContext } from '../calculus.ts'
import type { Spread } from './spread.ts'

/** What a rule for spreads may read. */
export interface SpreadContext {
  readonly bound: BoundContext
  readonly linear: LinearContext
  /** The spread of input i; null where nothing is known beyond the whole's bound. */
  spreadOf(i: number): Spread | null
  /** The same, as one part where that is all; null where the rank is not known or there is no bound. */
  wholeOf(i: number): Spread | null
  /** Where the elements of input i lie; null where its rank is not known. */
  boxOf(i: number): Box | null
  /** How the node carries boxes. */
  readonly boxes: BoxRule | undefined
  /** The constant by which the node's rule has the first output vary with its first input; Infinity where it has none. */
  readonly gain: number
}

/**
 * What a node says of the parts of its outputs: spreads that hold for them, null where it says no more than the
 * bound of a whole tensor does.
 */
export type SpreadRule = (context: SpreadContext) => readonly (Spread | null)[]

/** A rule of the first output. */
export function first(rule: (context: SpreadContext) => Spread | null): SpreadRule {
  return (context) => [rule(context)]
}
