import type { Shape } from '../../core/tensor.ts'
import { intAttribute } from '../../graph/attribute.ts'
import type { FoldingContext, InferenceContext } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { measures } from '../rules/jumps.ts'
import { entryOf, productOf } from '../shape/integers.ts'
import { infoOf, requiredInput } from '../shape/operands.ts'

/** Operators that tell shapes: their elements are constant as far as the shapes are known. */

/** The dims in [start, end) of the input's shape; bounds count from the end when negative, and are clamped. */
function measuredDims(node: InferenceContext['node'], shape: Shape): Shape {
  const clamp = (axis: number) => Math.min(Math.max(axis < 0 ? axis + shape.length : axis, 0), shape.length)
  const start = clamp(intAttribute(node, 'start', 0))
  const end = clamp(intAttribute(node, 'end', shape.length))
  return shape.slice(start, Math.max(start, end))
}

function inferShape(context: InferenceContext) {
  const { shape } = requiredInput(context, 0)
  return [infoOf('int64', [shape && measuredDims(context.node, shape).length])]
}

function foldShape(context: FoldingContext) {
  const shape = context.operands[0]?.shape ?? null
  if (shape === null) return null
  const dims = measuredDims(context.node, shape)
  const target = context.allocate('int64', [dims.length])
  target.data.set(dims.map(entryOf))
  return [target]
}

function foldSize(context: FoldingContext) {
  const shape = context.operands[0]?.shape ?? null
  const target = context.allocate('int64', [])
  target.data[0] = entryOf(shape && productOf(shape))
  return [target]
}

export const measureOperators = [
  { op: 'Shape', bound: measures, infer: inferShape, fold: foldShape, foldsFrom: 'shapes' },
  { op: 'Size', bound: measures, infer: () => [infoOf('int64', [])], fold: foldSize, foldsFrom: 'shapes' },
] satisfies readonly Operator[]
