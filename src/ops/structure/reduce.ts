import type { Shape, Tensor } from '../../core/tensor.ts'
import { intAttribute, intsAttribute } from '../../graph/attribute.ts'
import type { BoxRule } from '../bound.ts'
import { reduceBox, reductionJoins } from '../boxes/reduction.ts'
import { withBoxes } from '../boxes/rule.ts'
import { rounderOf } from '../fold/element.ts'
import { type RowReduction, reduceRows } from '../fold/reduce.ts'
import type { FoldingContext, InferenceContext } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { multiplicativeRules } from '../rules/multiplicative.ts'
import { reductionRules } from '../rules/reduction.ts'
import { allAxes, normalizeAxes } from '../shape/axes.ts'
import { infoOf, requiredInput, requiredTensor } from '../shape/operands.ts'
import { allKnown, foldedParameters, inferredParameters, type Parameters } from '../shape/parameters.ts'

/** Reductions over axes. */

/** The axes that are reduced, [] for none; null when they are not known. */
export function reducedAxes(
  parameters: Parameters,
  rank: number,
  axesInputSince: number,
): readonly number[] | null {
  const { node } = parameters
  const fromInput = node.domain === '' && node.version >= axesInputSince
  const axes = fromInput ? parameters.integers(1) : intsAttribute(node, 'axes', [])
  if (axes === null) return null
  if (axes === 'absent' || axes.length === 0) {
    return fromInput && intAttribute(node, 'noop_with_empty_axes', 0) !== 0 ? [] : allAxes(rank)
  }
  return allKnown(axes) ? normalizeAxes(parameters, axes, rank) : null
}

function reducedShape(context: InferenceContext, axesInputSince: number): Shape | null {
  const { shape } = requiredInput(context, 0)
  if (shape === null) return null
  const keepsAxes = intAttribute(context.node, 'keepdims', 1) !== 0
  const axes = reducedAxes(inferredParameters(context), shape.length, axesInputSince)
  if (axes === null) return keepsAxes ? shape.map((dim) => (dim === 1 ? 1 : null)) : null
  return keepsAxes
    ? shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim))
    : shape.filter((_, axis) => !axes.includes(axis))
}

function foldReduction(axesInputSince: number, reduction: RowReduction, changesSingles: boolean) {
  return (context: FoldingContext): Tensor[] | null => {
    const source = requiredTensor(context, 0)
    const axes = reducedAxes(foldedParameters(context), source.dims.length, axesInputSince)
    if (axes === null) return null
    // Versions of the standard differ on whether an empty reduction still maps each element.
    if (axes.length === 0 && source.dims.length > 0) return changesSingles ? null : [source]
    const keepsAxes = intAttribute(context.node, 'keepdims', 1) !== 0
    const kept = source.dims.map((dim, axis) => (axes.includes(axis) ? 1 : dim))
    const target = context.allocate(
      source.type,
      keepsAxes ? kept : kept.filter((_, axis) => !axes.includes(axis)),
    )
    const round = rounderOf(source.type)
    reduceRows(source, axes, (at, row) => {
      target.data[at] = round(reduction(row))
    })
    return [target]
  }
}

/** Intervals of the groups, joined as the operator joins elements. */
function reducedBox(op: string, axesInputSince: number): BoxRule {
  const join = reductionJoins.get(op)
  return (context, boxOf) => {
    const [box, shape] = [boxOf(0), context.input(0)?.shape ?? null]
    if (join === undefined || box === null || shape === null) return [null]
    const parameters = inferredParameters({
      node: context.node,
      input: (i) => context.input(i)?.operand ?? null,
      fail: context.fail,
      body: () => [],
    })
    const axes = reducedAxes(parameters, shape.length, axesInputSince)
    const keepsAxes = intAttribute(context.node, 'keepdims', 1) !== 0
    return [axes && reduceBox(box, shape, axes, keepsAxes, join)]
  }
}

const rules = {
  ...reductionRules,
  ReduceProd: multiplicativeRules.ReduceProd,
  ReduceLogSum: multiplicativeRules.ReduceLogSum,
}

function reduction(
  op: keyof typeof rules,
  axesInputSince: number,
  rule: RowReduction,
  changesSingles = false,
): Operator {
  return {
    op,
    bound: withBoxes(rules[op], reducedBox(op, axesInputSince)),
    infer: (context) => [infoOf(requiredInput(context, 0).type, reducedShape(context, axesInputSince))],
    fold: foldReduction(axesInputSince, rule, changesSingles),
  }
}

const sum: RowReduction = (row) => row.reduce((total, x) => total + x, 0)
const sumOfSquares: RowReduction = (row) => row.reduce((total, x) => total + x * x, 0)

/** log Σ exp, shifted by the largest entry so that nothing overflows. */
const logSumExp: RowReduction = (row) => {
  const largest = row.reduce((max, x) => Math.max(max, x), Number.NEGATIVE_INFINITY)
  if (!Number.isFinite(largest)) return largest
  return largest + Math.log(row.reduce((total, x) => total + Math.exp(x - largest), 0))
}

export const reduceOperators: readonly Operator[] = [
  reduction('ReduceSum', 13, sum),
  reduction('ReduceMean', 18, (row) => sum(row) / row.length),
  reduction('ReduceMax', 18, (row) => row.reduce((max, x) => Math.max(max, x), Number.NEGATIVE_INFINITY)),
  reduction('ReduceMin', 18, (row) => row.reduce((min, x) => Math.min(min, x), Number.POSITIVE_INFINITY)),
  reduction('ReduceProd', 18, (row) => row.reduce((total, x) => total * x, 1)),
  reduction('ReduceL1', 18, (row) => row.reduce((total, x) => total + Math.abs(x), 0), true),
  reduction('ReduceL2', 18, (row) => Math.sqrt(sumOfSquares(row)), true),
  reduction('ReduceLogSum', 18, (row) => Math.log(sum(row)), true),
  reduction('ReduceLogSumExp', 18, logSumExp, true),
  reduction('ReduceSumSquare', 18, sumOfSquares, true),
  { ...reduction('ReduceSum', 1, sum), op: 'ReduceSumInteger', domain: 'com.microsoft' },
]
