import type { BoundOperand, Interval } from '../bound.ts'
import { interval } from './interval.ts'

/** The elements of a constant operand; null where it is none, or too large to be folded. */
export function elementsOf(operand: BoundOperand | null): Float32Array | Float64Array | null {
  return operand?.isConstant ? (operand.operand.constant()?.data ?? null) : null
}

/** The single element of a constant operand, or the fallback where it is omitted; null where it is not known. */
export function scalarOf(operand: BoundOperand | null, fallback: number | null = null): number | null {
  if (operand === null) return fallback
  const tensor = operand.operand.smallConstant()
  const value = tensor?.data.length === 1 ? tensor.data[0] : Number.NaN
  return Number.isNaN(value) ? null : value
}

/** The entries of a small constant operand; null where it is none or one is not known. */
export function entriesOf(operand: BoundOperand | null): number[] | null {
  const tensor = operand?.operand.smallConstant() ?? null
  const entries = tensor === null ? null : Array.from(tensor.data)
  return entries?.some(Number.isNaN) ? null : entries
}

/** The exact range of elements; null where there are none or one is NaN or infinite. */
export function rangeOf(elements: Float32Array | Float64Array): Interval | null {
  let lo = Infinity
  let hi = -Infinity
  for (const element of elements) {
    if (!Number.isFinite(element)) return null
    if (element < lo) lo = element
    if (element > hi) hi = element
  }
  return elements.length === 0 ? null : interval(lo, hi)
}
