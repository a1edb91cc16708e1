import type { Node } from '../graph/graph.ts'
import { bodiesOf, nodesOf } from '../graph/walk.ts'
import type { TypedGraph } from '../infer/typed-graph.ts'
import type { TensorBound } from '../ops/bound.ts'
import { fixed, isFixed, unbounded } from '../ops/rules/join.ts'

/**
 * What a node is bounded by that has no bound for a reason: the first refusal among what it reads, or a new one; nothing
 * varies where nothing that it reads does.
 */
export function refused(
  typed: TypedGraph,
  node: Node,
  read: readonly TensorBound[],
  reason: string,
): TensorBound {
  const varying = read.filter((bound) => !isFixed(bound))
  if (varying.length === 0)
    return bodyDraws(typed, node)
      ? unbounded(node, 'runs a body that draws random numbers or holds unknown operators')
      : fixed()
  return varying.find((bound) => bound.refusal !== null) ?? unbounded(node, reason)
}

/** Whether a body of the node holds what is no function of its inputs: random draws, or operators that are not known. */
function bodyDraws(typed: TypedGraph, node: Node): boolean {
  return bodiesOf(node).some((body) => {
    for (const inner of nodesOf(body)) {
      const { operator } = typed.typed(inner)
      if (operator === null || operator.draws?.(inner) === true) return true
    }
    return false
  })
}
