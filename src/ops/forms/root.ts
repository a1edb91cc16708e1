import { addUp, divUp, mulUp, sqrtDown, sqrtUp } from '../../core/rounding.ts'
import { sizeOf } from '../../core/tensor.ts'
import type { Value } from '../../graph/graph.ts'
import type { BoundContext, TensorBound } from '../bound.ts'
import { farthest, interval, up } from '../rules/interval.ts'
import { stacked, through } from '../rules/join.ts'
import { besideNumber, numberIn, producerOf } from './pattern.ts'
import { quadratic, rootSpread } from './quadratic.ts'
import { squaredIn } from './reduced.ts'

/** Roots of sums of squares: lengths, which are 1-Lipschitz also where they come near 0. */

/** √(c·Σd² + ε) over groups: standard deviations and norms. It is the length of (√c·d, √ε). */
export function rootOfSquares(context: BoundContext): TensorBound | null {
  const [value] = context.node.inputs
  const spread = value ? quadratic(context, value) : null
  if (spread === null || !(spread.sum.factor > 0)) return null
  const data = context.operandOf(spread.deviation.of)
  const gain = up(Math.sqrt(spread.sum.factor))
  return through(data, gain, interval(sqrtDown(spread.floor), Infinity))
}

/** k/N, N = √(c·Σd² + ε) and its like: the slope of 1/N is N′/N² ≤ √c/inf N², because N′ ≤ √c. */
export function inverseLength(context: BoundContext): TensorBound | null {
  const { node } = context
  const isReciprocal = node.op === 'Reciprocal'
  const number = isReciprocal ? 1 : numberIn(context, node.inputs[0] ?? null)
  const length = isReciprocal ? node.inputs[0] : node.inputs[1]
  const spread = length && number !== null ? rootSpread(context, length) : null
  if (!spread || number === null || !(spread.floor > 0 && spread.sum.factor > 0)) return null
  // an Expand on the way repeats the lengths
  const [sizes, own] = [context.output(0)?.shape, spread.shape].map((shape) => (shape ? sizeOf(shape) : null))
  if (own === null || sizes !== own) return null
  const height = divUp(Math.abs(number), spread.floor)
  const gain = mulUp(divUp(height, spread.floor), up(Math.sqrt(spread.sum.factor)))
  return through(context.operandOf(spread.deviation.of), gain, interval(-height, height))
}

const mostSteps = 8

/** √(a² + b² + ε), elementwise: the magnitude of complex numbers. */
export function magnitudeOfSquares(context: BoundContext): TensorBound | null {
  const squares = squaresIn(context, context.node.inputs[0] ?? null)
  if (squares === null) return null
  const operands = squares.values.map((value) => context.operandOf(value))
  const shape = context.output(0)?.shape ?? null
  const sameShape = operands.every(
    (operand) =>
      operand.shape !== null &&
      operand.shape.length === shape?.length &&
      operand.shape.every((dim, axis) => dim !== null && dim === shape[axis]),
  )
  if (!sameShape) return null
  const largest = operands.reduce(
    (sum, { range }) => addUp(sum, mulUp(farthest(range), farthest(range))),
    squares.added,
  )
  return stacked(
    operands.map((bound) => ({ bound, gain: 1 })),
    interval(0, sqrtUp(largest)),
  )
}

/** The values whose squares are added up, and the constants beside them, which must not be negative. */
function squaresIn(context: BoundContext, value: Value | null): { values: Value[]; added: number } | null {
  const open = value === null ? [] : [value]
  const values: Value[] = []
  let added = 0
  for (let step = 0; open.length > 0; step++) {
    const next = open.pop()!
    const square = squaredIn(context, next)
    if (square !== null) {
      values.push(square)
      continue
    }
    const sum = producerOf(next, 'Add')
    const [a, b] = sum?.inputs ?? []
    if (!sum || !a || !b || step > mostSteps) return null
    const beside = besideNumber(context, sum)
    if (beside === null) open.push(b, a)
    else if (beside.number >= 0) {
      added = addUp(added, beside.number)
      open.push(beside.value)
    } else return null
  }
  return values.length > 0 ? { values, added } : null
}
