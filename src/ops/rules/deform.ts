import * as mag from '../../core/magnitude.ts'
import { addUp, mulUp, sqrtUp } from '../../core/rounding.ts'
import { sizeOf } from '../../core/tensor.ts'
import { intAttribute } from '../../graph/attribute.ts'
import { type BoundContext, type BoundOperand, type BoundRule, everything } from '../bound.ts'
import { rootOf } from './broadcast.ts'
import { elementsOf, rangeOf } from './constant.ts'
import { farthest, hull, interval } from './interval.ts'
import { added, isFixed, type Part } from './join.ts'

/**
 * DeformConv: y = Σ_{c,k} W_ck·m_k·x_c(p + k + o_k), samples interpolated between four elements and 0 outside. With the matrix of
 * samples S(x) of one group, |Δy| ≤ ‖W‖_F·|ΔS| and
 *
 *   in x   |ΔS| ≤ sup|m|·√(positions·kernel)·|Δx|: rows of S sum to at most 1 and columns to as many as there are samples (Schur)
 *   in o   |ΔS| ≤ sup|m|·√(channels that share offsets)·√axes·(sup x − inf x)·|Δo|, as between neighbours the slope along
 *          each axis is at most the spread
 *   in m   |ΔS| ≤ √(channels that share masks)·sup|x|·|Δm|
 */

const bounded =
  'moves its windows by offsets that depend on the input over data that have no proven bounds; give --input-range'

/** The largest ‖W‖_F over the groups; null where weights are not known. */
function groupNorm(weights: BoundOperand, groups: number): number | null {
  const elements = elementsOf(weights)
  if (elements === null || !(groups >= 1) || elements.length % groups !== 0) return null
  const size = elements.length / groups
  let largest = 0
  for (let start = 0; start < elements.length; start += size) {
    let squares = 0
    for (let i = start; i < start + size; i++) squares = addUp(squares, mulUp(elements[i], elements[i]))
    largest = Math.max(largest, sqrtUp(squares))
  }
  return largest < Infinity ? largest : null
}

const deformed: BoundRule = (context: BoundContext) => {
  const [x, weights, offsets, bias, mask] = [0, 1, 2, 3, 4].map((i) => context.input(i))
  if (x === null || weights === null || offsets === null) return [context.refuse('lacks an operand')]
  const norm = groupNorm(weights, intAttribute(context.node, 'group', 1))
  if (norm === null || (bias !== null && !isFixed(bias)))
    return [context.refuse('has weights or a bias that are computed from data')]
  const kernel = sizeOf(weights.shape?.slice(2) ?? [null])
  const positions = sizeOf(context.output(0)?.shape?.slice(2) ?? [null])
  const [channels, axes] = [x.shape?.[1] ?? null, (x.shape?.length ?? 0) - 2]
  if (kernel === null || positions === null || channels === null)
    return [context.refuse('moves windows over a size that is not known; give --input-shape')]
  const shared = sqrtUp(Math.ceil(channels / Math.max(1, intAttribute(context.node, 'offset_group', 1))))
  const seen = hull(x.range, interval(0, 0))
  const largestMask = mask === null ? 1 : farthest(maskRange(mask))
  const spread = mulUp(mulUp(sqrtUp(axes), addUp(seen.hi, -seen.lo)), mulUp(largestMask, shared))
  const gains: readonly (readonly [BoundOperand | null, mag.Magnitude])[] = [
    [x, mag.multiply(rootOf(positions * kernel), mag.magnitude(largestMask))],
    [offsets, mag.magnitude(spread)],
    [mask, mag.magnitude(mulUp(farthest(seen), shared))],
  ]
  const parts: Part[] = []
  for (const [bound, gain] of gains) {
    if (bound === null || isFixed(bound)) continue
    if (!mag.isBounded(gain)) return [context.refuse(bounded)]
    parts.push({ bound, gain: mag.multiply(gain, mag.magnitude(norm)) })
  }
  return [added(parts, everything)]
}

function maskRange(mask: BoundOperand) {
  const elements = elementsOf(mask)
  if (elements === null) return mask.range
  return rangeOf(elements) ?? everything
}

export const deformRules = { DeformConv: deformed } satisfies Record<string, BoundRule>
