import type { ElementType } from '../core/tensor.ts'
import { everything, type Interval } from '../ops/bound.ts'
import type { Operand } from '../ops/operator.ts'
import { rangeOf } from '../ops/rules/constant.ts'

const typeRanges: Partial<Record<ElementType, Interval>> = {
  bool: { lo: 0, hi: 1 },
  int8: { lo: -128, hi: 127 },
  uint8: { lo: 0, hi: 255 },
}

/** What the type alone says of elements. */
export function typeRange(type: ElementType | null): Interval {
  return (type === null ? undefined : typeRanges[type]) ?? everything
}

/** The exact range of a small constant; large ones are looked at by rules that need it. */
export function constantRange(operand: Operand): Interval {
  const tensor = operand.smallConstant()
  return (tensor === null ? null : rangeOf(tensor.data)) ?? everything
}
