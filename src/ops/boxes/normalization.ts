import { boxLimits } from '../../core/limits.ts'
import { mulUp, sqrtUp } from '../../core/rounding.ts'
import type { Dim } from '../../core/tensor.ts'
import type { BoundContext, BoxRule } from '../bound.ts'
import { elementsOf } from '../rules/constant.ts'
import { interval, scaled, sum } from '../rules/interval.ts'
import { countOf, emptyBox } from './box.ts'

/** Groups that are normalised: how many elements one has, and along which axes γ and β run. */
export interface Groups {
  readonly count: Dim
  /** First of the axes of the output that the parameters' own axes lie along. */
  readonly axis: number
  /** Whether the mean is taken off: then one element of n is at most √(n − 1) of the whole, else √n. */
  readonly isCentred: boolean
}

/**
 * γᵢ·x̂ᵢ + βᵢ with |x̂ᵢ| ≤ √(n − 1) (Σx̂ = 0 and Σx̂² ≤ n) or √n, whatever the data are: an interval for every place of γ.
 */
export function normalizedBox(
  inputs: { gamma: number; beta: number | null },
  groupsOf: (context: BoundContext) => Groups | null,
): BoxRule {
  return (context) => {
    const shape = context.output(0)?.shape ?? null
    const groups = groupsOf(context)
    const gamma = context.input(inputs.gamma)
    const beta = inputs.beta === null ? null : context.input(inputs.beta)
    const [factors, shifts] = [elementsOf(gamma), elementsOf(beta)]
    const dims = gamma?.shape ?? null
    if (shape === null || groups === null || groups.count === null || factors === null || dims === null)
      return [null]
    if (beta !== null && shifts?.length !== factors.length) return [null]
    const known = dims as readonly number[]
    const fits = known.every((dim, axis) => dim === shape[groups.axis + axis])
    if (!fits || factors.length !== countOf(known) || factors.length > boxLimits.intervals) return [null]
    if (!factors.every(Number.isFinite) || shifts?.every(Number.isFinite) === false) return [null]
    const lead = new Array<number>(groups.axis).fill(1)
    const behind = new Array<number>(shape.length - groups.axis - known.length).fill(1)
    const box = emptyBox([...lead, ...known, ...behind])
    const reach = mulUp(sqrtUp(groups.isCentred ? groups.count - 1 : groups.count), 1 + 1e-12)
    for (let i = 0; i < factors.length; i++) {
      const size = scaled(interval(-reach, reach), factors[i])
      const { lo, hi } = sum(size, interval(shifts?.[i] ?? 0, shifts?.[i] ?? 0))
      box.lo[i] = lo
      box.hi[i] = hi
    }
    return [box]
  }
}
