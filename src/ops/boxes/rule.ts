import type { BoundContext, BoundRule } from '../bound.ts'
import { companions } from '../rules/norms.ts'
import type { Box } from './box.ts'

/**
 * What a node says of the ranges of single elements: a box for each output, null where it says no more than the range
 * of the whole tensor. `boxOf(i)` is what is known of input i, one interval for all where that is all; null where
 * its rank is not known. Every element of an output lies in its interval, whatever elements of the inputs'.
 */
export type BoxRule = (context: BoundContext, boxOf: (i: number) => Box | null) => readonly (Box | null)[]

/** A bound rule that carries ranges of single elements, too. */
export function withBoxes(rule: BoundRule, boxes: BoxRule): BoundRule {
  return companions(rule, (context) => rule(context), { boxes })
}
