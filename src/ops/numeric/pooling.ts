import type { Dim, Shape } from '../../core/tensor.ts'
import { intsAttribute } from '../../graph/attribute.ts'
import type { InferenceContext, LayerContext, ValueInfo } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { movementRules } from '../rules/movement.ts'
import { poolingRules } from '../rules/pooling.ts'
import { knownIntegersOf } from '../shape/integers.ts'
import { infoOf, requiredInput } from '../shape/operands.ts'
import { checkedInfo } from './checked-info.ts'
import { type Windows, windowsOf } from './windows.ts'

/** The windows of a pool over data [N, C, …spatial]. */
export function poolWindows(context: Pick<LayerContext, 'node' | 'fail'>, spatial: readonly Dim[]): Windows {
  const kernel = intsAttribute(context.node, 'kernel_shape', null) ?? context.fail('kernel_shape is missing')
  if (kernel.length !== spatial.length) {
    context.fail(`kernel_shape has ${kernel.length} entries for ${spatial.length} spatial axes`)
  }
  const wrong = kernel.find((size) => !(size >= 1))
  if (wrong !== undefined) context.fail(`kernel_shape holds ${wrong}`)
  return windowsOf(context, kernel, spatial)
}

/** Shape after pooling; Indices of MaxPool have it, too. */
function pooledShape(context: InferenceContext): Shape | null {
  const { shape } = requiredInput(context, 0)
  if (shape === null) {
    const kernel = intsAttribute(context.node, 'kernel_shape', null)
    return (
      kernel && [
        null,
        null,
        ...poolWindows(
          context,
          kernel.map(() => null),
        ).output,
      ]
    )
  }
  if (shape.length < 3) context.fail(`data of rank ${shape.length} has no spatial axes`)
  return [...shape.slice(0, 2), ...poolWindows(context, shape.slice(2)).output]
}

export function inferPool(context: InferenceContext): ValueInfo[] {
  return [infoOf(requiredInput(context, 0).type, pooledShape(context))]
}

function inferMaxPool(context: InferenceContext): ValueInfo[] {
  const shape = pooledShape(context)
  return [infoOf(requiredInput(context, 0).type, shape), infoOf('int64', shape)]
}

export function inferGlobalPool(context: InferenceContext): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  if (shape !== null && shape.length < 2) context.fail(`data of rank ${shape.length} has no channels`)
  return [infoOf(type, shape === null ? null : shape.map((dim, axis) => (axis < 2 ? dim : 1)))]
}

/** Without `output_shape` each size is what MaxPool with these attributes came from at the least. */
function inferMaxUnpool(context: InferenceContext): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  const target = context.input(2)
  const given = knownIntegersOf(target)
  if (given !== null) return [checkedInfo(context, type, given)]
  const kernel = intsAttribute(context.node, 'kernel_shape', null)
  if (target !== null || shape === null || kernel === null)
    return [infoOf(type, shape === null ? null : shape.map(() => null))]
  const strides = intsAttribute(context.node, 'strides', null) ?? kernel.map(() => 1)
  const pads = intsAttribute(context.node, 'pads', null) ?? [...kernel, ...kernel].map(() => 0)
  const spatial = shape.slice(2).map((dim, axis) => {
    return dim === null
      ? null
      : (dim - 1) * strides[axis] - pads[axis] - pads[axis + kernel.length] + kernel[axis]
  })
  return [checkedInfo(context, type, [...shape.slice(0, 2), ...spatial])]
}

export const pools: readonly Operator[] = [
  { op: 'MaxPool', bound: poolingRules.MaxPool, infer: inferMaxPool },
  { op: 'AveragePool', bound: poolingRules.AveragePool, infer: inferPool },
  { op: 'LpPool', bound: poolingRules.LpPool, infer: inferPool },
  { op: 'GlobalMaxPool', bound: poolingRules.GlobalMaxPool, infer: inferGlobalPool },
  { op: 'GlobalAveragePool', bound: poolingRules.GlobalAveragePool, infer: inferGlobalPool },
  { op: 'GlobalLpPool', bound: poolingRules.GlobalLpPool, infer: inferGlobalPool },
  { op: 'MaxpoolWithMask', bound: poolingRules.MaxpoolWithMask, domain: 'com.microsoft', infer: inferPool },
  {
    op: 'NhwcMaxPool',
    bound: poolingRules.NhwcMaxPool,
    domain: 'com.microsoft',
    infer: (context) => [infoOf(requiredInput(context, 0).type, null)],
  },
  { op: 'MaxUnpool', bound: movementRules.SelectionWithZeros, infer: inferMaxUnpool },
]
