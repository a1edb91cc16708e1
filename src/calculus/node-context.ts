import { LipschitzError } from '../core/errors.ts'
import type { Node, Value } from '../graph/graph.ts'
import type { TypedGraph } from '../infer/typed-graph.ts'
import type { LinearContext } from '../ops/calculus.ts'
import type { LinearMap } from '../ops/linear-map.ts'

/** What the rules of a node may read, with the given values varying; null where the operator is not known. */
export function linearContext(
  typed: TypedGraph,
  node: Node,
  varies: (value: Value) => boolean,
): LinearContext | null {
  const { operator, inputs, outputs } = typed.typed(node)
  if (operator === null) return null
  const varying = node.inputs.map((value) => value !== null && varies(value))
  return {
    node,
    operator,
    inputs,
    outputs,
    varies: (i) => varying[i] ?? false,
    fail: (message) => {
      throw new LipschitzError('malformed', `${node.op}: ${message}`, { node: node.name })
    },
  }
}

/** The linear part of a node where it is affine in the values that vary; null where it is not, or not known to be. */
export function linearMapOf(
  typed: TypedGraph,
  node: Node,
  varies: (value: Value) => boolean,
): LinearMap | null {
  const context = linearContext(typed, node, varies)
  return context?.operator.linear?.(context) ?? null
}
