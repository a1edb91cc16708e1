import { isFloatType, sizeOf } from '../core/tensor.ts'
import type { Node, Value } from '../graph/graph.ts'
import type { Operand } from '../ops/operand.ts'
import type { Operator } from '../ops/operator.ts'

/** What is left of a declaration when nothing may be proven by it: types, shapes, elements, and layers to list. */
export function withoutProof(operator: Operator, reason?: string): Operator {
  const { op, domain, since, until, infer, fold, foldsFrom, draws, stored, shapesFollowData, takes } =
    operator
  const { layers } = operator
  const listed: Operator['layers'] =
    layers && ((context) => layers(context).map(({ affine: _, ...layer }) => layer))
  return {
    ...{ op, domain, since, until, infer, fold, foldsFrom, draws, stored, shapesFollowData, takes },
    layers: listed,
    bound: undefined,
    without: reason ?? operator.without,
  }
}

/**
 * Whether a constant makes a node's outputs no numbers: one that holds NaN, or a vector beside a layer's weights that
 * holds an infinity. (Infinities elsewhere are masks; weights of layers are looked at where they are measured.)
 */
function isNoNumber({ shape, type, isConstant, constant }: Operand, isLayer: boolean): boolean {
  if (!isConstant || !isFloatType(type) || shape === null) return false
  const isWeight = isLayer && shape.length > 1
  if (isWeight || sizeOf(shape) === 0) return false
  const data = constant()?.data ?? []
  return isLayer ? !data.every(Number.isFinite) : data.some(Number.isNaN)
}

function hasNoNumber({ attributes }: Node): boolean {
  for (const { kind, value } of attributes.values()) {
    if ((kind === 'float' && Number.isNaN(value)) || (kind === 'floats' && value.some(Number.isNaN)))
      return true
  }
  return false
}

/**
 * The declaration of each node as far as proofs may use it: none by nodes that read constants, or have attributes, which are
 * no numbers. Then
 * the node's output is no number either, whatever the inputs, and no bound of it is true. Constants are read when a
 * node is first asked for.
 */
export function createTrust(
  operatorOf: (node: Node) => Operator | null,
  operand: (value: Value) => Operand,
): (node: Node) => Operator | null {
  const trusted = new Map<Node, Operator | null>()

  function judge(node: Node): Operator | null {
    const operator = operatorOf(node)
    if (operator === null || node.outputs.every((output) => output === null || operand(output).isConstant))
      return operator
    const isLayer = operator.layers !== undefined
    const reads = (value: Value | null) => value !== null && isNoNumber(operand(value), isLayer)
    if (!operator.comparesWithNaN && hasNoNumber(node))
      return withoutProof(operator, 'has an attribute that is not a number')
    return node.inputs.some(reads) ? withoutProof(operator, 'reads a constant that is not finite') : operator
  }

  return (node) => {
    const known = trusted.get(node)
    if (known !== undefined) return known
    const operator = judge(node)
    trusted.set(node, operator)
    return operator
  }
}
