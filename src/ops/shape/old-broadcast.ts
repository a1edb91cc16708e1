import type { Dim, Shape, Tensor } from '../../core/tensor.ts'
import { intAttribute } from '../../graph/attribute.ts'
import type { Node } from '../../graph/graph.ts'

interface AlignmentContext {
  readonly node: Node
  fail(message: string): never
}

/** Axes of length 1 that stand behind the second operand's so that numpy's rule aligns it as its `axis` says. */
function trailingAxes(context: AlignmentContext, first: number, second: number): number {
  const { node } = context
  const axis = node.version < 7 ? intAttribute(node, 'axis', null) : null
  if (axis === null || intAttribute(node, 'broadcast', 0) !== 1) return 0
  const start = axis < 0 ? axis + first : axis
  const trailing = first - start - second
  if (start < 0 || trailing < 0) context.fail(`axis ${axis} does not align rank ${second} with rank ${first}`)
  return trailing
}

/** Before version 7 `broadcast = 1` repeats the second operand along the first from `axis` on (default: at the end). */
export function alignedShape(
  context: AlignmentContext,
  first: Shape | null,
  second: Shape | null,
): Shape | null {
  if (first === null || second === null) return second
  return [...second, ...new Array<Dim>(trailingAxes(context, first.length, second.length)).fill(1)]
}

export function alignedTensor(context: AlignmentContext, first: Tensor, second: Tensor): Tensor {
  const ones = new Array<number>(trailingAxes(context, first.dims.length, second.dims.length)).fill(1)
  return { ...second, dims: [...second.dims, ...ones] }
}
