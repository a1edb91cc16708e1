import { graphAttribute, intAttribute } from '../../graph/attribute.ts'
import type { InferenceContext, ValueInfo } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { controlRules } from '../rules/control.ts'
import { makes, measures } from '../rules/jumps.ts'
import { movementRules } from '../rules/movement.ts'
import { normalizeAxis } from '../shape/axes.ts'
import { mergeShapes } from '../shape/broadcast.ts'
import { elementTypeOf } from '../shape/element-codes.ts'
import { knownScalarOf } from '../shape/integers.ts'
import { allInputs, commonType, infoOf, likeFirstInput, requiredInput } from '../shape/operands.ts'

/**
 * Sequences of tensors. The info of a sequence is what holds of each of its elements; its bound is that of all
 * elements together, as one vector: taking and joining elements is then a selection of entries.
 */

function inferConstruct(context: InferenceContext) {
  const shape = [0, ...allInputs(context).slice(1)]
    .map((i) => requiredInput(context, i).shape)
    .reduce(mergeShapes)
  return [infoOf(commonType(context, allInputs(context)), shape)]
}

function inferInsert(context: InferenceContext) {
  const sequence = requiredInput(context, 0)
  const inserted = requiredInput(context, 1)
  return [infoOf(inserted.type ?? sequence.type, mergeShapes(sequence.shape, inserted.shape))]
}

/** Parts of one length (the last may be shorter) when `split` is a scalar, 1 without it; their own lengths otherwise. */
function inferSplitToSequence(context: InferenceContext) {
  const { type, shape } = requiredInput(context, 0)
  if (shape === null) return [infoOf(type, null)]
  const axis = normalizeAxis(context, intAttribute(context.node, 'axis', 0), shape.length)
  const split = context.input(1)
  if (split === null) {
    const keepsAxis = intAttribute(context.node, 'keepdims', 1) !== 0
    return [infoOf(type, keepsAxis ? shape.with(axis, 1) : shape.toSpliced(axis, 1))]
  }
  const size = split.shape?.length === 0 ? knownScalarOf(split) : null
  const dim = shape[axis]
  const even = size !== null && dim !== null && size > 0 && dim % size === 0
  return [infoOf(type, shape.with(axis, even ? size : null))]
}

function inferConcatFromSequence(context: InferenceContext) {
  const { type, shape } = requiredInput(context, 0)
  if (shape === null) return [infoOf(type, null)]
  const given = intAttribute(context.node, 'axis', null) ?? context.fail('axis is missing')
  const stacks = intAttribute(context.node, 'new_axis', 0) !== 0
  const axis = normalizeAxis(context, given, shape.length + (stacks ? 1 : 0))
  return [infoOf(type, stacks ? shape.toSpliced(axis, 0, null) : shape.with(axis, null))]
}

function inferSequenceMap(context: InferenceContext): readonly ValueInfo[] {
  const body = graphAttribute(context.node, 'body') ?? context.fail("the graph 'body' is missing")
  return context.body(
    body,
    allInputs(context).map((i) => {
      const { type, shape } = requiredInput(context, i)
      return infoOf(type, shape)
    }),
  )
}

export const sequenceOperators = [
  { op: 'SequenceConstruct', since: 11, bound: movementRules.Concat, infer: inferConstruct },
  {
    op: 'SequenceEmpty',
    bound: makes,
    since: 11,
    infer: (context) => [infoOf(elementTypeOf(context, intAttribute(context.node, 'dtype', 1)), null)],
  },
  { op: 'SequenceInsert', since: 11, bound: movementRules.Concat, infer: inferInsert },
  { op: 'SequenceErase', since: 11, bound: movementRules.Selection, infer: likeFirstInput },
  { op: 'SequenceAt', since: 11, bound: movementRules.Selection, infer: likeFirstInput },
  { op: 'SequenceLength', bound: measures, since: 11, infer: () => [infoOf('int64', [])] },
  { op: 'SplitToSequence', since: 11, bound: movementRules.Selection, infer: inferSplitToSequence },
  { op: 'ConcatFromSequence', since: 11, bound: movementRules.Selection, infer: inferConcatFromSequence },
  { op: 'SequenceMap', bound: controlRules.SequenceMap, since: 17, infer: inferSequenceMap },
] satisfies readonly Operator[]
