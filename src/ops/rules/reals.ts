import { isFloatType } from '../../core/tensor.ts'
import type { BoundRule } from '../bound.ts'

/**
 * Restricts a rule to floating-point results: the same operator on integers rounds and overflows, so that its
 * constant is another. Integers that depend on the inputs come from quantisation.
 */
export function overReals(rule: BoundRule): BoundRule {
  return (context) => {
    const type = context.output(0)?.type ?? null
    if (type === null || isFloatType(type)) return rule(context)
    return context.node.outputs.map(() => context.refuse('computes with integers: they round and overflow'))
  }
}
