import type { BoundRule, BoxRule } from '../bound.ts'
import { companions } from '../rules/norms.ts'

/** A bound rule that carries ranges of single elements, too. */
export function withBoxes(rule: BoundRule, boxes: BoxRule): BoundRule {
  return companions(rule, (context) => rule(context), { boxes })
}
