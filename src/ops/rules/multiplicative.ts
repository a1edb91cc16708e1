import type { NormName } from '../../core/norm-name.ts'
import { divUp, mulDown, mulUp, sqrtUp } from '../../core/rounding.ts'
import { intAttribute } from '../../graph/attribute.ts'
import type { BoundContext, BoundRule, TensorBound } from '../bound.ts'
import { growth } from './broadcast.ts'
import { entriesOf } from './constant.ts'
import { farthest, hull, interval, nearest, up } from './interval.ts'
import { isFixed, through } from './join.ts'
import { inEvery } from './norms.ts'
import { overReals } from './reals.ts'

/**
 * Products of many elements that vary. None is Lipschitz on an unbounded domain; with |x| ≤ m the partial derivative of a
 * product of n elements is at most mⁿ⁻¹. Boxes are convex, so that the largest norm of the Jacobian is the constant.
 */

const needsRange =
  'multiplies many values that have no proven bounds: not Lipschitz on an unbounded domain; give --input-range'
const unknownCount = 'multiplies a number of elements that is not known; give --input-shape'

/** base^exponent, rounded up; 1 for the exponent 0. */
export function powerUp(base: number, exponent: number): number {
  return exponent <= 0 ? 1 : up(up(base) ** exponent)
}

/** How much n equal entries of a gradient count. */
const entries = {
  l2: sqrtUp,
  linf: (count: number) => count,
  l1: () => 1,
} satisfies Record<NormName, (count: number) => number>

/** ∏ of n elements: the gradient has n entries of at most mⁿ⁻¹: √n·mⁿ⁻¹. */
const reduceProduct = (context: BoundContext, norm: NormName): TensorBound[] => {
  const [x, axes] = [context.input(0), context.input(1)]
  if (x === null) return [context.refuse('has no data')]
  if (axes !== null && !isFixed(axes)) return [context.refuse('reduces axes that are computed from data')]
  const count = growth(context.output(0)?.shape ?? null, x.shape)
  if (count === null) return [context.refuse(unknownCount)]
  const largest = farthest(x.range)
  const gain = count === 1 ? 1 : mulUp(entries[norm](count), powerUp(largest, count - 1))
  if (!(gain < Infinity)) return [context.refuse(needsRange)]
  const reach = powerUp(largest, count)
  return [through(x, gain, x.range.lo >= 0 ? interval(0, reach) : interval(-reach, reach))]
}

/**
 * Running products y_k of the first k of n elements: |∂y_k/∂x_i| ≤ m^(k−1) for i ≤ k, so that ‖J‖₂² is at most
 * Σ k·m^(2(k−1)) (Frobenius) and max_k k·m^(k−1) · Σ m^(k−1) (Schur). Without the element itself of n − 1.
 */
const runningProduct = (context: BoundContext, norm: NormName): TensorBound[] => {
  const [x, axis] = [context.input(0), context.input(1)]
  if (x === null || axis === null || !isFixed(axis))
    return [context.refuse('multiplies along an axis that is not known')]
  const at = entriesOf(axis)?.[0]
  const length = at === undefined ? null : (x.shape?.at(at) ?? null)
  if (length === null) return [context.refuse(unknownCount)]
  const counted = intAttribute(context.node, 'exclusive', 0) !== 0 ? length - 1 : length
  const gain = runningProductNorm(farthest(x.range), counted, norm)
  if (!(gain < Infinity)) return [context.refuse(needsRange)]
  const reach = Math.max(1, powerUp(farthest(x.range), counted))
  return [through(x, gain, x.range.lo >= 0 ? interval(0, reach) : interval(-reach, reach))]
}

/** Elements along one axis beyond which products are not followed. */
const longestAxis = 2 ** 22

export function runningProductNorm(largest: number, count: number, norm: NormName = 'l2'): number {
  if (count > longestAxis) return Infinity
  let [squares, columnSum, rowSum, power] = [0, 0, 0, 1]
  for (let k = 1; k <= count; k++) {
    squares += k * power * power
    columnSum += power
    rowSum = Math.max(rowSum, k * power)
    power *= largest
    if (!(squares < Infinity)) return Infinity
    if (power === 0) break
  }
  const sums = { l2: Math.sqrt(Math.min(squares, rowSum * columnSum)), linf: rowSum, l1: columnSum }
  return up(sums[norm] * (1 + (count + 8) * 2 ** -50))
}

/** log Σx for x ≥ l > 0: the gradient has n entries 1/Σx ≤ 1/(n·l), of the norm 1/(√n·l). */
const logOfSum = (context: BoundContext, norm: NormName): TensorBound[] => {
  const [x, axes] = [context.input(0), context.input(1)]
  if (x === null) return [context.refuse('has no data')]
  if (axes !== null && !isFixed(axes)) return [context.refuse('reduces axes that are computed from data')]
  const count = growth(context.output(0)?.shape ?? null, x.shape)
  if (count === null) return [context.refuse(unknownCount)]
  const { lo, hi } = x.range
  if (!(lo > 0)) return [context.refuse('takes the logarithm of a sum that may come near 0')]
  const image = interval(up(Math.log(lo)) - 1e-9, up(Math.log(hi * count)) + 1e-9)
  const gain = divUp(entries[norm](count), mulDown(count, nearest(x.range)))
  return [through(x, gain, image)]
}

/**
 * Determinants of n×n matrices: the gradient is the matrix of cofactors, and ‖adj X‖_F² = e_{n−1}(σ²) of the squared singular values,
 * at most n·(‖X‖_F²/n)^(n−1) (Maclaurin). With ‖X‖_F ≤ f the constant is √n·(f/√n)^(n−1): n^(n/2)·mⁿ⁻¹ for entries of at most m,
 * attained at Hadamard's matrices. By the same |det X| ≤ (f/√n)ⁿ.
 */
const determinant: BoundRule = (context) => {
  const x = context.input(0)
  const size = x?.shape?.at(-1) ?? null
  if (x === null || size === null)
    return [context.refuse('has matrices of a size that is not known; give --input-shape')]
  const length = Math.min(x.norm, mulUp(size, farthest(x.range)))
  const mean = up(length / Math.sqrt(Math.max(size, 1)))
  const gain = size <= 1 ? size : mulUp(sqrtUp(size), powerUp(mean, size - 1))
  if (!(gain < Infinity)) return [context.refuse(needsRange)]
  const reach = size === 0 ? 1 : powerUp(mean, size)
  return [through(x, gain, hull(interval(-reach, reach), interval(0, 0)))]
}

export const multiplicativeRules = {
  ReduceProd: overReals(inEvery(reduceProduct)),
  ReduceLogSum: overReals(inEvery(logOfSum)),
  CumProd: overReals(inEvery(runningProduct)),
  Det: overReals(determinant),
} satisfies Record<string, BoundRule>
