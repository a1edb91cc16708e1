import { addUp, mulUp, sqrtUp } from '../../core/rounding.ts'
import type { FloatArray } from '../../core/tensor.ts'
import type { WeightLayout } from '../rules/affine.ts'

/**
 * Norms of the parts of a linear map from single channels to single channels. The part from channel c to channel o
 * of a convolution has at most the norm a_oc = √(row sum · column sum) of absolute weights (Schur): each output meets all taps
 * of the kernel, each input those taps alone that fall on it, one residue class modulo the strides. Hence
 * |Δy_o| ≤ Σ_c a_oc·|Δx_c|, and ≤ √(Σ_c a_oc²)·|Δx|. Padding, cropping and transposition change none of it. One pass over the
 * weights; sums of n terms are rounded up by n units of relative error.
 */

/** For each tap of a kernel the class of inputs that it meets, and how many classes there are. */
export interface TapClasses {
  readonly classOf: Int32Array
  readonly count: number
}

export function tapClasses(
  kernel: readonly number[],
  strides: readonly number[],
  dilations: readonly number[],
): TapClasses {
  const classOf = new Int32Array(kernel.reduce((product, size) => product * size, 1))
  let [count, run] = [1, 1]
  for (let axis = kernel.length - 1; axis >= 0; axis--) {
    for (let tap = 0; tap < classOf.length; tap++) {
      const at = Math.floor(tap / run) % kernel[axis]
      classOf[tap] += ((at * dilations[axis]) % strides[axis]) * count
    }
    run *= kernel[axis]
    count *= strides[axis]
  }
  return { classOf, count }
}

export interface ChannelSums {
  /** Σ_c a_oc·x_c for each of the given vectors. */
  readonly sums: readonly Float64Array[]
  /** √(Σ_c a_oc²). */
  readonly norms: Float64Array
}

/** Products of float64 above it are rounded relatively. */
const SAFE = 2 ** -1000

export function channelSums(
  weights: FloatArray,
  { groups, outer, outputs, inner, taps }: WeightLayout,
  { classOf, count }: TapClasses,
  inputs: readonly Float64Array[],
): ChannelSums {
  const sums = inputs.map(() => new Float64Array(groups * outputs))
  const squares = new Float64Array(groups * outputs)
  const perOuter = inner / taps
  const classes = new Float64Array(count)
  let at = 0
  for (let group = 0; group < groups; group++) {
    for (let o = 0; o < outer; o++) {
      const first = (group * outer + o) * perOuter
      for (let output = group * outputs; output < (group + 1) * outputs; output++) {
        for (let input = first; input < first + perOuter; input++) {
          let part = 0
          if (count === 1) {
            for (const end = at + taps; at < end; at++) part += Math.abs(weights[at])
          } else {
            classes.fill(0)
            let row = 0
            for (let tap = 0; tap < taps; tap++, at++) {
              const size = Math.abs(weights[at])
              row += size
              classes[classOf[tap]] += size
            }
            let column = 0
            for (let own = 0; own < count; own++) column = Math.max(column, classes[own])
            part = Math.sqrt(row) * Math.sqrt(column)
          }
          const square = part * part
          // below the least normal number products lose digits, or vanish
          squares[output] += square > SAFE || part === 0 ? square : square + Number.MIN_VALUE
          for (let k = 0; k < sums.length; k++) sums[k][output] += part * inputs[k][input]
        }
      }
    }
  }
  const slack = 1 + (outer * inner + 16) * 2 ** -51
  /** Products may have vanished below the least number, but not those with 0. */
  const lost = (k: number) => (inputs[k].some((value) => value !== 0) ? outer * inner * 2 ** -1073 : 0)
  return {
    sums: sums.map((sum, k) => sum.map((value) => addUp(mulUp(value, slack), lost(k)))),
    norms: squares.map((square) => sqrtUp(mulUp(square, slack * slack))),
  }
}
