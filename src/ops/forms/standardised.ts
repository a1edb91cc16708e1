import { divUp, mulUp, sqrtUp } from '../../core/rounding.ts'
import { type Shape, sizeOf } from '../../core/tensor.ts'
import type { Value } from '../../graph/graph.ts'
import { type BoundContext, everything, type Interval, type TensorBound } from '../bound.ts'
import { elementsOf, rangeOf } from '../rules/constant.ts'
import { difference, farthest, interval, sum, up } from '../rules/interval.ts'
import { isFixed, through } from '../rules/join.ts'
import { isSame, numberIn, orders, producerOf } from './pattern.ts'
import { deviationOf, meets, quadratic, rootSpread, type Spread, sameDeviation } from './quadratic.ts'
import { groupSumOf, meetsGroups, sameAxes } from './reduced.ts'

/**
 * Normalisations that are written out: y = d / N(‖d‖) over groups of elements, d = x − mean(x) or x itself, with
 * N(r) = √(c·r² + ε), √c·r + ε, max(√c·r, ε) or several of these: LayerNorm, RMSNorm, InstanceNorm, L2-normalise. Across d
 * the Jacobian is 1/N, along it (N − r·N′)/N²; all of these have 0 ≤ r·N′ ≤ N, so that its norm is at most 1/N ≤ 1/inf N.
 * Taking the mean off is a projection. inf N = 0 has no bound.
 */

/** Numbers that groups are multiplied with: gain/N. */
interface Inverse {
  readonly spread: Spread
  /** The largest absolute value of the constants that 1/N is multiplied with. */
  readonly gain: number
}

/** x − mean(x) along axes, a projection. */
export function deviation(context: BoundContext): TensorBound | null {
  const [x, mean] = context.node.inputs
  const output = context.node.outputs[0]
  if (!x || !mean || !output || deviationOf(context, output).axes === null) return null
  const data = context.operandOf(x)
  return through(data, 1, difference(data.range, context.operandOf(mean).range), data.norm)
}

/** d / N or d · (1/N). */
export function standardised(context: BoundContext): TensorBound | null {
  const { node } = context
  const pairs = node.op === 'Div' ? orders(node).slice(0, 1) : orders(node)
  for (const [data, other] of pairs) {
    const spread = node.op === 'Div' ? rootSpread(context, other) : null
    const inverse = node.op === 'Div' ? spread && { spread, gain: 1 } : inverseOf(context, other)
    if (inverse === null || !sameDeviation(deviationOf(context, data), inverse.spread.deviation)) continue
    const bound = normalizedBound(context, data, inverse)
    if (bound !== null) return bound
  }
  return null
}

/** x·s + (β − mean(x)·s) with s = γ/N, which is d·s + β. */
export function shiftedProduct(context: BoundContext): TensorBound | null {
  for (const [left, right] of orders(context.node)) {
    const [beta, product] = producerOf(right, 'Sub')?.inputs ?? []
    const [scaledData, scaledMean] = [producerOf(left, 'Mul'), producerOf(product ?? null, 'Mul')]
    if (!beta || !scaledData || !scaledMean) continue
    for (const [data, factor] of orders(scaledData)) {
      const mean = orders(scaledMean).find(([, other]) => isSame(other, factor))?.[0]
      const inverse = mean ? inverseOf(context, factor) : null
      if (!mean || inverse === null) continue
      const bound = shiftedBound(context, { data, mean, beta }, inverse)
      if (bound !== null) return bound
    }
  }
  return null
}

function shiftedBound(
  context: BoundContext,
  { data, mean, beta }: { data: Value; mean: Value; beta: Value },
  inverse: Inverse,
): TensorBound | null {
  const of = groupSumOf(context, mean)
  const { deviation: expected } = inverse.spread
  const shift = context.operandOf(beta)
  if (!of?.isMean || !isSame(of.of, data) || !isSame(expected.of, data) || expected.axes === null) return null
  if (!sameAxes(of.axes, expected.axes) || !meets(context, of, mean, data) || !isFixed(shift)) return null
  const bound = normalizedBound(context, data, inverse)
  return bound && { ...bound, range: sum(bound.range, shift.range), norm: Infinity }
}

/** 1/N as a reciprocal, a quotient or a power, times constants. */
function inverseOf(context: BoundContext, value: Value): Inverse | null {
  const reciprocal = producerOf(value, 'Reciprocal')?.inputs[0]
  if (reciprocal) return withGain(rootSpread(context, reciprocal), 1)
  const [above, below] = producerOf(value, 'Div')?.inputs ?? []
  const number = numberIn(context, above ?? null)
  if (below && number !== null) return withGain(rootSpread(context, below), Math.abs(number))
  const power = producerOf(value, 'Pow')
  if (power?.inputs[0] && numberIn(context, power.inputs[1] ?? null) === -0.5) {
    return withGain(underRoot(quadratic(context, power.inputs[0])), 1)
  }
  const product = producerOf(value, 'Mul')
  for (const [inner, constant] of product === null ? [] : orders(product)) {
    const operand = context.operandOf(constant)
    const elements = operand.isConstant ? elementsOf(operand) : null
    const range = elements === null ? null : rangeOf(elements)
    const inverse = range === null ? null : inverseOf(context, inner)
    if (range !== null && inverse !== null) return { ...inverse, gain: mulUp(inverse.gain, farthest(range)) }
  }
  return null
}

function withGain(spread: Spread | null, gain: number): Inverse | null {
  return spread && { spread, gain }
}

function underRoot(spread: Spread | null): Spread | null {
  return spread && { ...spread, floor: Math.sqrt(spread.floor) * (1 - 1e-15) }
}

function normalizedBound(context: BoundContext, data: Value, { spread, gain }: Inverse): TensorBound | null {
  const { shape } = context.operandOf(data)
  const { sum: group, floor, deviation: of } = spread
  // a mean of an unknown number has no known factor, but a positive one
  if (group.factor <= 0) return null
  if (!(floor > 0) || !meetsGroups(group, spread.shape, shape)) return null
  // constants that are larger than the data repeat its elements
  if (!isShape(context.output(0)?.shape ?? null, shape)) return null
  const base = of.axes === null ? context.operandOf(data) : context.operandOf(of.of)
  const reach = group.factor > 0 ? up(gain / Math.sqrt(group.factor)) : Infinity
  const image: Interval = reach < Infinity ? interval(-reach, reach) : everything
  return through(base, divUp(gain, floor), image, lengthOf(shape, group.count, reach))
}

/** √groups times the length of one. */
function lengthOf(shape: Shape | null, count: number | null, reach: number): number {
  const size = shape && sizeOf(shape)
  return size === null || !count ? Infinity : mulUp(sqrtUp(size / count), reach)
}

function isShape(a: Shape | null, b: Shape | null): boolean {
  return a !== null && b !== null && a.length === b.length && a.every((dim, axis) => dim === b[axis])
}
