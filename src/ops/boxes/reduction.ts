import { divDown, divUp } from '../../core/rounding.ts'
import type { Shape } from '../../core/tensor.ts'
import type { Box, Interval } from '../bound.ts'
import { interval, product, sum } from '../rules/interval.ts'
import { countOf, emptyBox, intervalAt, placesIn } from './box.ts'

/** Joins the intervals of the elements of a group; each of them stands for `copies` elements that share it. */
type Join = (intervals: readonly Interval[], copies: number) => Interval

const total: Join = (intervals, copies) => product(intervals.reduce(sum), interval(copies, copies))

/** How reductions join intervals, by operator; others have none. */
export const reductionJoins: ReadonlyMap<string, Join> = new Map<string, Join>([
  ['ReduceSum', total],
  [
    'ReduceMean',
    (intervals) => {
      const count = intervals.length
      return product(intervals.reduce(sum), interval(divDown(1, count), divUp(1, count)))
    },
  ],
  [
    'ReduceMax',
    (intervals) => ({
      lo: intervals.reduce((most, { lo }) => Math.max(most, lo), -Infinity),
      hi: intervals.reduce((most, { hi }) => Math.max(most, hi), -Infinity),
    }),
  ],
  [
    'ReduceMin',
    (intervals) => ({
      lo: intervals.reduce((least, { lo }) => Math.min(least, lo), Infinity),
      hi: intervals.reduce((least, { hi }) => Math.min(least, hi), Infinity),
    }),
  ],
])

/** The box of a reduction over the axes; null where a size is not known. */
export function reduceBox(
  box: Box,
  shape: Shape,
  axes: readonly number[],
  keepsAxes: boolean,
  join: Join,
): Box | null {
  const copies = axes.reduce<number | null>((product, axis) => {
    const dim = shape[axis]
    return product === null || dim === null ? null : product * (box.dims[axis] === 1 ? dim : 1)
  }, 1)
  if (copies === null || copies === 0) return null
  const kept = box.dims.map((dim, axis) => (axes.includes(axis) ? 1 : dim))
  const groups: Interval[][] = Array.from({ length: countOf(kept) }, () => [])
  for (const [i, at] of placesIn(kept, box.dims).entries()) groups[at].push(intervalAt(box, i))
  const result = emptyBox(keepsAxes ? kept : kept.filter((_, axis) => !axes.includes(axis)))
  for (const [i, group] of groups.entries()) {
    const { lo, hi } = join(group, copies)
    result.lo[i] = lo
    result.hi[i] = hi
  }
  return result
}
