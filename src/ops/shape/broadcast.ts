import type { Dim, Shape } from '../../core/tensor.ts'
import type { Refusing } from './refusing.ts'

/**
 * The common shape of operands under multidirectional (numpy) broadcasting. Null when a rank is not known.
 * An unknown dimension against one that is known and not 1 takes that one: it must be 1 or equal.
 */
export function broadcastShapes(context: Refusing, shapes: readonly (Shape | null)[]): Shape | null {
  let rank = 0
  for (const shape of shapes) {
    if (shape === null) return null
    rank = Math.max(rank, shape.length)
  }
  const result: Dim[] = new Array<Dim>(rank).fill(1)
  for (const shape of shapes as readonly Shape[]) {
    const lead = rank - shape.length
    for (let axis = 0; axis < shape.length; axis++) {
      result[lead + axis] = broadcastDims(context, result[lead + axis], shape[axis], shapes)
    }
  }
  return result
}

function broadcastDims(context: Refusing, a: Dim, b: Dim, shapes: readonly (Shape | null)[]): Dim {
  if (a === 1) return b
  if (b === 1 || a === b) return a
  if (a === null) return b
  if (b === null) return a
  return context.fail(`shapes ${shapes.map(formatShape).join(' and ')} do not broadcast`)
}

/**
 * Unidirectional broadcasting: `shape` must broadcast to exactly `target`; returns `target` with dimensions
 * filled in from `shape` where only that one is known.
 */
export function broadcastTo(context: Refusing, shape: Shape | null, target: Shape | null): Shape | null {
  if (shape === null || target === null) return target
  const joined = broadcastShapes(context, [shape, target])
  const fits =
    joined !== null &&
    joined.length === target.length &&
    joined.every((dim, axis) => dim === target[axis] || target[axis] === null)
  if (!fits) context.fail(`shape ${formatShape(shape)} does not broadcast to ${formatShape(target)}`)
  return joined
}

/** Joins what is known of one shape from two sides that must agree; fails where they contradict each other. */
export function unifyShapes(context: Refusing, a: Shape | null, b: Shape | null): Shape | null {
  if (a === null) return b
  if (b === null) return a
  if (a.length !== b.length) context.fail(`shapes ${formatShape(a)} and ${formatShape(b)} differ in rank`)
  return a.map((dim, axis) => {
    const other = b[axis]
    if (dim !== null && other !== null && dim !== other) {
      context.fail(`shapes ${formatShape(a)} and ${formatShape(b)} differ`)
    }
    return dim ?? other
  })
}

/** What holds of both shapes: dimensions that differ become unknown, ranks that differ an unknown rank. */
export function mergeShapes(a: Shape | null, b: Shape | null): Shape | null {
  if (a === null || b === null || a.length !== b.length) return null
  return a.map((dim, axis) => (dim === b[axis] ? dim : null))
}

/** For messages: `[1,?,32]`, `unknown` where the rank is not known. */
export function formatShape(shape: Shape | null): string {
  return shape === null ? 'unknown' : `[${shape.map((dim) => dim ?? '?').join(',')}]`
}
