import { addDown, sqrtDown } from '../../core/rounding.ts'
import type { Shape } from '../../core/tensor.ts'
import { floatAttribute } from '../../graph/attribute.ts'
import type { Node, Value } from '../../graph/graph.ts'
import type { BoundContext } from '../bound.ts'
import { sourceOf } from '../rules/source.ts'
import { besideNumber, isSame, numberIn, orders, producerOf } from './pattern.ts'
import { type GroupSum, groupSumOf, keepsSize, meetsGroups, sameAxes, squaredIn } from './reduced.ts'

/** A tensor, or its deviation from the mean along axes: x − mean(x). */
export interface Deviation {
  readonly of: Value
  /** Null for the tensor itself. */
  readonly axes: readonly number[] | null
}

export function deviationOf(context: BoundContext, value: Value): Deviation {
  const [x, mean] = producerOf(value, 'Sub')?.inputs ?? []
  const sum = mean ? groupSumOf(context, mean) : null
  if (x && mean && sum?.isMean && isSame(sum.of, x) && meets(context, sum, mean, x)) {
    return { of: sourceOf(x), axes: sum.axes }
  }
  return { of: sourceOf(value), axes: null }
}

export function meets(context: BoundContext, sum: GroupSum, value: Value, data: Value): boolean {
  return meetsGroups(sum, context.operandOf(value).shape, context.operandOf(data).shape)
}

export function sameDeviation(a: Deviation, b: Deviation): boolean {
  if (a.of !== b.of) return false
  return a.axes === null || b.axes === null ? a.axes === b.axes : sameAxes(a.axes, b.axes)
}

/**
 * A number for each group that is at least factor·Σd² and at least `floor`, and grows with Σd² as such sums do: d the
 * elements of a deviation. Or the root of one, where `floor` is that of the root.
 */
export interface Spread {
  readonly deviation: Deviation
  readonly sum: GroupSum
  readonly floor: number
  /** Shape of the value that holds the numbers. */
  readonly shape: Shape | null
}

const mostSteps = 12

/** Reads `value` as a root √(factor·Σd² + …) that a constant keeps above 0; null where it is none. */
export function rootSpread(context: BoundContext, value: Value, steps = mostSteps): Spread | null {
  const shape = context.operandOf(value).shape
  const lifted = liftedSpread(context, value, steps, rootSpread)
  if (lifted !== null) return lifted
  const expand = producerOf(value, 'Expand')
  if (expand?.inputs[0]) return rootSpread(context, expand.inputs[0], steps - 1)
  const norm = groupSumOf(context, value, ['ReduceL2'])
  if (norm !== null && norm.factor === 1) {
    return { deviation: deviationOf(context, norm.of), sum: { ...norm, factor: 1 }, floor: 0, shape }
  }
  const root = producerOf(value, 'Sqrt', 'Pow')
  const isRoot = root?.op === 'Sqrt' || numberIn(context, root?.inputs[1] ?? null) === 0.5
  const under = root?.inputs[0] && isRoot ? quadratic(context, root.inputs[0]) : null
  return under && { ...under, floor: sqrtDown(under.floor), shape }
}

/** Reads `value` as factor·Σd² + …; null where it is none. */
export function quadratic(context: BoundContext, value: Value, steps = mostSteps): Spread | null {
  const lifted = liftedSpread(context, value, steps, quadratic)
  if (lifted !== null) return lifted
  const shape = context.operandOf(value).shape
  const squares = groupSumOf(context, value, ['ReduceSumSquare'])
  if (squares !== null) {
    return { deviation: deviationOf(context, squares.of), sum: squares, floor: 0, shape }
  }
  const sum = groupSumOf(context, value)
  const root = sum && squaredIn(context, sum.of)
  if (sum !== null && root) return { deviation: deviationOf(context, root), sum, floor: 0, shape }
  return variance(context, value)
}

/** mean(x²) − mean(x)², which is the mean of (x − mean(x))². */
function variance(context: BoundContext, value: Value): Spread | null {
  const [first, second] = producerOf(value, 'Sub')?.inputs ?? []
  const mean = second ? squaredIn(context, second) : null
  if (!first || !mean) return null
  const [ofSquares, ofData] = [groupSumOf(context, first), groupSumOf(context, mean)]
  const data = ofSquares && squaredIn(context, ofSquares.of)
  if (!ofSquares?.isMean || !ofData?.isMean || !data || !isSame(data, ofData.of)) return null
  if (!sameAxes(ofSquares.axes, ofData.axes)) return null
  const kept = ofSquares.kept && ofData.kept
  const shape = context.operandOf(value).shape
  const sameShape = [first, mean].every((part) => equalShapes(context.operandOf(part).shape, shape))
  if (!sameShape) return null
  const deviation = { of: sourceOf(data), axes: ofData.axes }
  return { deviation, sum: { ...ofSquares, kept }, floor: 0, shape }
}

function equalShapes(a: Shape | null, b: Shape | null): boolean {
  return a !== null && b !== null && a.length === b.length && a.every((dim, axis) => dim === b[axis])
}

type Read = (context: BoundContext, value: Value, steps: number) => Spread | null

/** A constant added to a spread or a lower limit of it, and reshaping without moving elements. */
function liftedSpread(context: BoundContext, value: Value, steps: number, read: Read): Spread | null {
  const node = producerOf(value, 'Add', 'Max', 'Clip', 'Reshape', 'Unsqueeze', 'Squeeze', 'Expand')
  const inner = node?.inputs[0]
  if (!node || !inner || steps === 0) return null
  const shape = context.operandOf(value).shape
  if (node.op === 'Clip') {
    const limit = lowerLimit(context, node)
    const spread = limit === null ? null : read(context, inner, steps - 1)
    return spread && { ...spread, floor: Math.max(spread.floor, limit ?? 0), shape }
  }
  if (node.op === 'Add' || node.op === 'Max') {
    const beside = orders(node).length > 0 ? besideNumber(context, node) : null
    if (beside === null || beside.number < 0) return null
    const spread = read(context, beside.value, steps - 1)
    if (spread === null) return null
    const { number } = beside
    const floor = node.op === 'Add' ? addDown(spread.floor, number) : Math.max(spread.floor, number)
    return { ...spread, floor, shape }
  }
  if (!keepsSize(context, node)) return null
  const spread = read(context, inner, steps - 1)
  return spread && { ...spread, sum: { ...spread.sum, kept: false }, shape }
}

/** The lower limit of a Clip that has no upper one. */
function lowerLimit(context: BoundContext, node: Node): number | null {
  if (node.version < 11) {
    return floatAttribute(node, 'max', 3.5e38) > 3.4e38 ? floatAttribute(node, 'min', null) : null
  }
  return node.inputs[2] ? null : numberIn(context, node.inputs[1] ?? null)
}
