import type { Shape } from '../../core/tensor.ts'
import { stridesOf } from '../../core/tensor.ts'
import { intAttribute, intsAttribute } from '../../graph/attribute.ts'
import type { BoundContext, Box, BoxRule, Interval } from '../bound.ts'
import { copyStrided } from '../fold/strided.ts'
import { entriesOf } from '../rules/constant.ts'
import { hull } from '../rules/interval.ts'
import { countOf, emptyBox, isUniform, joinedAlong, mapBox, sharedTo, spreadBox } from './box.ts'

/** Boxes of operators that move elements: intervals move along. */

/** Element for element as input 0. */
export const sameBox: BoxRule = (_, boxOf) => [boxOf(0)]

/** Arrays of a box as tensors of the given dims, read from another place. */
function rearranged(
  box: Box,
  dims: readonly number[],
  from: { readonly offset: number; readonly strides: readonly number[] },
): Box {
  const result = emptyBox(dims)
  const target = { offset: 0, strides: stridesOf(dims) }
  copyStrided(dims, { data: box.lo, ...from }, { data: result.lo, ...target })
  copyStrided(dims, { data: box.hi, ...from }, { data: result.hi, ...target })
  return result
}

/** The same elements in the same order in another shape. */
export const reshapedBox: BoxRule = (context, boxOf) => {
  const [box, from, to] = [boxOf(0), context.input(0)?.shape ?? null, context.output(0)?.shape ?? null]
  return [box && from && to && reshapeBox(box, from, to)]
}

/** Runs of axes that hold the same number of elements before and after: [1, 6, 4, 4] → [1, 2, 3, 16] has (1|1), (6|2,3), (4,4|16). */
interface Run {
  readonly from: readonly number[]
  readonly to: readonly number[]
}

function runsOf(from: readonly number[], to: readonly number[]): Run[] | null {
  const runs: Run[] = []
  let [a, b] = [0, 0]
  while (a < from.length || b < to.length) {
    const [startA, startB] = [a, b]
    let [sizeA, sizeB] = [from[a++] ?? 1, to[b++] ?? 1]
    while (sizeA !== sizeB) {
      if (sizeA < sizeB && a < from.length) sizeA *= from[a++]
      else if (sizeB < sizeA && b < to.length) sizeB *= to[b++]
      else return null
    }
    runs.push({
      from: Array.from({ length: Math.min(a, from.length) - startA }, (_, i) => startA + i),
      to: Array.from({ length: Math.min(b, to.length) - startB }, (_, i) => startB + i),
    })
  }
  return runs
}

/** `share` joins what few intervals are left for along the axes where its dims are 1. */
export function reshapeBox(box: Box, from: Shape, to: Shape, share = sharedTo): Box | null {
  if (isUniform(box)) return null
  if (from.includes(null) || to.includes(null) || from.includes(0)) return null
  const [before, after] = [from as readonly number[], to as readonly number[]]
  const runs = runsOf(before, after)
  if (runs === null) return null
  let current = box
  const dims = new Array<number>(after.length).fill(1)
  for (const run of runs) {
    const own = run.from.filter((axis) => before[axis] !== 1)
    const fine = own.filter((axis) => current.dims[axis] !== 1)
    if (fine.length === 0) continue
    // axes that share intervals next to some that do not are spread over their elements, or the run is shared
    const spread = fine.length === own.length ? current : spreadBox(current, before, own)
    current =
      spread ??
      share(
        current,
        current.dims.map((dim, axis) => (own.includes(axis) ? 1 : dim)),
      )
    if (spread !== null) for (const axis of run.to) dims[axis] = after[axis]
  }
  return countOf(dims) === countOf(current.dims) ? { ...current, dims } : null
}

export const transposedBox: BoxRule = (context, boxOf) => {
  const box = boxOf(0)
  if (box === null) return [null]
  const rank = box.dims.length
  const permutation =
    intsAttribute(context.node, 'perm', null) ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis)
  if (permutation.length !== rank) return [null]
  const strides = stridesOf(box.dims)
  const dims = permutation.map((axis) => box.dims[axis])
  return [rearranged(box, dims, { offset: 0, strides: permutation.map((axis) => strides[axis]) })]
}

/** What of each axis is kept: start, start + step, … `count` elements; null where it is not known. */
export type Cut = { readonly start: number; readonly step: number; readonly count: number } | null

export function cutBox(box: Box, cuts: readonly Cut[]): Box | null {
  // an axis that is cut in an unknown way shares its intervals
  const current = sharedTo(
    box,
    box.dims.map((dim, axis) => (cuts[axis] === null ? 1 : dim)),
  )
  const own = stridesOf(current.dims)
  const isFine = (axis: number) => current.dims[axis] !== 1
  const dims = current.dims.map((_, axis) => (isFine(axis) ? (cuts[axis]?.count ?? 1) : 1))
  if (dims.includes(0)) return null
  return rearranged(current, dims, {
    offset: dims.reduce((sum, _, axis) => sum + (isFine(axis) ? (cuts[axis]?.start ?? 0) * own[axis] : 0), 0),
    strides: dims.map((_, axis) => (isFine(axis) ? (cuts[axis]?.step ?? 1) * own[axis] : 0)),
  })
}

/** Parts along one axis, as long as the outputs are. */
export const splitBoxes: BoxRule = (context, boxOf) => {
  const box = boxOf(0)
  const axis = axisOf(context, box, 0)
  if (box === null || axis === null) return []
  let start: number | null = 0
  return context.node.outputs.map((_, i) => {
    const count = context.output(i)?.shape?.[axis] ?? null
    const cut = start === null || count === null ? null : { start, step: 1, count }
    start = start === null || count === null ? null : start + count
    const whole = (dim: number): Cut => ({ start: 0, step: 1, count: dim })
    return cutBox(
      box,
      box.dims.map((dim, at) => (at === axis ? cut : whole(dim))),
    )
  })
}

function axisOf({ node }: BoundContext, box: Box | null, fallback: number): number | null {
  const axis = intAttribute(node, 'axis', fallback)
  const rank = box?.dims.length ?? 0
  const at = axis < 0 ? axis + rank : axis
  return at >= 0 && at < rank ? at : null
}

export const concatenatedBox: BoxRule = (context, boxOf) => {
  const axis = axisOf(context, boxOf(0), 1)
  if (axis === null) return [null]
  const parts: { box: Box; shape: Shape }[] = []
  for (let i = 0; i < context.inputCount; i++) {
    const [box, shape] = [boxOf(i), context.input(i)?.shape ?? null]
    if (box === null || shape === null || box.dims.length !== boxOf(0)?.dims.length) return [null]
    if (shape[axis] !== 0) parts.push({ box, shape })
  }
  return [parts.length === 0 ? null : joinedAlong(axis, parts)]
}

/** Constant positions along one axis. */
export const gatheredBox: BoxRule = (context, boxOf) => {
  const [box, positions, shape] = [boxOf(0), context.input(1), context.input(1)?.shape ?? null]
  const axis = axisOf(context, box, 0)
  if (box === null || axis === null || shape === null) return [null]
  const dims = [...box.dims.slice(0, axis), ...shape.map(() => 1), ...box.dims.slice(axis + 1)]
  if (box.dims[axis] === 1) return [{ ...box, dims }]
  const entries = entriesOf(positions)
  if (entries === null || entries.length === 0) return [{ ...sharedTo(box, box.dims.with(axis, 1)), dims }]
  const rows = entries.map((entry) => {
    const start = entry < 0 ? entry + box.dims[axis] : entry
    return cutBox(
      box,
      box.dims.map((dim, at) => ({ start: at === axis ? start : 0, step: 1, count: at === axis ? 1 : dim })),
    )
  })
  if (rows.includes(null)) return [null]
  const stacked = joinedAlong(
    axis,
    rows.map((row) => ({ box: row as Box, shape: (row as Box).dims })),
  )
  const spread = [...box.dims.slice(0, axis), ...(shape as number[]), ...box.dims.slice(axis + 1)]
  return [stacked && { ...stacked, dims: spread }]
}

/** Repeats of whole axes: an axis that is repeated keeps its intervals where it has one alone. */
export const repeatedBox: BoxRule = (context, boxOf) => {
  const [box, from, to] = [boxOf(0), context.input(0)?.shape ?? null, context.output(0)?.shape ?? null]
  if (box === null || from === null || to === null || to.length < from.length) return [null]
  const lead = to.length - from.length
  const kept = box.dims.map((dim, axis) => (from[axis] === to[lead + axis] ? dim : 1))
  const shared = sharedTo(box, kept)
  return [{ ...shared, dims: [...new Array<number>(lead).fill(1), ...shared.dims] }]
}

/** Windows over the axes behind the first two: they share intervals, joined with `fill` where windows may reach beyond. */
export function windowedBox(fill: Interval | null): BoxRule {
  return (_, boxOf) => {
    const box = boxOf(0)
    if (box === null || box.dims.length < 2) return [null]
    const shared = sharedTo(
      box,
      box.dims.map((dim, axis) => (axis < 2 ? dim : 1)),
    )
    return [fill === null ? shared : mapBox(shared, (range) => hull(range, fill))]
  }
}

/** Axes that are padded or cropped share intervals, joined with what fills up. */
export function paddedBox(box: Box, changed: (axis: number) => boolean, fill: Interval): Box {
  const shared = sharedTo(
    box,
    box.dims.map((dim, axis) => (changed(axis) ? 1 : dim)),
  )
  return mapBox(shared, (range) => hull(range, fill))
}
