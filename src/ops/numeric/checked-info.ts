import type { ElementType, Shape } from '../../core/tensor.ts'
import type { ValueInfo } from '../operand.ts'
import { formatShape } from '../shape/broadcast.ts'
import type { Refusing } from '../shape/refusing.ts'

/** Type and shape of an output; fails where attributes or shapes have come to a size that no tensor has. */
export function checkedInfo(context: Refusing, type: ElementType | null, shape: Shape | null): ValueInfo {
  const wrong = shape?.some((dim) => dim !== null && !(Number.isInteger(dim) && dim >= 0))
  if (wrong) context.fail(`the output would have the shape ${formatShape(shape)}`)
  return { type, shape }
}
