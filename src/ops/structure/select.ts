import type { Dim } from '../../core/tensor.ts'
import { intAttribute } from '../../graph/attribute.ts'
import type { FoldingContext, InferenceContext } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { selection, selectionWithZeros } from '../rules/movement.ts'
import { allAxes, normalizeAxes, normalizeAxis } from '../shape/axes.ts'
import { dimOf, lengthOf } from '../shape/integers.ts'
import { infoOf, requiredInput, requiredTensor } from '../shape/operands.ts'
import { allKnown, attributeIntegers, inferredParameters, requiredIntegers } from '../shape/parameters.ts'

/** Operators that keep, blank or reorder a part of a tensor. */

function inferTrilu(context: InferenceContext) {
  const { type, shape } = requiredInput(context, 0)
  if (shape !== null && shape.length < 2) context.fail('input 0 must be of rank 2 or more')
  return [infoOf(type, shape)]
}

function foldTrilu(context: FoldingContext) {
  const source = requiredTensor(context, 0)
  const diagonal = context.inputs[1]?.data[0] ?? 0
  const upper = intAttribute(context.node, 'upper', 1) !== 0
  if (Number.isNaN(diagonal)) return null
  const target = context.allocate(source.type, source.dims)
  const [rows, columns] = source.dims.slice(-2)
  for (let start = 0; start < source.data.length; start += columns) {
    const row = (start / columns) % rows
    const cut = Math.min(Math.max(row + diagonal + (upper ? 0 : 1), 0), columns)
    const [from, to] = upper ? [cut, columns] : [0, cut]
    target.data.set(source.data.subarray(start + from, start + to), start + from)
  }
  return [target]
}

function inferCompress(context: InferenceContext) {
  const { type, shape } = requiredInput(context, 0)
  const condition = requiredIntegers(inferredParameters(context), 1)
  const kept =
    condition === null || !allKnown(condition) ? null : condition.filter((entry) => entry !== 0).length
  const axis = intAttribute(context.node, 'axis', null)
  if (axis === null) return [infoOf(type, [kept])]
  if (shape === null) return [infoOf(type, null)]
  return [infoOf(type, shape.with(normalizeAxis(context, axis, shape.length), kept))]
}

/** Keeps the rows of the chosen axis (of the flat tensor without one) where the condition holds. */
function foldCompress(context: FoldingContext) {
  const source = requiredTensor(context, 0)
  const condition = requiredTensor(context, 1)
  if (condition.data.some(Number.isNaN)) return null
  const axisAttribute = intAttribute(context.node, 'axis', null)
  const dims = axisAttribute === null ? [source.data.length] : source.dims
  const axis = axisAttribute === null ? 0 : normalizeAxis(context, axisAttribute, dims.length)
  const kept = [...condition.data.keys()].filter((i) => condition.data[i] !== 0)
  if (kept.some((i) => i >= dims[axis])) context.fail(`the condition is longer than axis ${axis}`)
  const target = context.allocate(source.type, dims.with(axis, kept.length))
  const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1)
  const outer = dims.slice(0, axis).reduce((product, dim) => product * dim, 1)
  for (let row = 0; row < outer; row++) {
    kept.forEach((i, at) => {
      const from = (row * dims[axis] + i) * inner
      target.data.set(source.data.subarray(from, from + inner), (row * kept.length + at) * inner)
    })
  }
  return [target]
}

function inferCenterCropPad(context: InferenceContext) {
  const { type, shape } = requiredInput(context, 0)
  if (shape === null) return [infoOf(type, null)]
  const parameters = inferredParameters(context)
  const given = attributeIntegers(parameters, 'axes')
  const axes = given === 'absent' ? allAxes(shape.length) : normalizeAxes(context, given, shape.length)
  const sizes = requiredIntegers(parameters, 1)
  if (sizes !== null && sizes.length !== axes.length)
    context.fail(`${sizes.length} sizes for ${axes.length} axes`)
  if (sizes?.some((size) => size < 0)) context.fail(`sizes [${sizes.join(',')}] are not all at least 0`)
  const dims: Dim[] = [...shape]
  axes.forEach((axis, i) => {
    dims[axis] = sizes === null ? null : dimOf(sizes[i])
  })
  return [infoOf(type, dims)]
}

function inferReverseSequence(context: InferenceContext) {
  const { type, shape } = requiredInput(context, 0)
  if (shape !== null && shape.length < 2) context.fail('input 0 must be of rank 2 or more')
  if (shape !== null) {
    const batch = shape[normalizeAxis(context, intAttribute(context.node, 'batch_axis', 1), shape.length)]
    const lengths = lengthOf(context.input(1))
    if (batch !== null && lengths !== null && batch !== lengths) {
      context.fail(`${lengths} sequence lengths for a batch of ${batch}`)
    }
  }
  return [infoOf(type, shape)]
}

export const selectOperators = [
  { op: 'Trilu', bound: selectionWithZeros, since: 14, infer: inferTrilu, fold: foldTrilu },
  { op: 'Trilu', bound: selectionWithZeros, domain: 'com.microsoft', infer: inferTrilu, fold: foldTrilu },
  {
    op: 'Compress',
    bound: selection,
    since: 9,
    infer: inferCompress,
    fold: foldCompress,
    shapesFollowData: true,
  },
  { op: 'CenterCropPad', bound: selectionWithZeros, since: 18, infer: inferCenterCropPad },
  { op: 'ReverseSequence', bound: selection, since: 10, infer: inferReverseSequence },
] satisfies readonly Operator[]
