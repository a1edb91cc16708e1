import { LipschitzError } from '../core/errors.ts'
import { sizeOf, type Tensor } from '../core/tensor.ts'
import type { Node, Value } from '../graph/graph.ts'
import type { EvaluationContext, PointContext, TracedTensor } from '../ops/calculus.ts'
import type { LinearMap } from '../ops/linear-map.ts'
import { foldingContext, widened } from '../ops/maps/selection.ts'
import type { Operand, ValueInfo } from '../ops/operand.ts'
import type { Operator } from '../ops/operator.ts'

/** One node at one point: its operands, its values, its derivative. */

/** What the rules of a node may read at a point; shapes that depend on values are those of the values. */
export function contextAt(
  node: Node,
  operator: Operator,
  traced: readonly (TracedTensor | null)[],
  outputs: readonly (Operand | null)[],
): EvaluationContext {
  const inputs = traced.map((input, i) => input && operandAt(node.inputs[i]!, input))
  const fail = (message: string): never => {
    throw new LipschitzError('malformed', `${node.op}: ${message}`, { node: node.name })
  }
  const known = outputs.every(
    (output) => output === null || (output.shape !== null && sizeOf(output.shape) !== null),
  )
  const infos: readonly (ValueInfo | null)[] = known
    ? outputs
    : operator.infer({
        node,
        input: (i) => inputs[i] ?? null,
        fail,
        body: () => fail('runs a body'),
      })
  return {
    node,
    operator,
    inputs,
    outputs: node.outputs.map((value, i) => (value === null ? null : widenedInfo(infos[i] ?? null))),
    values: traced.map((input) => input?.tensor ?? null),
    varies: (i) => (traced[i]?.slot ?? -1) >= 0,
    fail,
  }
}

/** An operand whose elements are known, as those of a constant. */
function operandAt(value: Value, { tensor, slot }: TracedTensor): Operand {
  return {
    value,
    type: tensor.type,
    shape: tensor.dims,
    isConstant: slot < 0,
    stored: null,
    constant: () => tensor,
    smallConstant: () => tensor,
  }
}

function widenedInfo(info: ValueInfo | null): ValueInfo | null {
  return info && { type: info.type && widened(info.type), shape: info.shape }
}

export function infoOfTensor(tensor: Tensor | null): ValueInfo | null {
  return tensor && { type: tensor.type, shape: tensor.dims }
}

export function widenedTensor(tensor: Tensor): Tensor {
  return { ...tensor, type: widened(tensor.type) }
}

/** The outputs of a node in float64. Throws `unsupported`, with the node, where they are not known. */
export function valuesAt(context: EvaluationContext): (Tensor | null)[] {
  const { node, operator, outputs } = context
  const folded = operator.evaluate === undefined ? operator.fold : undefined
  if (folded !== undefined) {
    const results = folded(foldingContext(context, context.values))
    if (results === null) throw refused(node, 'cannot be evaluated here')
    return outputs.map((output, i) => (output === null ? null : (results[i] ?? null)))
  }
  const results = operator.evaluate?.(context) ?? linearValues(context)
  if (results === null) throw refused(node, 'cannot be evaluated')
  return outputs.map((output, i) => {
    const data = results[i] ?? null
    if (output === null || data === null) return null
    const dims = output.shape
    if (dims === null || sizeOf(dims) !== data.length)
      throw refused(node, 'has an output of a size that is not known')
    return { type: output.type ?? 'float64', dims: dims as readonly number[], data }
  })
}

/** What an operator without folding gives that is linear in its first input. */
function linearValues(context: EvaluationContext): readonly (Float64Array | null)[] | null {
  const [data] = context.values
  const map = context.operator.linear?.({ ...context, varies: (i) => i === 0 }) ?? null
  return map === null || !data ? null : map.apply([asFloat64(data.data)])
}

/** The linear map of a node's derivative. Throws `unsupported`, with the node, where there is none. */
export function derivativeAt(context: PointContext): LinearMap {
  const { node, operator } = context
  const map = operator.linear?.(context) ?? operator.derivative?.(context) ?? null
  if (map === null) throw refused(node, 'has no derivative')
  return map
}

export function refused(node: Node, reason: string): LipschitzError {
  return new LipschitzError('unsupported', `${node.op} ${reason}`, { node: node.name })
}

export function asFloat64(data: Float32Array | Float64Array): Float64Array {
  return data instanceof Float64Array ? data : Float64Array.from(data)
}
