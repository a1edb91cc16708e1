import type { ElementType } from '../../core/tensor.ts'
import { elementTypeOf as elementTypeOfCode } from '../../onnx/element-types.ts'
import type { Refusing } from './refusing.ts'

/** The element type with this number, as attributes `to` and `dtype` give it; fails when there is none. */
export function elementTypeOf(context: Refusing, code: number): ElementType {
  return elementTypeOfCode(code) ?? context.fail(`${code} is no element type`)
}
