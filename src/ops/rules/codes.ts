import type { ElementType } from '../../core/tensor.ts'
import { type BoundOperand, everything, type Interval } from '../bound.ts'
import { integerRange, isIntegerType } from '../fold/element.ts'
import { elementsOf, rangeOf } from './constant.ts'
import { farthest, interval } from './interval.ts'

/** Codes q of quantised tensors, which stand for scale·(q − zero point). */

/** Constant scales: their range, the largest and the least of their absolute values. */
export interface Scales {
  readonly range: Interval
  readonly largest: number
  readonly least: number
}

/** Null where the operand varies or is not finite. */
export function scaleOf(operand: BoundOperand | null): Scales | null {
  const elements = operand === null ? null : elementsOf(operand)
  const range = elements === null ? null : rangeOf(elements)
  if (range === null || elements === null) return null
  let least = Infinity
  for (const element of elements) least = Math.min(least, Math.abs(element))
  return { range, largest: farthest(range), least }
}

/** Where the elements of a type lie; everything for wide ones and for floating point. */
export function codeRange(type: ElementType | null): Interval {
  if (type === null || !isIntegerType(type)) return everything
  const { lowest, highest } = integerRange(type)
  return interval(lowest, highest)
}

/** The range of a constant zero point, 0 where it is omitted; null where it varies or is not known. */
export function zeroOf(operand: BoundOperand | null): Interval | null {
  if (operand === null) return interval(0, 0)
  const elements = elementsOf(operand)
  return elements === null ? null : rangeOf(elements)
}
