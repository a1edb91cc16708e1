import { type Dim, type Shape, sizeOf } from '../../core/tensor.ts'
import { intAttribute, intsAttribute } from '../../graph/attribute.ts'
import type { FoldingContext, InferenceContext } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { reshaping } from '../rules/movement.ts'
import { normalizeAxes, normalizeSplit } from '../shape/axes.ts'
import { formatShape } from '../shape/broadcast.ts'
import { dimOf, integersOf, knownIntegersOf, knownScalarOf, productOf } from '../shape/integers.ts'
import { infoOf, knownOutput, requiredInput, requiredTensor, unknownDims } from '../shape/operands.ts'

/** Operators that give the same elements, in the same order, another shape. */

/** The dims that `entries` (0: copy, −1: whatever is left, NaN: unknown) ask for, given the input's shape. */
function reshaped(
  context: InferenceContext,
  input: Shape | null,
  entries: readonly number[],
  allowZero: boolean,
): Shape {
  const copies = (entry: number) => entry === 0 && !allowZero
  if (entries.filter((entry) => entry === -1).length > 1) {
    context.fail(`shape [${entries.join(',')}] holds -1 more than once`)
  }
  const dims = entries.map((entry, axis): Dim => {
    if (entry < -1 || (!Number.isInteger(entry) && !Number.isNaN(entry))) {
      context.fail(`${entry} is no dimension`)
    }
    if (!copies(entry)) return entry === -1 ? null : dimOf(entry)
    if (input === null) return null
    if (axis >= input.length)
      context.fail(`shape [${entries.join(',')}] copies axis ${axis} of ${formatShape(input)}`)
    return input[axis]
  })
  if (input === null) return dims
  const cancels = (axis: number) => axis < entries.length && copies(entries[axis])
  const total = productOf(input.filter((_, axis) => !cancels(axis)))
  const open = dims.flatMap((dim, axis) => (dim === null && !cancels(axis) ? [axis] : []))
  const rest = productOf(dims.filter((_, axis) => !cancels(axis) && !open.includes(axis)))
  if (total === null || rest === null || open.length > 1) return dims
  const leavesOpen = total === 0 && rest === 0 && entries[open[0]] !== -1
  if (leavesOpen) return dims
  const quotient = open.length === 0 ? total : total / rest
  const solvable = open.length === 0 ? total === rest : Number.isInteger(quotient)
  if (!solvable) context.fail(`${formatShape(input)} does not reshape to [${entries.join(',')}]`)
  return dims.map((dim, axis) => (axis === open[0] ? quotient : dim))
}

function inferReshape(context: InferenceContext) {
  const { type, shape } = requiredInput(context, 0)
  const target = requiredInput(context, 1)
  const entries = integersOf(target)
  if (entries === null) return [infoOf(type, unknownDims(context, target))]
  return [infoOf(type, reshaped(context, shape, entries, intAttribute(context.node, 'allowzero', 0) !== 0))]
}

function foldReshape(context: FoldingContext) {
  const known = knownOutput(context)
  const { type, dims, data } = requiredTensor(context, 0)
  if (known === null) return null
  if (sizeOf(known.dims) !== data.length) {
    context.fail(`${formatShape(dims)} has not as many elements as ${formatShape(known.dims)}`)
  }
  return [{ type, dims: known.dims, data }]
}

function inferFlatten(context: InferenceContext) {
  const { type, shape } = requiredInput(context, 0)
  if (shape === null) return [infoOf(type, [null, null])]
  const axis = normalizeSplit(context, intAttribute(context.node, 'axis', 1), shape.length)
  return [infoOf(type, [productOf(shape.slice(0, axis)), productOf(shape.slice(axis))])]
}

/** Axes from the attribute (before opset 13) or the second input; 'all' where none are given, null where unknown. */
function axesOf(context: InferenceContext): readonly number[] | 'all' | null {
  if (context.node.version < 13) return intsAttribute(context.node, 'axes', null) ?? 'all'
  const operand = context.input(1)
  return operand === null ? 'all' : knownIntegersOf(operand)
}

function inferSqueeze(context: InferenceContext) {
  const { type, shape } = requiredInput(context, 0)
  const axes = axesOf(context)
  if (shape === null || axes === null) return [infoOf(type, null)]
  if (axes === 'all') return [infoOf(type, shape.includes(null) ? null : shape.filter((dim) => dim !== 1))]
  const dropped = normalizeAxes(context, axes, shape.length)
  for (const axis of dropped) {
    if (shape[axis] !== 1 && shape[axis] !== null) {
      context.fail(`cannot squeeze axis ${axis} of ${formatShape(shape)}: its length is not 1`)
    }
  }
  return [
    infoOf(
      type,
      shape.filter((_, axis) => !dropped.includes(axis)),
    ),
  ]
}

function unsqueezed(context: InferenceContext, shape: Shape, axes: readonly number[]): Shape {
  const added = normalizeAxes(context, axes, shape.length + axes.length)
  const dims = [...shape]
  for (const axis of added.toSorted((a, b) => a - b)) dims.splice(axis, 0, 1)
  return dims
}

function inferUnsqueeze(context: InferenceContext) {
  const { type, shape } = requiredInput(context, 0)
  const axes = axesOf(context)
  if (axes === 'all') return context.fail('axes are missing')
  return [infoOf(type, shape === null || axes === null ? null : unsqueezed(context, shape, axes))]
}

export const reshapeOperators = [
  {
    op: 'Reshape',
    bound: reshaping,
    infer(context) {
      const { type, shape } = requiredInput(context, 0)
      return [infoOf(type, reshaped(context, shape, intsAttribute(context.node, 'shape', []), false))]
    },
    fold: foldReshape,
  },
  { op: 'Reshape', bound: reshaping, since: 5, infer: inferReshape, fold: foldReshape },
  { op: 'Flatten', bound: reshaping, infer: inferFlatten, fold: foldReshape },
  { op: 'Squeeze', bound: reshaping, infer: inferSqueeze, fold: foldReshape },
  { op: 'Unsqueeze', bound: reshaping, infer: inferUnsqueeze, fold: foldReshape },
  {
    op: 'ExpandDims',
    bound: reshaping,
    domain: 'com.microsoft',
    infer(context) {
      const { type, shape } = requiredInput(context, 0)
      const axis = knownScalarOf(context.input(1))
      return [infoOf(type, shape === null || axis === null ? null : unsqueezed(context, shape, [axis]))]
    },
    fold: foldReshape,
  },
] satisfies readonly Operator[]
