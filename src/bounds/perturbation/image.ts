import type { FloatArray } from '../../core/tensor.ts'
import type { Value } from '../../graph/graph.ts'
import type { TypedGraph } from '../../infer/typed-graph.ts'
import type { Operand } from '../../ops/operand.ts'
import type { Codes, Rounding } from './rounding.ts'

/** A value of one network read as a value of another, the reference. */
export interface Image {
  /** The value of the reference that it stands for. */
  readonly of: Value
  /** The codes that it is written in; null for real numbers as they stand. */
  readonly codes: Codes | null
  /** What has been done to it since the node that stands for the reference's. */
  readonly roundings: readonly Rounding[]
}

/** The elements of a constant; null where it is none. */
export function elementsOf(operand: Operand | null | undefined): FloatArray | null {
  return operand?.isConstant ? (operand.constant()?.data ?? null) : null
}

/** The codes that a scale and a zero point make with a type; null where these are not constant. */
export function codesOf(
  typed: TypedGraph,
  coded: Value,
  scale: Value | null | undefined,
  zero: Value | null | undefined,
): Codes | null {
  const { type } = typed.operand(coded)
  const scales = scale ? elementsOf(typed.operand(scale)) : null
  const zeros = zero ? elementsOf(typed.operand(zero)) : new Float32Array()
  return type === null || scales === null || zeros === null ? null : { type, scale: scales, zero: zeros }
}

/** Whether codes mean the same numbers. */
export function sameCodes(a: Codes | null, b: Codes | null): boolean {
  if (a === null || b === null) return a === b
  return sameElements(a.scale, b.scale) && sameElements(padded(a), padded(b))
}

const padded = ({ scale, zero }: Codes) => (zero.length === 0 ? new Float32Array(scale.length) : zero)

export function sameElements(a: FloatArray, b: FloatArray): boolean {
  return a.length === b.length && a.every((element, i) => Object.is(element, b[i]) || element === b[i])
}
