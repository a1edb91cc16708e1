import * as mag from '../../core/magnitude.ts'
import type { NormName } from '../../core/norm-name.ts'
import { addUp, divUp, mulUp } from '../../core/rounding.ts'
import { sizeOf } from '../../core/tensor.ts'
import * as term from '../../core/term.ts'
import type { Value } from '../../graph/graph.ts'
import type { BoundOperand, TensorBound } from '../bound.ts'
import { countedIn } from './broadcast.ts'
import { hull, interval } from './interval.ts'
import { isFixed } from './join.ts'
import { sourceOf } from './source.ts'

/**
 * Data that are rounded to 256 steps between their extremes and 0. The scale follows the data, so that codes and scale by
 * themselves jump; but the number that a code stands for, s·(q − z), is within half a step of the data: the zero point is
 * rounded, too, and what saturation cuts off is within the same half. A step is at most (hi − lo)/255 long, lo ≤ 0 ≤ hi, so that
 * |Δx̂| ≤ |Δx| + s·√n for n elements, s in ℓ∞ and s·n in ℓ1.
 */

/** What DynamicQuantizeLinear has made these codes, scale and zero point of; null where they are not of one such node. */
export function dynamicSource(
  codes: Value | null | undefined,
  scale: Value | null | undefined,
  zero: Value | null | undefined,
): Value | null {
  if (!codes || !scale || !zero) return null
  const node = sourceOf(codes).producer
  if (node?.op !== 'DynamicQuantizeLinear' || node.domain !== '') return null
  const isOutput = (value: Value, i: number) => sourceOf(value) === node.outputs[i]
  return isOutput(codes, 0) && isOutput(scale, 1) && isOutput(zero, 2) ? node.inputs[0] : null
}

/** The numbers that the codes of x stand for, or why there is no bound of them. */
export function roundedDynamically(x: BoundOperand, norm: NormName = 'l2'): TensorBound | string {
  const size = x.shape && sizeOf(x.shape)
  const within = hull(x.range, interval(0, 0))
  const step = divUp(addUp(within.hi, -within.lo), 255)
  if (!(step < Infinity))
    return 'rounds its data to 8 bits by their range, which has no proven bounds; give --input-range'
  if (size === null) return 'rounds a number of elements that is not known; give --input-shape'
  const range = interval(within.lo - step, within.hi + step)
  if (isFixed(x) || x.refusal !== null) return { ...x, range, norm: Infinity }
  const jitter = (by: NormName) => mulUp(mag.toNumber(countedIn(by, size)), step)
  const offset = term.sum(x.offset, term.constant(jitter(norm)))
  return { ...x, offset, range, norm: addUp(x.norm, jitter('l2')) }
}
