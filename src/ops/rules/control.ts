import * as term from '../../core/term.ts'
import { graphAttribute } from '../../graph/attribute.ts'
import type { BoundContext, BoundRule, TensorBound } from '../bound.ts'
import { scalarOf } from './constant.ts'
import { hull } from './interval.ts'
import { isFixed } from './join.ts'

/** One of two bounds holds, and which one does not vary: the larger constants hold for both. */
function either(a: TensorBound, b: TensorBound): TensorBound {
  if (a.refusal !== null) return a
  if (b.refusal !== null) return b
  return {
    lipschitz: term.maximum(a.lipschitz, b.lipschitz),
    offset: term.maximum(a.offset, b.offset),
    range: hull(a.range, b.range),
    norm: Math.max(a.norm, b.norm),
    dependence: new Set([...a.dependence, ...b.dependence]),
    refusal: null,
  }
}

/**
 * If: the branch taken, where the condition is constant; the worse of both where it is fixed but not known (an
 * integer input). A condition computed from data jumps.
 */
const conditional: BoundRule = (context: BoundContext) => {
  const condition = context.input(0)
  const [taken, other] = [
    graphAttribute(context.node, 'then_branch'),
    graphAttribute(context.node, 'else_branch'),
  ]
  const refuse = (reason: string) => context.node.outputs.map(() => context.refuse(reason))
  if (condition === null || taken === null || other === null) return refuse('lacks its condition or a branch')
  if (!isFixed(condition)) return refuse('chooses a branch by a condition that is computed from data')
  const value = scalarOf(condition)
  if (value !== null) return context.body(value !== 0 ? taken : other)
  const [first, second] = [context.body(taken), context.body(other)]
  return context.node.outputs.map((_, i) => either(first[i], second[i]))
}

export const controlRules = {
  If: conditional,
} satisfies Record<string, BoundRule>
