import type { Magnitude } from '../../core/magnitude.ts'
import type { NormName } from '../../core/norm-name.ts'
import { sizeOf, stridesOf } from '../../core/tensor.ts'
import { intAttribute, stringAttribute } from '../../graph/attribute.ts'
import type { BoundContext, BoundOperand, BoundRule, TensorBound } from '../bound.ts'
import { gatheredBox } from '../boxes/movement.ts'
import { withBoxes } from '../boxes/rule.ts'
import { rootOf } from './broadcast.ts'
import { partOf } from './concatenated.ts'
import { elementsOf } from './constant.ts'
import { farthest, hull, product, scaled, sum } from './interval.ts'
import { addedIn, isFixed, stackedIn, through } from './join.ts'
import { companions, inEvery, inNorms, repeated } from './norms.ts'
import type { Region } from './region.ts'

/**
 * Reading and writing at given positions. Positions must not vary; which they are decides how often an element is
 * read: |Δout|² ≤ m·|Δdata|², m the largest number of times.
 */

const byData = 'reads at positions that are computed from data'

function largestCount(keys: Iterable<number>): number {
  const counts = new Map<number, number>()
  let most = 0
  for (const key of keys) {
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    if (count > most) most = count
  }
  return most
}

/** How often the most frequent position stands in `indices`; at most their number where they are not known. */
type Multiplicity = (context: BoundContext, data: BoundOperand, indices: BoundOperand) => number | null

function reading(multiplicity: Multiplicity): BoundRule {
  const rule = (context: BoundContext, gainOf: (times: number) => number | Magnitude) => {
    const [data, indices] = [context.input(0), context.input(1)]
    if (data === null || indices === null) return [context.refuse('lacks an operand')]
    if (!isFixed(indices)) return [context.refuse(byData)]
    if (isFixed(data)) return [through(data, 1, data.range)]
    const times = multiplicity(context, data, indices)
    return [
      times === null
        ? context.refuse('repeats elements, how often is not known because a size is not known')
        : through(data, gainOf(times), data.range),
    ]
  }
  return inNorms(
    (context) => rule(context, rootOf),
    (context, norm) => rule(context, repeated[norm]),
  )
}

function positionsOf(indices: BoundOperand): Float32Array | Float64Array | null {
  const elements = elementsOf(indices)
  return elements?.some(Number.isNaN) ? null : elements
}

/** Gather: the positions along one axis, the same for all others. */
const gatherCount: Multiplicity = (context, data, indices) => {
  const axis = intAttribute(context.node, 'axis', 0)
  const dim = data.shape?.at(axis) ?? null
  const positions = positionsOf(indices)
  if (positions === null || dim === null) {
    // negative positions are others counted from the end: without the length two may be one
    const distinct = positions?.every((position) => position >= 0) ? positions : null
    return distinct !== null ? largestCount(distinct) : indices.shape && sizeOf(indices.shape)
  }
  return largestCount(Array.from(positions, (position) => (position < 0 ? position + dim : position)))
}

/** Rows that are read once each are a part of the data. */
const rows = reading(gatherCount)
const gather = companions(rows, (context) =>
  rows(context).map((bound) => partOf(context, bound, gatheredPart(context), false)),
)

/** The rows that are read, and others between them; null where one is read twice or it is not known which. */
function gatheredPart(context: BoundContext): Region | null {
  const [shape, indices] = [context.input(0)?.shape ?? null, context.input(1)]
  const axis = intAttribute(context.node, 'axis', 0)
  const dim = shape?.at(axis) ?? null
  const positions = indices && positionsOf(indices)
  if (shape === null || dim === null || !positions || positions.length === 0) return null
  const rows = Array.from(positions, (position) => (position < 0 ? position + dim : position))
  if (largestCount(rows) > 1) return null
  const first = rows.reduce((least, row) => Math.min(least, row))
  const last = rows.reduce((most, row) => Math.max(most, row))
  const at = axis < 0 ? axis + shape.length : axis
  return shape.map((_, other) => (other === at ? { start: first, step: 1, count: last - first + 1 } : null))
}

/** GatherElements: for each line along the axis of its own; at most the number of positions along it. */
const gatherElementsCount: Multiplicity = (context, data, indices) => {
  const axis = intAttribute(context.node, 'axis', 0)
  const dim = data.shape?.at(axis) ?? null
  const dims = indices.shape
  const positions = positionsOf(indices)
  if (positions === null || dim === null || dims === null || dims.includes(null))
    return dims?.at(axis) ?? null
  const known = dims as readonly number[]
  const strides = stridesOf(known)
  const at = axis < 0 ? axis + known.length : axis
  return largestCount(
    Array.from(positions, (position, i) => {
      const along = Math.floor(i / strides[at]) % known[at]
      // position and the coordinates of the other axes, in one number
      const line = i - along * strides[at]
      return line * dim + (position < 0 ? position + dim : position)
    }),
  )
}

/** GatherND: tuples of positions, for each batch element of their own; at most the number of tuples. */
const gatherTuplesCount: Multiplicity = (context, data, indices) => {
  const dims = indices.shape
  if (dims === null || dims.length === 0) return null
  const tuples = sizeOf(dims.slice(0, -1))
  const batchAxes = intAttribute(context.node, 'batch_dims', 0)
  const [batch, depth] = [sizeOf(dims.slice(0, batchAxes)), dims.at(-1) ?? null]
  const positions = positionsOf(indices)
  if (positions === null || tuples === null || batch === null || depth === null || tuples === 0) return tuples
  const sizes = data.shape?.slice(batchAxes, batchAxes + depth) ?? []
  if (sizes.length < depth || sizes.includes(null)) return tuples
  const known = sizes as readonly number[]
  const size = known.reduce((product, length) => product * length, 1)
  return largestCount(
    Array.from({ length: tuples }, (_, tuple) => {
      let at = 0
      for (const [i, length] of known.entries()) {
        const position = positions[tuple * depth + i]
        at = at * length + (position < 0 ? position + length : position)
      }
      return Math.floor(tuple / (tuples / batch)) * size + at
    }),
  )
}

/** What writing takes into account of two tensors. */
type Writing = (
  data: BoundOperand,
  updates: BoundOperand,
  times: number,
  norm: NormName,
) => TensorBound | string

/**
 * How updates change data at fixed positions, `times` of them at most the same element. 'none': each element of the result is
 * one of both; 'max' and 'min' choose one of several; 'add': the sum, so that |Δ| ≤ |Δdata| + √times·|Δupdates|; 'mul': elements that are
 * written once are products, the others stay.
 */
const reductions = {
  none: chosen,
  max: chosen,
  min: chosen,
  add(data, updates, times, norm) {
    const range = sum(data.range, hull({ lo: 0, hi: 0 }, scaled(updates.range, times)))
    const parts = [
      { bound: data, gain: 1 },
      { bound: updates, gain: addedUp[norm](times) },
    ]
    return addedIn(norm, parts, range)
  },
  mul(data, updates, times, norm) {
    const [size, factor] = [farthest(data.range), farthest(updates.range)]
    if (times > 1) return 'multiplies one element by several updates'
    if ((!isFixed(data) && factor === Infinity) || (!isFixed(updates) && size === Infinity))
      return 'multiplies data by updates that have no proven bounds; give --input-range'
    const parts = [
      { bound: data, gain: isFixed(data) ? 1 : Math.max(1, factor) },
      { bound: updates, gain: isFixed(updates) ? 1 : size },
    ]
    return addedIn(norm, parts, hull(data.range, product(data.range, updates.range)))
  },
} satisfies Record<string, Writing>

function isReduction(name: string): name is keyof typeof reductions {
  return Object.hasOwn(reductions, name)
}

function chosen(data: BoundOperand, updates: BoundOperand, _: number, norm: NormName): TensorBound {
  const parts = [data, updates].map((bound) => ({ bound, gain: 1 }))
  return stackedIn(norm, parts, hull(data.range, updates.range))
}

/** Changes that add up in one element, of each of which there is one. */
const addedUp = {
  l2: rootOf,
  linf: (times: number) => times,
  l1: () => 1,
} satisfies Record<NormName, (times: number) => number | Magnitude>

function writing(multiplicity: Multiplicity): BoundRule {
  return inEvery((context, norm) => {
    const [data, indices, updates] = [context.input(0), context.input(1), context.input(2)]
    if (data === null || indices === null || updates === null) return [context.refuse('lacks an operand')]
    if (!isFixed(indices)) return [context.refuse('writes at positions that are computed from data')]
    const name = stringAttribute(context.node, 'reduction', 'none')
    if (!isReduction(name)) return [context.refuse('writes by a reduction that is not known')]
    const reduction: Writing = reductions[name]
    const times = reduction === chosen ? 1 : multiplicity(context, data, indices)
    if (times === null) return [context.refuse('adds an unknown number of updates')]
    const result = reduction(data, updates, times, norm)
    return [typeof result === 'string' ? context.refuse(result) : result]
  })
}

/** Writes updates into a cache, each into its own place: |Δout|² ≤ |Δcache|² + |Δupdates|². */
const cacheUpdate: BoundRule = inEvery((context, norm) => {
  const [cache, updates, positions] = [context.input(0), context.input(1), context.input(2)]
  if (cache === null || updates === null) return [context.refuse('lacks an operand')]
  if (positions !== null && !isFixed(positions))
    return [context.refuse('writes at positions that are computed from data')]
  const parts = [cache, updates].map((bound) => ({ bound, gain: 1 }))
  return [stackedIn(norm, parts, hull(cache.range, updates.range))]
})

export const indexingRules = {
  Gather: withBoxes(gather, gatheredBox),
  GatherElements: reading(gatherElementsCount),
  GatherND: reading(gatherTuplesCount),
  Scatter: writing(gatherElementsCount),
  ScatterND: writing(gatherTuplesCount),
  TensorScatter: cacheUpdate,
} satisfies Record<string, BoundRule>
