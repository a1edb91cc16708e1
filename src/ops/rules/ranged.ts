import * as mag from '../../core/magnitude.ts'
import type { NormName } from '../../core/norm-name.ts'
import { mulUp } from '../../core/rounding.ts'
import {
  type BoundContext,
  type BoundOperand,
  type BoundRule,
  everything,
  type Interval,
  type TensorBound,
} from '../bound.ts'
import { broadcastCounts, rootOf, unknownCopies } from './broadcast.ts'
import { elementsOf, rangeOf, scalarOf } from './constant.ts'
import { type Activation, elementwise } from './elementwise.ts'
import { farthest, increasing, interval, nearest, reciprocal, square, up } from './interval.ts'
import { added, addedIn, isFixed, type Part, through } from './join.ts'
import { companions, inNorms, repeated } from './norms.ts'
import { overReals } from './reals.ts'

/** Elementwise functions whose slope is unbounded on the whole line: they need a range of their input. */

const none: Activation = { slope: Infinity, image: everything }

/** A slope that is largest at the point of the range farthest from or nearest to a singularity. */
function ranged(activationOf: (range: Interval) => Activation | null, needs: string): BoundRule {
  return elementwise((range) => activationOf(range) ?? none, needs)
}

/**
 * xᶜ: the slope |c|·|x|^(c−1) is largest at the end that is farthest from 0 for c ≥ 1 and nearest to 0 below.
 * Without a range only c = 1 and c = 0 have a bound. Fractional exponents need x ≥ 0.
 */
export function power(range: Interval, exponent: number): Activation {
  if (exponent === 0) return { slope: 0, image: { lo: 1, hi: 1 } }
  if (exponent === 1) return { slope: 1, image: range }
  const integral = Number.isInteger(exponent)
  if (range.lo < 0 && !integral) return none
  const at = exponent > 1 ? farthest(range) : nearest(range)
  const slope = mulUp(Math.abs(exponent), up(at ** (exponent - 1)))
  if (exponent === 2) return { slope: mulUp(2, farthest(range)), image: square(range) }
  if (range.lo >= 0) {
    const ends = [up(range.lo ** exponent), up(range.hi ** exponent)]
    return { slope, image: interval(Math.max(0, Math.min(...ends) * (1 - 1e-12)), Math.max(...ends)) }
  }
  const size = exponent > 0 ? up(farthest(range) ** exponent) : Infinity
  return { slope, image: exponent % 2 === 0 ? interval(0, size) : interval(-size, size) }
}

/**
 * x^y for x ≥ l > 0 and bounded y: the partial derivatives y·x^(y−1) and x^y·log x are largest, in absolute value, where each factor is, and
 * powers are so at corners.
 */
function powerOfTwo(context: BoundContext, x: BoundOperand, y: BoundOperand, norm: NormName): TensorBound {
  const [base, exponent] = [x.range, y.range]
  if (!(base.lo > 0) || farthest(base) === Infinity || farthest(exponent) === Infinity)
    return context.refuse(
      'raises to powers that are not one constant number, without bounds of both; give --input-range',
    )
  const corner = (shift: number) =>
    Math.max(
      ...[base.lo, base.hi].flatMap((b) => [exponent.lo, exponent.hi].map((e) => up(b ** (e + shift)))),
    )
  const logarithm = Math.max(Math.abs(Math.log(base.lo)), Math.abs(Math.log(base.hi)))
  const slopes = [mulUp(farthest(exponent), corner(-1)), mulUp(corner(0), up(logarithm))]
  const counts = broadcastCounts(context, [x, y])
  const parts: Part[] = []
  for (const [i, bound] of [x, y].entries()) {
    const count = counts[i]
    if (isFixed(bound)) continue
    if (count === null) return context.refuse(unknownCopies)
    const times = norm === 'l2' ? rootOf(count) : mag.magnitude(repeated[norm](count))
    parts.push({ bound, gain: mag.multiply(times, mag.magnitude(slopes[i])) })
  }
  const image = interval(0, corner(0))
  return norm === 'l2' ? added(parts, image) : addedIn(norm, parts, image)
}

/** Pow, mostly with an exponent that is one constant number. */
const pow = (context: BoundContext, norm: NormName): TensorBound[] => {
  const x = context.input(0)
  const exponent = scalarOf(context.input(1))
  const powers = context.input(1)
  if (x === null || powers === null) return [context.refuse('lacks an operand')]
  if (exponent === null) return [powerOfTwo(context, x, withRange(powers), norm)]
  const { slope, image } = power(x.range, exponent)
  if (slope === Infinity) {
    return [context.refuse(`raises values that have no proven bounds to the power ${exponent}`)]
  }
  return [through(x, slope, image)]
}

/** A constant that is too large for the walk to have looked at it is looked at here. */
function withRange(operand: BoundOperand): BoundOperand {
  const elements = farthest(operand.range) < Infinity ? null : elementsOf(operand)
  const range = elements === null ? null : rangeOf(elements)
  return range === null ? operand : { ...operand, range }
}

const within = (range: Interval, limit: number) => farthest(range) < limit

/** 1 − m² for m = sup |x|, without cancellation. */
function distanceToOne(range: Interval): number {
  const m = farthest(range)
  return (1 - m) * (1 + m)
}

/** What of a range is not below 0. */
const positive = ({ lo, hi }: Interval) => interval(Math.max(0, lo), hi)

const exponential = ranged(
  (range) => ({ slope: up(Math.exp(range.hi)), image: positive(increasing(Math.exp, range)) }),
  'is not Lipschitz where its input has no upper bound',
)

/** Up to there exponents of 2 are whole numbers that float64 holds. */
const largestExponent = 2 ** 52

/** e^hi also where float64 ends: the next power of 2 but one, which covers the rounding of its exponent. */
const exp: BoundRule = (context) => {
  const x = context.input(0)
  const exponent = Math.ceil((x?.range.hi ?? Infinity) * Math.LOG2E * (1 + 2 ** -50)) + 1
  if (x === null || Number.isFinite(Math.exp(x.range.hi)) || !(exponent < largestExponent))
    return exponential(context)
  return [through(x, { m: 1, e: exponent }, { lo: 0, hi: Infinity })]
}

export const rangedRules = {
  Exp: companions(exponential, exp, {
    norms: exponential.norms === 'same' ? (context) => exp(context) : undefined,
  }),
  Log: ranged(
    (range) => (range.lo > 0 ? { slope: up(1 / range.lo), image: increasing(Math.log, range) } : null),
    'is not Lipschitz where its input may come near 0',
  ),
  Sqrt: ranged(
    (range) =>
      range.lo > 0 ? { slope: up(0.5 / Math.sqrt(range.lo)), image: increasing(Math.sqrt, range) } : null,
    'is not Lipschitz where its input may come near 0',
  ),
  Reciprocal: ranged((range) => {
    const least = nearest(range)
    return least > 0 ? { slope: up(1 / least / least), image: reciprocal(range) } : null
  }, 'is not Lipschitz where its input may come near 0'),
  Pow: overReals(inNorms((context) => pow(context, 'l2'), pow)),
  Tan: ranged(
    (range) =>
      within(range, 1.57)
        ? { slope: up(Math.cos(farthest(range)) ** -2), image: increasing(Math.tan, range) }
        : null,
    'is not Lipschitz near its poles',
  ),
  Sinh: ranged(
    (range) => ({ slope: up(Math.cosh(farthest(range))), image: increasing(Math.sinh, range) }),
    'is not Lipschitz where its input has no bounds',
  ),
  Cosh: ranged(
    (range) => ({
      slope: up(Math.sinh(farthest(range))),
      image: interval(1, up(Math.cosh(farthest(range)))),
    }),
    'is not Lipschitz where its input has no bounds',
  ),
  Asin: ranged(
    (range) =>
      within(range, 1)
        ? { slope: up(1 / Math.sqrt(distanceToOne(range))), image: increasing(Math.asin, range) }
        : null,
    'is not Lipschitz near −1 and 1',
  ),
  Acos: ranged(
    (range) =>
      within(range, 1)
        ? { slope: up(1 / Math.sqrt(distanceToOne(range))), image: interval(0, up(Math.PI)) }
        : null,
    'is not Lipschitz near −1 and 1',
  ),
  Acosh: ranged(
    (range) =>
      range.lo > 1
        ? { slope: up(1 / Math.sqrt((range.lo - 1) * (range.lo + 1))), image: increasing(Math.acosh, range) }
        : null,
    'is not Lipschitz near 1',
  ),
  Atanh: ranged(
    (range) =>
      within(range, 1) ? { slope: up(1 / distanceToOne(range)), image: increasing(Math.atanh, range) } : null,
    'is not Lipschitz near −1 and 1',
  ),
} satisfies Record<string, BoundRule>
