import { LipschitzError, named } from '../core/errors.ts'
import type { Node, Value } from '../graph/graph.ts'
import type { LayerSpec } from '../ops/layer.ts'
import type { Operand } from '../ops/operand.ts'
import type { Operator } from '../ops/operator.ts'

/** Makes the layers of a node from its declaration when they are first asked for. */
export function createLayers(
  operatorOf: (node: Node) => Operator | null,
  operandOf: (value: Value) => Operand,
): (node: Node) => readonly LayerSpec[] {
  const made = new Map<Node, readonly LayerSpec[]>()

  function operandAt(values: readonly (Value | null)[], index: number): Operand | null {
    const value = values[index] ?? null
    return value === null ? null : operandOf(value)
  }

  function make(node: Node): readonly LayerSpec[] {
    const rule = operatorOf(node)?.layers
    if (rule === undefined) return []
    return named({ node: node.name }, () =>
      rule({
        node,
        input: (i) => operandAt(node.inputs, i),
        output: (i) => operandAt(node.outputs, i),
        fail: (message) => {
          throw new LipschitzError('malformed', `${node.op}: ${message}`, { node: node.name })
        },
      }),
    )
  }

  return (node) => {
    const layers = made.get(node) ?? make(node)
    made.set(node, layers)
    return layers
  }
}
