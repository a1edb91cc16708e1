import { addUp, mulUp, sqrtUp } from '../../core/rounding.ts'
import type { FloatArray } from '../../core/tensor.ts'
import type { Interval } from '../bound.ts'
import { interval } from './interval.ts'

/**
 * Ranges behind y = Wx + b. With every xᵢ in [lo, hi] the exact interval of output j is
 * [lo·P + hi·N, hi·P + lo·N] + bⱼ, P and N the sums of the positive and of the negative weights of its row; and by
 * Cauchy-Schwarz |yⱼ − bⱼ| ≤ ‖wⱼ‖₂·‖x‖₂. The result holds all outputs. One pass over the weights.
 */

/** Sums of the weights of each output, computed to nearest: `slack` covers their relative error. */
interface RowSums {
  readonly positive: Float64Array
  readonly negative: Float64Array
  readonly squares: Float64Array
  readonly slack: number
}

/** Weights that stand as `groups` arrays [outer, outputs, inner], one after another; a row sums over outer and inner. */
export interface WeightLayout {
  readonly groups: number
  readonly outer: number
  readonly outputs: number
  readonly inner: number
}

function rowSums(weights: FloatArray, { groups, outer, outputs, inner }: WeightLayout): RowSums {
  const [positive, negative, squares] = [0, 1, 2].map(() => new Float64Array(groups * outputs))
  let at = 0
  for (let group = 0; group < groups; group++) {
    for (let o = 0; o < outer; o++) {
      for (let output = group * outputs; output < (group + 1) * outputs; output++) {
        let [above, below, square] = [0, 0, 0]
        for (const end = at + inner; at < end; at++) {
          const weight = weights[at]
          if (weight > 0) above += weight
          else below += weight
          square += weight * weight
        }
        positive[output] += above
        negative[output] += below
        squares[output] += square
      }
    }
  }
  return { positive, negative, squares, slack: (outer * inner + 8) * 2 ** -52 }
}

/** What is known of the data of a linear map. */
export interface AffineInput {
  readonly range: Interval
  /** ‖x‖₂ at most. */
  readonly norm: number
}

/**
 * The hull of all outputs' intervals, rounded outward. `bias` gives bⱼ; `everything` where nothing is known of x or
 * a weight is not finite.
 */
export function affineImage(
  weights: FloatArray,
  layout: WeightLayout,
  { range, norm }: AffineInput,
  bias: (output: number) => Interval,
): Interval {
  const { positive, negative, squares, slack } = rowSums(weights, layout)
  let [lo, hi] = [Infinity, -Infinity]
  for (let output = 0; output < positive.length; output++) {
    const [above, below] = [positive[output], negative[output]]
    const reach = times(sqrtUp(squares[output] * (1 + slack)), norm)
    const most = Math.min(reach, addUp(times(above, range.hi), times(below, range.lo)))
    const least = Math.max(-reach, -addUp(times(above, -range.lo), times(below, -range.hi)))
    const error = mulUp(mulUp(Math.max(above, -below), largestEnd(range)), 2 * slack)
    const own = bias(output)
    hi = Math.max(hi, addUp(addUp(most, error), own.hi))
    lo = Math.min(lo, -addUp(addUp(-least, error), -own.lo))
  }
  return interval(lo, hi)
}

/** The largest absolute value of a finite end. */
function largestEnd({ lo, hi }: Interval): number {
  return Math.max(...[lo, hi, 0].map(Math.abs).filter(Number.isFinite))
}

/** a·b rounded up, for finite a; 0·∞ counts as 0. */
function times(a: number, b: number): number {
  return a === 0 ? 0 : mulUp(a, b)
}
