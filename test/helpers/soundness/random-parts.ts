import type { Draft, Drawn, Maker } from './random-graph.ts'

/** A shape that broadcasts with the given one: axes of 1, fewer or more axes. */
export function broadcastable(draft: Draft, shape: readonly number[]): number[] {
  const dims = shape.map((dim) => {
    if (dim === 1) return draft.pick([1, 1, 2, 3])
    return draft.chance(0.6) ? dim : 1
  })
  if (draft.chance(0.2)) dims.unshift(2)
  return draft.chance(0.3) ? dims.slice(draft.whole(0, dims.length)) : dims
}

export const axisOf = (draft: Draft, x: Drawn) => {
  const axis = draft.whole(0, x.shape.length - 1)
  return draft.chance(0.3) ? axis - x.shape.length : axis
}

export const simple =
  (
    op: string,
    attributes: (draft: Draft) => Parameters<Draft['add']>[2] = () => ({}),
    since = 1,
    bounded = false,
  ): Maker =>
  (draft, x) =>
    draft.opset < since
      ? null
      : { name: draft.add(op, [x.name], attributes(draft)), bounded: bounded || x.bounded }
