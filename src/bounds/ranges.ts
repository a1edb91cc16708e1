import { mulUp, sqrtUp } from '../core/rounding.ts'
import { type ElementType, sizeOf } from '../core/tensor.ts'
import { everything, type Interval, type TensorBound } from '../ops/bound.ts'
import type { Operand, ValueInfo } from '../ops/operand.ts'
import { rangeOf } from '../ops/rules/constant.ts'
import { farthest, intersection } from '../ops/rules/interval.ts'

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

/** Lets range and ℓ2 norm tighten each other: max |xᵢ| ≤ ‖x‖₂ ≤ √n·max |xᵢ|. */
export function settled(bound: TensorBound, { shape }: ValueInfo): TensorBound {
  const size = shape === null ? null : sizeOf(shape)
  const reach = size === null ? Infinity : mulUp(sqrtUp(size), farthest(bound.range))
  const norm = Math.min(bound.norm, reach)
  if (norm === bound.norm && !(norm < farthest(bound.range))) return bound
  return { ...bound, norm, range: intersection(bound.range, { lo: -norm, hi: norm }) }
}
