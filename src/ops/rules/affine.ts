import { addUp, mulUp, sqrtUp } from '../../core/rounding.ts'
import type { FloatArray } from '../../core/tensor.ts'
import type { Interval } from '../bound.ts'
import { interval } from './interval.ts'

/**
 * Ranges behind y = Wx + b. With every xᵢ in [loᵢ, hiᵢ] the exact interval of output j is
 * [Σ P·lo + N·hi, Σ P·hi + N·lo] + bⱼ, P and N the positive and the negative weights of its row; and by Cauchy-Schwarz
 * |yⱼ − bⱼ| ≤ ‖wⱼ‖₂·‖x‖₂. One pass over the weights.
 */

/**
 * Weights that stand as `groups` arrays [outer, outputs, inner], one after another; a row sums over outer and inner. Each
 * `taps` neighbours of the inner axis meet one input; inputs are numbered through all groups.
 */
export interface WeightLayout {
  readonly groups: number
  readonly outer: number
  readonly outputs: number
  readonly inner: number
  readonly taps: number
}

/** What is known of the data of a linear map. */
export interface AffineInput {
  readonly inputAt: (input: number) => Interval
  /** ‖x‖₂ at most. */
  readonly norm: number
}

/** Sums over the row of each output, computed to nearest. */
interface RowSums {
  /** Of the upper and the lower ends. */
  readonly most: Float64Array
  readonly least: Float64Array
  /** Of the largest finite |w·x|: what the error is relative to. */
  readonly sizes: Float64Array
  readonly squares: Float64Array
}

function rowSums(weights: FloatArray, layout: WeightLayout, inputAt: AffineInput['inputAt']): RowSums {
  const { groups, outer, outputs, inner, taps } = layout
  const [most, least, sizes, squares] = [0, 1, 2, 3].map(() => new Float64Array(groups * outputs))
  const perOuter = inner / taps
  let at = 0
  for (let group = 0; group < groups; group++) {
    for (let o = 0; o < outer; o++) {
      const first = (group * outer + o) * perOuter
      const inputs = Array.from({ length: perOuter }, (_, i) => inputAt(first + i))
      const ends = inputs.map(largestEnd)
      for (let output = group * outputs; output < (group + 1) * outputs; output++) {
        for (let input = 0; input < perOuter; input++) {
          let [above, below, square] = [0, 0, 0]
          for (const end = at + taps; at < end; at++) {
            const weight = weights[at]
            if (weight > 0) above += weight
            else below += weight
            square += weight * weight
          }
          const { lo, hi } = inputs[input]
          squares[output] += square
          sizes[output] += (above - below) * ends[input]
          // 0·∞ counts as 0
          if (above !== 0) {
            most[output] += above * hi
            least[output] += above * lo
          }
          if (below !== 0) {
            most[output] += below * lo
            least[output] += below * hi
          }
        }
      }
    }
  }
  return { most, least, sizes, squares }
}

/**
 * The interval of every output, rounded outward: each sum of n terms is off by n + 2 units of relative error of its
 * largest terms. `bias` gives bⱼ. Without a number where a weight is not finite.
 */
export function affineBox(
  weights: FloatArray,
  layout: WeightLayout,
  { inputAt, norm }: AffineInput,
  bias: (output: number) => Interval,
): { lo: Float64Array; hi: Float64Array } {
  const { most, least, sizes, squares } = rowSums(weights, layout, inputAt)
  const slack = (layout.outer * layout.inner + 8) * 2 ** -52
  const [lo, hi] = [new Float64Array(most.length), new Float64Array(most.length)]
  for (let output = 0; output < most.length; output++) {
    const reach = times(sqrtUp(squares[output] * (1 + slack)), norm)
    const error = mulUp(sizes[output], 2 * slack)
    const own = bias(output)
    hi[output] = addUp(Math.min(reach, addUp(most[output], error)), own.hi)
    lo[output] = -addUp(Math.min(reach, addUp(-least[output], error)), -own.lo)
    if (!(lo[output] <= hi[output])) {
      lo[output] = -Infinity
      hi[output] = Infinity
    }
  }
  return { lo, hi }
}

/** The hull of all outputs' intervals for data in one range. */
export function affineImage(
  weights: FloatArray,
  layout: WeightLayout,
  { range, norm }: { readonly range: Interval; readonly norm: number },
  bias: (output: number) => Interval,
): Interval {
  const { lo, hi } = affineBox(weights, layout, { inputAt: () => range, norm }, bias)
  const hull = { lo: Infinity, hi: -Infinity }
  for (let output = 0; output < lo.length; output++) {
    hull.lo = Math.min(hull.lo, lo[output])
    hull.hi = Math.max(hull.hi, hi[output])
  }
  return interval(hull.lo, hull.hi)
}

/** The largest absolute value of a finite end. */
function largestEnd({ lo, hi }: Interval): number {
  return Math.max(...[lo, hi, 0].map(Math.abs).filter(Number.isFinite))
}

/** a·b rounded up, for finite a; 0·∞ counts as 0. */
function times(a: number, b: number): number {
  return a === 0 ? 0 : mulUp(a, b)
}
