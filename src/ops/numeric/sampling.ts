import type { Shape } from '../../core/tensor.ts'
import { intAttribute, intsAttribute } from '../../graph/attribute.ts'
import type { InferenceContext, ValueInfo } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { regionRules } from '../rules/regions.ts'
import { samplingRules } from '../rules/sampling.ts'
import { dimOf, integersOf } from '../shape/integers.ts'
import { infoOf, requiredInput } from '../shape/operands.ts'
import { checkedInfo } from './checked-info.ts'

/** Data [N, C, …], grid [N, …output, rank]: [N, C, …output]. */
function inferGridSample(context: InferenceContext): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  const grid = requiredInput(context, 1).shape
  if (shape === null || grid === null) return [infoOf(type, null)]
  if (shape.length !== grid.length || shape.length < 3) {
    context.fail(`data of rank ${shape.length} with a grid of rank ${grid.length}`)
  }
  return [infoOf(type, [shape[0] ?? grid[0], shape[1], ...grid.slice(1, -1)])]
}

/** θ [N, 2, 3] or [N, 3, 4] and a size [N, C, …spatial]: grid [N, …spatial, axes]. */
function inferAffineGrid(context: InferenceContext): ValueInfo[] {
  const theta = requiredInput(context, 0)
  const axes = theta.shape?.[1] ?? null
  const size = integersOf(context.input(1))
  if (size !== null)
    return [checkedInfo(context, theta.type, [size[0], ...size.slice(2), size.length - 2].map(dimOf))]
  return [infoOf(theta.type, axes === null ? null : [null, ...new Array<null>(axes).fill(null), axes])]
}

/** Data [N, C, H, W] and regions [regions, …]: [regions, C, height, width]. */
function inferRegions(context: InferenceContext, height: number | null, width: number | null): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  const regions = requiredInput(context, 1).shape
  const result: Shape = [regions?.[0] ?? null, shape?.[1] ?? null, height, width]
  return [checkedInfo(context, type, result)]
}

function inferRoiAlign(context: InferenceContext): ValueInfo[] {
  const attribute = (name: string) => intAttribute(context.node, name, 1)
  return inferRegions(context, attribute('output_height'), attribute('output_width'))
}

function inferMaxRoiPool(context: InferenceContext): ValueInfo[] {
  const [height, width] =
    intsAttribute(context.node, 'pooled_shape', null) ?? context.fail('pooled_shape is missing')
  return inferRegions(context, height ?? null, width ?? null)
}

/** Regions, images and a size [height, width] of the result. */
function inferCropAndResize(context: InferenceContext): ValueInfo[] {
  const [height, width] = integersOf(context.input(3)) ?? []
  return inferRegions(context, height ?? null, width ?? null)
}

/** Operators that read their data at positions computed elsewhere. */
export const samplings: readonly Operator[] = [
  { op: 'GridSample', bound: samplingRules.GridSample, since: 16, infer: inferGridSample },
  { op: 'GridSample', bound: samplingRules.GridSample, domain: 'com.microsoft', infer: inferGridSample },
  { op: 'AffineGrid', bound: samplingRules.AffineGrid, since: 20, infer: inferAffineGrid },
  { op: 'RoiAlign', bound: regionRules.RoiAlign, since: 10, infer: inferRoiAlign },
  { op: 'MaxRoiPool', bound: regionRules.MaxRoiPool, infer: inferMaxRoiPool },
  {
    op: 'CropAndResize',
    bound: samplingRules.CropAndResize,
    domain: 'com.microsoft',
    infer: inferCropAndResize,
  },
]
