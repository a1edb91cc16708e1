import { isFloatType } from '../core/tensor.ts'
import type { Node } from '../graph/graph.ts'
import type { TracedTensor } from '../ops/calculus.ts'
import type { Operand } from '../ops/operand.ts'
import type { Operator } from '../ops/operator.ts'
import type { AffineNode } from './network.ts'
import { contextAt, valuesAt } from './node-at.ts'

/** The node as A·x + b in what has a slot, everything else at its value; null where it is not affine. */
export function makeAffine(
  node: Node,
  operator: Operator,
  traced: readonly (TracedTensor | null)[],
  outputs: readonly (Operand | null)[],
): AffineNode | null {
  const zeroed = traced.map((input) => {
    if (input === null || input.slot < 0) return input
    return { ...input, tensor: { ...input.tensor, data: new Float64Array(input.tensor.data.length) } }
  })
  const context = contextAt(node, operator, zeroed, outputs)
  const map = operator.linear?.(context) ?? null
  if (map === null) return null
  const results = valuesAt(context)
  if (results.some((tensor) => tensor !== null && !isFloatType(tensor.type) && tensor.type !== 'bool'))
    return null
  return {
    map,
    offsets: results.map((tensor) =>
      tensor?.data.some((x) => x !== 0) ? Float64Array.from(tensor.data) : null,
    ),
    outputs: results.map((tensor) => ({ type: tensor?.type ?? 'float64', dims: tensor?.dims ?? [] })),
    offsetSize: operator.offsetSize === undefined ? null : (operator.offsetSize(context) ?? undefined),
  }
}
