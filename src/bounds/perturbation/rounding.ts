import { addUp, divUp, mulUp, sqrtUp } from '../../core/rounding.ts'
import type { ElementType, FloatArray, Shape } from '../../core/tensor.ts'
import type { Box, Interval } from '../../ops/bound.ts'
import { lengthOf, mapBox } from '../../ops/boxes/box.ts'
import { integerRange, isIntegerType } from '../../ops/fold/element.ts'

/** What happens to a tensor on its way from one node to the next. */
export type Rounding =
  /** Every element becomes the nearest of evenly spaced numbers within an interval. */
  | { readonly kind: 'grid'; readonly range: Interval; readonly step: number }
  /** Every element is stored with a relative error, or an absolute one where it is very small. */
  | { readonly kind: 'float'; readonly unit: number; readonly least: number }

/** Numbers that codes stand for: scale·(code − zero point). */
export interface Codes {
  readonly type: ElementType
  readonly scale: FloatArray
  readonly zero: FloatArray
}

/** Room for quotients that a runtime rounds before it rounds them to a code. */
const ties = 1 + 2 ** -10

/** The rounding to the numbers of some codes; null where they are no integers, or scales are not above 0. */
export function gridOf({ type, scale, zero }: Codes): Rounding | null {
  if (!isIntegerType(type) || scale.length === 0) return null
  const { lowest, highest } = integerRange(type)
  let step = 0
  let [lo, hi] = [-Infinity, Infinity]
  for (let i = 0; i < scale.length; i++) {
    const z = zero.length === 0 ? 0 : zero[zero.length === 1 ? 0 : i]
    if (!(scale[i] > 0 && Number.isFinite(scale[i]) && Number.isFinite(z))) return null
    step = Math.max(step, scale[i])
    lo = Math.max(lo, scale[i] * (lowest - z))
    hi = Math.min(hi, scale[i] * (highest - z))
  }
  return { kind: 'grid', range: { lo, hi }, step }
}

const units: Partial<Record<ElementType, { readonly unit: number; readonly least: number }>> = {
  float16: { unit: 2 ** -11, least: 2 ** -25 },
  bfloat16: { unit: 2 ** -8, least: 2 ** -134 },
}

/** The rounding of storing real numbers in a type; null where that is no coarser than float32. */
export function storageOf(type: ElementType | null): Rounding | null {
  const found = type === null ? undefined : units[type]
  return found === undefined ? null : { kind: 'float', ...found }
}

/** A tensor of `size` elements before it is rounded: where they lie, and how long it is at most. */
export interface Rounded {
  readonly shape: Shape
  readonly size: number
  readonly range: Interval
  /** Where each element lies, where that is known. */
  readonly box: Box | null
  readonly norm: number
}

/**
 * ‖round(x) − x‖₂ at most. On a grid every element within its interval [l, h] moves by half a step, √n·step/2 in all.
 * What is beyond is cut off: an element x in (h, r] moves by x − h ≤ x·(1 − h/r) for h ≥ 0, so the tensor by no more than √n times
 * the largest excess, nor ‖x‖ times the largest 1 − h/r, nor the length of all elements' own excesses.
 */
export function roundingError(rounding: Rounding, rounded: Rounded): number {
  const { size, range, norm } = rounded
  const root = sqrtUp(size)
  if (rounding.kind === 'float') {
    return addUp(mulUp(rounding.unit, norm), mulUp(root, rounding.least))
  }
  const within = mulUp(mulUp(root, divUp(rounding.step, 2)), ties)
  const above = excessOf(range.hi, rounding.range.hi)
  const below = excessOf(-range.lo, -rounding.range.lo)
  if (above === 0 && below === 0) return within
  const holdsZero = rounding.range.lo <= 0 && rounding.range.hi >= 0
  const share = holdsZero ? Math.max(shareOf(above, range.hi), shareOf(below, -range.lo)) : Infinity
  const cut = Math.min(
    mulUp(root, Math.max(above, below)),
    mulUp(share, norm),
    cutLength(rounding.range, rounded),
  )
  return addUp(within, cut)
}

/** By how much a value of at most `reach` is beyond `end`. */
function excessOf(reach: number, end: number): number {
  return Math.max(0, addUp(reach, -end))
}

/** √Σ of the squares of the largest excess of each element; Infinity where these are not known. */
function cutLength({ lo, hi }: Interval, { box, shape }: Rounded): number {
  if (box === null) return Infinity
  const excess = mapBox(box, (interval) => ({
    lo: 0,
    hi: Math.max(excessOf(interval.hi, hi), excessOf(-interval.lo, -lo)),
  }))
  return lengthOf(excess, shape)
}

/** The part of a value that is beyond the end of an interval around 0. */
function shareOf(excess: number, reach: number): number {
  return excess === 0 ? 0 : reach === Infinity ? 1 : divUp(excess, reach)
}
