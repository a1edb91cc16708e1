import type { Magnitude } from '../../core/magnitude.ts'
import * as mag from '../../core/magnitude.ts'
import type { NormName, OtherNorm } from '../../core/norm-name.ts'
import { divUp, mulUp } from '../../core/rounding.ts'
import type { BoundContext, BoundRule, Interval, TensorBound } from '../bound.ts'
import { growth, inverseRootOf, rootOf } from './broadcast.ts'
import { entriesOf } from './constant.ts'
import { farthest, interval, scaled, up } from './interval.ts'
import { isFixed, through } from './join.ts'
import { inEvery, inNorms } from './norms.ts'
import { overReals } from './reals.ts'

/** A reduction of groups of n elements: its constant, null where it has none on the range, and its image. */
interface Reduction {
  readonly gain: (count: number, range: Interval) => Magnitude | number | null
  readonly image: (range: Interval, count: number) => Interval
  /** Its constants in ℓ∞ and ℓ1. */
  readonly norms: Readonly<Record<OtherNorm, Reduction['gain']>>
}

const unknownCount = 'reduces a number of elements that is not known; give --input-shape'

function reduction({ gain, image, norms }: Reduction, needs = 'needs proven bounds of its input'): BoundRule {
  const rule = (context: BoundContext, gainOf: Reduction['gain']): TensorBound[] => {
    const [x, axes] = [context.input(0), context.input(1)]
    if (x === null) return [context.refuse('has no data')]
    if (axes !== null && !isFixed(axes)) return [context.refuse('reduces axes that are computed from data')]
    const count = growth(context.output(0)?.shape ?? null, x.shape)
    if (count === null) return [context.refuse(unknownCount)]
    const factor = gainOf(count, x.range)
    return [factor === null ? context.refuse(needs) : through(x, factor, image(x.range, count))]
  }
  return overReals(
    inNorms(
      (context) => rule(context, gain),
      (context, norm) => rule(context, norms[norm]),
    ),
  )
}

const one = () => 1
/** Of sums: n equal changes add up, or one change is one. */
const summed = { linf: (count: number) => count, l1: one }
const most = { linf: one, l1: one }

/** {0 … n·sup} for sums of n elements of either sign. */
const sums = (range: Interval, count: number) => scaled(range, count)

const same = (range: Interval) => range

/**
 * The running sum over n elements is the lower triangular matrix of ones, whose norm is 1/(2 sin(π/(4n + 2)));
 * without the element itself that of n − 1; reversed the same.
 */
export function runningSumNorm(length: number): number {
  return length <= 0 ? 0 : up(0.5 / Math.sin(Math.PI / (4 * length + 2)))
}

const cumSum = (context: BoundContext, norm: NormName): TensorBound[] => {
  const [x, axis] = [context.input(0), context.input(1)]
  if (x === null || axis === null || !isFixed(axis))
    return [context.refuse('sums along an axis that is not known')]
  const at = entriesOf(axis)?.[0]
  const length = at === undefined ? null : (x.shape?.at(at) ?? null)
  if (length === null) return [context.refuse(unknownCount)]
  const exclusive = context.node.attributes.get('exclusive')
  const counted = exclusive?.kind === 'int' && exclusive.value !== 0 ? length - 1 : length
  const size = mulUp(farthest(x.range), length)
  // the triangle's largest row and column hold one for every element
  const gain = norm === 'l2' ? runningSumNorm(counted) : Math.max(0, counted)
  return [through(x, gain, interval(-size, size))]
}

const finite = (gain: number) => (gain < Infinity ? gain : null)

export const reductionRules = {
  ReduceSum: reduction({ gain: rootOf, image: sums, norms: summed }),
  ReduceMean: reduction({
    gain: inverseRootOf,
    image: same,
    norms: { linf: one, l1: (count) => divUp(1, count) },
  }),
  ReduceMax: reduction({ gain: one, image: same, norms: most }),
  ReduceMin: reduction({ gain: one, image: same, norms: most }),
  ReduceL1: reduction({
    gain: rootOf,
    image: (range, count) => interval(0, mulUp(farthest(range), count)),
    norms: summed,
  }),
  ReduceL2: reduction({
    gain: () => 1,
    image: (range, count) => interval(0, mulUp(farthest(range), up(Math.sqrt(count)))),
    norms: { linf: rootOf, l1: one },
  }),
  ReduceLogSumExp: reduction({
    gain: () => 1,
    image: (range, count) => interval(range.lo, range.hi + up(Math.log(count)) + 1e-9),
    norms: most,
  }),
  /** |Σx² − Σy²| ≤ |x + y|₂·|x − y|₂ ≤ 2√n·sup|x|·|x − y|₂. */
  ReduceSumSquare: reduction(
    {
      gain: (count, range) =>
        farthest(range) < Infinity ? mag.multiply(rootOf(count), mag.magnitude(2 * farthest(range))) : null,
      image: (range, count) => interval(0, mulUp(mulUp(farthest(range), farthest(range)), count)),
      norms: {
        linf: (count, range) => finite(mulUp(2 * farthest(range), count)),
        l1: (_, range) => finite(2 * farthest(range)),
      },
    },
    'squares values that have no proven bounds: not Lipschitz on an unbounded domain; give --input-range',
  ),
  CumSum: overReals(inEvery(cumSum)),
} satisfies Record<string, BoundRule>
