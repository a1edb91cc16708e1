import { elementTypeByCode } from '../../core/element-codes.ts'
import type { ElementType } from '../../core/tensor.ts'
import type { Refusing } from './refusing.ts'

/** The element type with this number, as attributes `to` and `dtype` give it; fails when there is none. */
export function elementTypeOf(context: Refusing, code: number): ElementType {
  return elementTypeByCode(code) ?? context.fail(`${code} is no element type`)
}
