import * as mag from '../../core/magnitude.ts'
import type { NormName, OtherNorm } from '../../core/norm-name.ts'
import { addUp, divDown, divUp, mulUp } from '../../core/rounding.ts'
import type { BoundContext, BoundOperand, BoundRule, Interval, NormRule, TensorBound } from '../bound.ts'
import { broadcastBox, productBox } from '../boxes/elementwise.ts'
import { withBoxes } from '../boxes/rule.ts'
import { broadcastCounts, broadcastGains, operandsOf, unknownCopies } from './broadcast.ts'
import { elementsOf, rangeOf } from './constant.ts'
import { difference, farthest, interval, nearest, product, reciprocal, square, sum } from './interval.ts'
import { added, addedIn, isFixed, type Part, stacked, stackedIn, through } from './join.ts'
import { inEvery, inNorms, repeated } from './norms.ts'
import { overReals } from './reals.ts'

/**
 * Elementwise arithmetic with broadcasting. An operand whose elements are repeated m times enters with √m.
 */

/**
 * Each operand with the constant times √copies, or with the length that takes their place where that is less; null
 * where an operand that varies has unknown copies and no such length.
 */
function parts(
  context: BoundContext,
  operands: readonly BoundOperand[],
  constants: readonly number[],
  lengths: readonly number[] = [],
): Part[] | null {
  const gains = broadcastGains(context, operands)
  const result: Part[] = []
  for (const [i, operand] of operands.entries()) {
    if (isFixed(operand)) continue
    const gain = gains[i]
    const length = mag.magnitude(lengths[i] ?? Infinity)
    const factor =
      gain === null ? length : mag.minimum(length, mag.multiply(gain, mag.magnitude(constants[i])))
    if (!mag.isBounded(factor) && gain === null) return null
    result.push({ bound: operand, gain: factor })
  }
  return result
}

/** Σ cᵢ·xᵢ over the operands, ranges combined by `rangeOf`. */
function combination(
  constantOf: (count: number) => number,
  range: (ranges: readonly Interval[]) => Interval,
  join: typeof added = added,
): BoundRule {
  const rule = (context: BoundContext): TensorBound[] => {
    const operands = operandsOf(context)
    const found = parts(
      context,
      operands,
      operands.map(() => constantOf(operands.length)),
    )
    if (found === null) return [context.refuse(unknownCopies)]
    const reach = combinedNorm(context, operands, constantOf(operands.length))
    return [join(found, range(rangesOf(operands)), reach)]
  }
  const inNorm: NormRule = (context, norm) => {
    const operands = operandsOf(context)
    const constants = operands.map(() => constantOf(operands.length))
    const found = partsIn(norm, context, operands, constants)
    if (found === null) return [context.refuse(unknownCopies)]
    const joinIn = join === added ? addedIn : stackedIn
    return [
      joinIn(
        norm,
        found,
        range(rangesOf(operands)),
        combinedNorm(context, operands, constantOf(operands.length)),
      ),
    ]
  }
  return withBoxes(overReals(inNorms(rule, inNorm)), broadcastBox(range))
}

/** Each operand that varies with its constant, as often as it counts in the norm; null where copies are not known. */
function partsIn(
  norm: OtherNorm,
  context: BoundContext,
  operands: readonly BoundOperand[],
  constants: readonly number[],
): Part[] | null {
  const counts = broadcastCounts(context, operands)
  const result: Part[] = []
  for (const [i, bound] of operands.entries()) {
    if (isFixed(bound)) continue
    const count = counts[i]
    if (count === null) return null
    result.push({ bound, gain: mulUp(constants[i], repeated[norm](count)) })
  }
  return result
}

/** Σ c·√copies·‖xᵢ‖, which is at least the norm of the sum and of the largest elements. */
function combinedNorm(context: BoundContext, operands: readonly BoundOperand[], constant: number): number {
  const gains = broadcastGains(context, operands)
  return operands.reduce((sum, { norm }, i) => {
    const gain = gains[i]
    return gain === null ? Infinity : addUp(sum, mulUp(mulUp(mag.toNumber(gain), constant), norm))
  }, 0)
}

const total = (ranges: readonly Interval[]) => ranges.reduce(sum)

const extreme = (pick: (...values: number[]) => number) => (ranges: readonly Interval[]) =>
  interval(pick(...ranges.map((range) => range.lo)), pick(...ranges.map((range) => range.hi)))

/** A layer's norm where one operand is a constant that is measured as a scale layer. */
function scaleLayer(context: BoundContext, data: BoundOperand | null, range: Interval): TensorBound | null {
  const norm = context.layerNorm()
  if (norm === null || data === null) return null
  return through(data, norm, range, mulUp(mag.toNumber(norm.value), data.norm))
}

/** Exact range of a constant, also where it is too large for the walk to have looked. */
function rangeOfOperand(operand: BoundOperand): Interval {
  if (Number.isFinite(farthest(operand.range)) || !operand.isConstant) return operand.range
  const elements = elementsOf(operand)
  return (elements === null ? null : rangeOf(elements)) ?? operand.range
}

/** Ranges of the operands; a large constant is looked at only where that says something of the result. */
function rangesOf(operands: readonly BoundOperand[]): Interval[] {
  const tells = operands.some(
    ({ range, isConstant }) => !isConstant && (range.lo > -Infinity || range.hi < Infinity),
  )
  return operands.map((operand) => (tells ? rangeOfOperand(operand) : operand.range))
}

/**
 * |Δ(fg)| ≤ sup|f|·|Δg| + sup|g|·|Δf|. An element of g that is repeated meets different elements of f each time: the
 * whole of f's length takes the place of √copies·sup|f| where it is less. A square is one path, not two:
 * |Δ(f²)| ≤ 2·sup|f|·|Δf| all the same.
 */
const multiply: BoundRule = (context) => {
  const [a, b] = [context.input(0), context.input(1)]
  if (a === null || b === null) return [context.refuse('lacks an operand')]
  const ranges = [rangeOfOperand(a), rangeOfOperand(b)]
  const image = a.operand.value === b.operand.value ? square(ranges[0]) : product(ranges[0], ranges[1])
  const layer = scaleLayer(context, a.isConstant ? b : a, image)
  if (layer !== null) return [layer]
  const sizes = [farthest(ranges[1]), farthest(ranges[0])]
  if ([a, b].some((operand, i) => !isFixed(operand) && sizes[i] === Infinity)) {
    return [context.refuse(unboundedFactor(a, b, 'multiplies'))]
  }
  const found = parts(context, [a, b], sizes, [b.norm, a.norm])
  return [found === null ? context.refuse(unknownCopies) : added(found, image, productNorm(context, a, b))]
}

/** As in ℓ2, copies counted as the norm counts them. */
const multiplyIn: NormRule = (context, norm) => {
  const [a, b] = [context.input(0), context.input(1)]
  if (a === null || b === null) return [context.refuse('lacks an operand')]
  const ranges = [rangeOfOperand(a), rangeOfOperand(b)]
  const image = a.operand.value === b.operand.value ? square(ranges[0]) : product(ranges[0], ranges[1])
  const sizes = [farthest(ranges[1]), farthest(ranges[0])]
  if ([a, b].some((operand, i) => !isFixed(operand) && sizes[i] === Infinity)) {
    return [context.refuse(unboundedFactor(a, b, 'multiplies'))]
  }
  const found = partsIn(norm, context, [a, b], sizes)
  return [
    found === null ? context.refuse(unknownCopies) : addedIn(norm, found, image, productNorm(context, a, b)),
  ]
}

/** √copies·‖f‖·sup|g|, either way round. */
function productNorm(context: BoundContext, a: BoundOperand, b: BoundOperand): number {
  const gains = broadcastGains(context, [a, b])
  const lengths = [
    [a, b],
    [b, a],
  ].map(([own, other], i) => {
    const gain = gains[i]
    return gain === null ? Infinity : mulUp(mulUp(mag.toNumber(gain), own.norm), farthest(other.range))
  })
  return Math.min(...lengths)
}

/** |Δ(f/g)| ≤ |Δf|/inf|g| + sup|f|·|Δg|/inf|g|². */
const divide: BoundRule = (context) => {
  const [a, b] = [context.input(0), context.input(1)]
  if (a === null || b === null) return [context.refuse('lacks an operand')]
  const [over, under] = [rangeOfOperand(a), rangeOfOperand(b)]
  const image = product(over, reciprocal(under))
  const layer = b.isConstant ? scaleLayer(context, a, image) : null
  if (layer !== null) return [layer]
  const least = nearest(under)
  if (least === 0) {
    const reason = isFixed(b)
      ? 'divides by values that may be 0'
      : 'divides by values computed from data that may come near 0'
    return [context.refuse(reason)]
  }
  const sensitivity = mulUp(farthest(over), divUp(divUp(1, least), least))
  if (!isFixed(b) && sensitivity === Infinity) return [context.refuse(unboundedFactor(a, b, 'divides'))]
  const length = mulUp(a.norm, divUp(divUp(1, least), least))
  const found = parts(
    context,
    [a, b],
    [divUp(1, least), isFixed(b) ? 0 : sensitivity],
    [Infinity, isFixed(b) ? 0 : length],
  )
  return [found === null ? context.refuse(unknownCopies) : added(found, image)]
}

const divideIn: NormRule = (context, norm) => {
  const [a, b] = [context.input(0), context.input(1)]
  if (a === null || b === null) return [context.refuse('lacks an operand')]
  const [over, under] = [rangeOfOperand(a), rangeOfOperand(b)]
  const least = nearest(under)
  if (least === 0) return [context.refuse('divides by values that may come near 0')]
  const sensitivity = isFixed(b) ? 0 : mulUp(farthest(over), divUp(divUp(1, least), least))
  if (sensitivity === Infinity) return [context.refuse(unboundedFactor(a, b, 'divides'))]
  const found = partsIn(norm, context, [a, b], [divUp(1, least), sensitivity])
  const image = product(over, reciprocal(under))
  return [found === null ? context.refuse(unknownCopies) : addedIn(norm, found, image)]
}

function unboundedFactor(a: BoundOperand, b: BoundOperand, verb: string): string {
  const both = !isFixed(a) && !isFixed(b)
  return both
    ? `${verb} two tensors that both depend on the input and have no proven bounds: not Lipschitz on an unbounded domain; give --input-range`
    : `${verb} by values that are not known`
}

/** Each element comes from one of the two: |Δ|² ≤ |Δx|² + |Δy|². The condition must not vary. */
const where = (context: BoundContext, norm: NormName): TensorBound[] => {
  const [condition, x, y] = [context.input(0), context.input(1), context.input(2)]
  if (condition === null || x === null || y === null) return [context.refuse('lacks an operand')]
  if (!isFixed(condition)) return [context.refuse('switches on a condition that is computed from data')]
  const operands = [x, y, condition]
  const found =
    norm === 'l2' ? parts(context, operands, [1, 1, 1]) : partsIn(norm, context, operands, [1, 1, 1])
  const range = interval(Math.min(x.range.lo, y.range.lo), Math.max(x.range.hi, y.range.hi))
  return [found === null ? context.refuse(unknownCopies) : stackedIn(norm, found, range)]
}

export const arithmeticRules = {
  Add: combination(() => 1, total),
  Sub: combination(
    () => 1,
    ([a, b]) => difference(a, b),
  ),
  Sum: combination(() => 1, total),
  Mean: combination(
    (count) => divUp(1, count),
    (ranges) => product(total(ranges), interval(divDown(1, ranges.length), divUp(1, ranges.length))),
  ),
  /** |max(a) − max(b)| ≤ max |aᵢ − bᵢ|, and the square of a maximum is at most the sum of squares. */
  Max: combination(() => 1, extreme(Math.max), stacked),
  Min: combination(() => 1, extreme(Math.min), stacked),
  Mul: withBoxes(
    overReals(inNorms(multiply, multiplyIn)),
    productBox(([a, b]) => product(a, b)),
  ),
  Div: withBoxes(
    overReals(inNorms(divide, divideIn)),
    broadcastBox(([a, b]) => product(a, reciprocal(b))),
  ),
  Where: inEvery(where),
} satisfies Record<string, BoundRule>
