import type { Dim, Shape } from '../../core/tensor.ts'
import { broadcastShapes, formatShape } from '../shape/broadcast.ts'
import type { Refusing } from '../shape/refusing.ts'

/** Shape of the matrix product of numpy: batch axes broadcast, vectors lose the axis that was added to them. */
export function productShape(context: Refusing, a: Shape | null, b: Shape | null): Shape | null {
  if (a === null || b === null) return null
  if (a.length === 0 || b.length === 0) context.fail('a scalar operand')
  const rows: Dim[] = a.length === 1 ? [] : [a[a.length - 2]]
  const columns: Dim[] = b.length === 1 ? [] : [b[b.length - 1]]
  const inner = a[a.length - 1]
  const other = b.length === 1 ? b[0] : b[b.length - 2]
  if (inner !== null && other !== null && inner !== other) {
    context.fail(`shapes ${formatShape(a)} and ${formatShape(b)} do not multiply: ${inner} against ${other}`)
  }
  const batch = broadcastShapes(context, [a.slice(0, -2), b.slice(0, -2)])
  return batch === null ? null : [...batch, ...rows, ...columns]
}

/** The shape with its last two axes swapped; vectors stay. */
export function swapped(shape: Shape | null): Shape | null {
  if (shape === null || shape.length < 2) return shape
  return [...shape.slice(0, -2), shape[shape.length - 1], shape[shape.length - 2]]
}

/** Where a fused product has its batch axis behind the rows: [m, …batch, k] as [… batch, m, k]. */
export function batchFirst(shape: Shape | null): Shape | null {
  if (shape === null || shape.length < 3) return shape
  return [...shape.slice(1, -1), shape[0], shape[shape.length - 1]]
}
