import { intAttribute } from '../../graph/attribute.ts'
import type { FoldingContext, InferenceContext } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { jumps, measures } from '../rules/jumps.ts'
import { movementRules, passing, selection } from '../rules/movement.ts'
import { elementTypeOf } from '../shape/element-codes.ts'
import { infoOf, likeFirstInput, requiredInput, requiredTensor } from '../shape/operands.ts'

/** Operators that pass their first input on, whole. */

function foldIdentity(context: FoldingContext) {
  return [requiredTensor(context, 0)]
}

function inferDropout(context: InferenceContext) {
  const { type, shape } = requiredInput(context, 0)
  const mask = context.node.version >= 10 ? 'bool' : type
  return [infoOf(type, shape), infoOf(mask, shape)]
}

/** Dropout as inference runs it: the identity, with a mask that keeps everything. */
function foldDropout(context: FoldingContext) {
  const data = requiredTensor(context, 0)
  const training =
    context.node.version >= 12
      ? context.inputs[2] !== undefined && context.inputs[2]?.data[0] !== 0 && context.inputs[2] !== null
      : context.node.version < 7 && intAttribute(context.node, 'is_test', 0) === 0
  if (training) return null
  if (context.outputs.length < 2) return [data]
  const mask = context.allocate(context.node.version >= 10 ? 'bool' : data.type, data.dims)
  mask.data.fill(1)
  return [data, mask]
}

export const identityOperators = [
  {
    op: 'Identity',
    translates: () => 0,
    bound: passing,
    infer: likeFirstInput,
    fold: foldIdentity,
    stored: (_, inputs) => inputs[0],
  },
  {
    op: 'Dropout',
    bound: movementRules.Dropout,
    infer: inferDropout,
    fold: foldDropout,
    draws: (node) =>
      node.version >= 12
        ? (node.inputs[2] ?? null) !== null
        : node.version < 7 && intAttribute(node, 'is_test', 0) === 0,
  },
  {
    op: 'BitCast',
    bound: jumps,
    since: 26,
    infer: (context) => [
      infoOf(elementTypeOf(context, intAttribute(context.node, 'to', 0)), requiredInput(context, 0).shape),
    ],
  },
  {
    op: 'Optional',
    bound: selection,
    since: 15,
    infer: (context) => [infoOf(context.input(0)?.type ?? null, context.input(0)?.shape ?? null)],
  },
  { op: 'SampleOp', bound: selection, domain: 'com.microsoft', infer: likeFirstInput },
  { op: 'OptionalGetElement', since: 15, bound: selection, infer: likeFirstInput },
  { op: 'OptionalHasElement', bound: measures, since: 15, infer: () => [infoOf('bool', [])] },
] satisfies readonly Operator[]
