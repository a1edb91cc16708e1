import * as term from '../core/term.ts'
import type { Node } from '../graph/graph.ts'
import type { BoundContext, TensorBound } from '../ops/bound.ts'
import { unbounded } from '../ops/rules/join.ts'

/** Numbers that make no magnitude (NaN in an attribute) make no bound. */
export function guarded(context: BoundContext, rule: () => readonly TensorBound[]): readonly TensorBound[] {
  try {
    return rule()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return context.node.outputs.map(() => context.refuse('has attributes that are no finite numbers'))
  }
}

/** An infinite constant never goes without a reason. */
export function explained(node: Node, bound: TensorBound, reason: string | null): TensorBound {
  if (bound.refusal !== null) return bound
  if (term.isBounded(bound.lipschitz) && term.isBounded(bound.offset)) return bound
  return { ...unbounded(node, reason ?? 'has no finite constant'), range: bound.range }
}
