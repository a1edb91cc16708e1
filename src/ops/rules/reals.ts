import { isFloatType } from '../../core/tensor.ts'
import type { BoundContext, BoundRule, TensorBound } from '../bound.ts'
import { companions } from './norms.ts'

/**
 * Restricts a rule to floating-point results: the same operator on integers rounds and overflows, so that its
 * constant is another. Integers that depend on the inputs come from quantisation.
 */
export function overReals(rule: BoundRule): BoundRule {
  const restricted = (context: BoundContext, bound: () => readonly TensorBound[]) => {
    const type = context.output(0)?.type ?? null
    if (type === null || isFloatType(type)) return bound()
    return context.node.outputs.map(() => context.refuse('computes with integers: they round and overflow'))
  }
  const { norms } = rule
  const restrictedNorms: BoundRule['norms'] =
    typeof norms === 'function' ? (context, norm) => restricted(context, () => norms(context, norm)) : norms
  return companions(rule, (context) => restricted(context, () => rule(context)), {
    boxes: rule.boxes,
    norms: restrictedNorms,
  })
}
