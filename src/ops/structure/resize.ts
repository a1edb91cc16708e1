import type { Dim, Shape } from '../../core/tensor.ts'
import { floatAttribute, floatsAttribute, stringAttribute } from '../../graph/attribute.ts'
import type { InferenceContext } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { resizeRules } from '../rules/resize.ts'
import { allAxes, normalizeAxes } from '../shape/axes.ts'
import { integersOf } from '../shape/integers.ts'
import { infoOf, requiredInput } from '../shape/operands.ts'
import { attributeIntegers, inferredParameters } from '../shape/parameters.ts'

/** floor(dim·scale), computed in float32 as runtimes do: 3 · (7/3) must give 7. */
function scaledDim(dim: Dim, scale: number): Dim {
  const scaled = dim === null ? Number.NaN : Math.floor(Math.fround(Math.fround(dim) * Math.fround(scale)))
  return Number.isFinite(scaled) ? scaled : null
}

function scaledShape(context: InferenceContext, shape: Shape, scales: readonly number[]): Shape {
  if (scales.length !== shape.length)
    context.fail(`${scales.length} scales for a tensor of rank ${shape.length}`)
  if (scales.some((scale) => scale <= 0)) context.fail(`scales [${scales.join(',')}] are not all positive`)
  return shape.map((dim, axis) => scaledDim(dim, scales[axis]))
}

function inferByScales(scalesOf: (context: InferenceContext, rank: number) => readonly number[] | null) {
  return (context: InferenceContext) => {
    const { type, shape } = requiredInput(context, 0)
    if (shape === null) return [infoOf(type, null)]
    const scales = scalesOf(context, shape.length)
    return [infoOf(type, scales === null ? shape.map(() => null) : scaledShape(context, shape, scales))]
  }
}

/** Upsample-1 scales the last two axes. */
function legacyScales(context: InferenceContext, rank: number): readonly number[] {
  const width = floatAttribute(context.node, 'width_scale', 1)
  const height = floatAttribute(context.node, 'height_scale', 1)
  return allAxes(rank).map((axis) => (axis === rank - 1 ? width : axis === rank - 2 ? height : 1))
}

/** Side of the region of interest per axis, which cropping modes scale; null where not known. */
function cropFractions(context: InferenceContext, axes: number): readonly (number | null)[] {
  if (
    stringAttribute(context.node, 'coordinate_transformation_mode', 'half_pixel') !== 'tf_crop_and_resize'
  ) {
    return new Array<number>(axes).fill(1)
  }
  const roi = integersOf(context.input(1))
  if (roi !== null && roi.length !== 2 * axes)
    context.fail(`roi holds ${roi.length} entries for ${axes} axes`)
  return Array.from({ length: axes }, (_, i) => (roi === null ? null : Math.max(0, roi[axes + i] - roi[i])))
}

/** Sizes as asked for, or with one common scale where the aspect ratio is to be kept. */
function sizesByPolicy(context: InferenceContext, dims: readonly Dim[], sizes: readonly number[]): Dim[] {
  if (sizes.some((size) => size < 0)) context.fail(`sizes [${sizes.join(',')}] are not all at least 0`)
  const policy = stringAttribute(context.node, 'keep_aspect_ratio_policy', 'stretch')
  if (policy === 'stretch') return sizes.map((size) => (Number.isNaN(size) ? null : size))
  const ratios = dims.map((dim, i) => (dim === null ? Number.NaN : sizes[i] / dim))
  const scale = policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios)
  return dims.map((dim) => {
    const size = dim === null ? Number.NaN : Math.floor(scale * dim + 0.5)
    return Number.isFinite(size) ? size : null
  })
}

/** Resize from opset 11 on: inputs X, roi, scales, sizes; one of the last two is given, the other is absent or empty. */
function inferResize(context: InferenceContext) {
  const { type, shape } = requiredInput(context, 0)
  if (shape === null) return [infoOf(type, null)]
  const parameters = inferredParameters(context)
  const given = attributeIntegers(parameters, 'axes')
  const axes = given === 'absent' ? allAxes(shape.length) : normalizeAxes(context, given, shape.length)
  const dims = axes.map((axis) => shape[axis])
  const sizes = parameters.integers(3)
  const scales = parameters.integers(2)
  let resized: Dim[] = new Array<Dim>(axes.length).fill(null)
  if (sizes !== 'absent' && sizes !== null && sizes.length > 0) {
    if (sizes.length !== axes.length) context.fail(`${sizes.length} sizes for ${axes.length} axes`)
    resized = sizesByPolicy(context, dims, sizes)
  } else if (sizes !== null && scales !== 'absent' && scales !== null && scales.length > 0) {
    if (scales.length !== axes.length) context.fail(`${scales.length} scales for ${axes.length} axes`)
    if (scales.some((scale) => scale <= 0)) context.fail(`scales [${scales.join(',')}] are not all positive`)
    const fractions = cropFractions(context, axes.length)
    resized = dims.map((dim, i) => {
      const fraction = fractions[i]
      return dim === null || fraction === null ? null : scaledDim(dim * fraction, scales[i])
    })
  }
  const output: Dim[] = [...shape]
  axes.forEach((axis, i) => {
    output[axis] = resized[i]
  })
  return [infoOf(type, output)]
}

const scalesFromInput = (context: InferenceContext) => integersOf(context.input(1))

export const resizeOperators = [
  { op: 'Upsample', bound: resizeRules.Resize, until: 10, infer: inferByScales(legacyScales) },
  {
    op: 'Upsample',
    bound: resizeRules.Resize,
    since: 7,
    until: 10,
    infer: inferByScales((context) => floatsAttribute(context.node, 'scales', [])),
  },
  { op: 'Upsample', bound: resizeRules.Resize, since: 9, until: 10, infer: inferByScales(scalesFromInput) },
  { op: 'Resize', bound: resizeRules.Resize, since: 10, infer: inferByScales(scalesFromInput) },
  { op: 'Resize', bound: resizeRules.Resize, since: 11, infer: inferResize },
] satisfies readonly Operator[]
