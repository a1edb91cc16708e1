import { intsAttribute } from '../../graph/attribute.ts'
import type { InferenceContext, ValueInfo } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { linearRules } from '../rules/linear.ts'
import { selection } from '../rules/movement.ts'
import { infoOf, likeFirstInput, requiredInput } from '../shape/operands.ts'
import { checkedInfo } from './checked-info.ts'

/** Crop of [N, C, H, W] by `border` left, top, right, bottom, or to the size `scale` from the left and top border on. */
function inferCrop(context: InferenceContext): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  const border = intsAttribute(context.node, 'border', null)
  const scale = intsAttribute(context.node, 'scale', null)
  if (shape?.length !== 4 || border?.length !== 4) return [infoOf(type, null)]
  const [left, top, right, bottom] = border
  const [height, width] = [shape[2], shape[3]]
  const cropped = scale ?? [
    height === null ? null : height - top - bottom,
    width === null ? null : width - left - right,
  ]
  return [checkedInfo(context, type, [shape[0], shape[1], cropped[0] ?? null, cropped[1] ?? null])]
}

/** Operators of the standard's experimental years that converters from other formats still write. */
export const legacyOperators: readonly Operator[] = [
  { op: 'ImageScaler', bound: linearRules.ImageScaler, infer: likeFirstInput },
  { op: 'Scale', bound: linearRules.ImageScaler, infer: likeFirstInput },
  { op: 'Crop', bound: selection, infer: inferCrop },
]
