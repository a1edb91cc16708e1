import { type Shape, sizeOf } from '../../core/tensor.ts'
import { intAttribute, intsAttribute } from '../../graph/attribute.ts'
import type { Node, Value } from '../../graph/graph.ts'
import type { BoundContext } from '../bound.ts'
import { entriesOf } from '../rules/constant.ts'
import { besideNumber, numberIn, producerOf } from './pattern.ts'

/** Sums over groups of elements: factor·Σ of a value along axes, one number for each group. */
export interface GroupSum {
  readonly of: Value
  /** From the front, ascending. */
  readonly axes: readonly number[]
  /** NaN for the mean of an unknown number. */
  readonly factor: number
  /** Whether that is exactly the mean, also of an unknown number of elements. */
  readonly isMean: boolean
  /** Elements in a group; null where that is not known. */
  readonly count: number | null
  /** Whether the axes are kept with the length 1 and nothing has reshaped the sums since. */
  readonly kept: boolean
}

/** ReduceMean and ReduceSum, times constant numbers, behind nodes that reshape without moving elements. */
export function groupSumOf(
  context: BoundContext,
  value: Value,
  reductions: readonly string[] = ['ReduceMean', 'ReduceSum'],
): GroupSum | null {
  let [at, factor, moved] = [value, 1, false]
  for (let step = 0; step < 12; step++) {
    const plumbing = producerOf(at, 'Reshape', 'Unsqueeze', 'Squeeze', 'Expand')
    if (plumbing?.inputs[0] && keepsSize(context, plumbing)) {
      at = plumbing.inputs[0]
      moved = true
      continue
    }
    const product = producerOf(at, 'Mul', 'Div')
    if (product === null) break
    const beside = besideNumber(context, product)
    if (beside === null || (product.op === 'Div' && beside.value !== product.inputs[0])) return null
    factor *= product.op === 'Mul' ? beside.number : 1 / beside.number
    at = beside.value
  }
  const sum = reductionOf(context, producerOf(at, ...reductions))
  if (sum === null) return null
  const scaled = sum.factor * factor
  const isMean = factor === 1 ? sum.isMean : sum.count !== null && scaled * sum.count === 1
  return { ...sum, factor: scaled, isMean, kept: sum.kept && !moved }
}

export function keepsSize(context: BoundContext, node: Node): boolean {
  const [before, after] = [node.inputs[0], node.outputs[0]].map((value) => {
    const shape = value ? context.operandOf(value).shape : null
    return shape && sizeOf(shape)
  })
  return before !== null && before === after
}

function reductionOf(context: BoundContext, node: Node | null): GroupSum | null {
  const data = node?.inputs[0]
  if (!node || !data) return null
  const { shape } = context.operandOf(data)
  const listed = node.inputs[1]
    ? entriesOf(context.operandOf(node.inputs[1]))
    : intsAttribute(node, 'axes', null)
  if (shape === null || (node.inputs[1] && listed === null)) return null
  const none = listed === null || listed.length === 0
  if (none && intAttribute(node, 'noop_with_empty_axes', 0) !== 0) return null
  const axes = none
    ? shape.map((_, axis) => axis)
    : listed.map((axis) => (axis < 0 ? axis + shape.length : axis))
  const distinct = [...new Set(axes)].sort((a, b) => a - b)
  const count = sizeOf(distinct.map((axis) => shape[axis]))
  const isMean = node.op === 'ReduceMean'
  const factor = isMean ? 1 / (count ?? Number.NaN) : 1
  return { of: data, axes: distinct, factor, isMean, count, kept: intAttribute(node, 'keepdims', 1) !== 0 }
}

/** Whether one number for each group meets, by broadcasting, the elements of its own group in a tensor of `shape`. */
export function meetsGroups(sum: GroupSum, own: Shape | null, shape: Shape | null): boolean {
  if (sum.kept) return true
  return (
    own !== null &&
    shape !== null &&
    own.length === shape.length &&
    shape.every((dim, axis) => dim !== null && own[axis] === (sum.axes.includes(axis) ? 1 : dim))
  )
}

export function sameAxes(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((axis, i) => axis === b[i])
}

/** The number that a value is the square of: xx or x². */
export function squaredIn(context: BoundContext, value: Value): Value | null {
  const product = producerOf(value, 'Mul')
  const [a, b] = product?.inputs ?? []
  if (a && a === b) return a
  const power = producerOf(value, 'Pow')
  return power?.inputs[0] && numberIn(context, power.inputs[1] ?? null) === 2 ? power.inputs[0] : null
}
