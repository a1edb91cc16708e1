import * as mag from '../../core/magnitude.ts'
import { addUp, mulUp, sqrtUp } from '../../core/rounding.ts'
import { intAttribute, stringAttribute } from '../../graph/attribute.ts'
import {
  type BoundContext,
  type BoundOperand,
  type BoundRule,
  type BoxRule,
  everything,
  type Interval,
  type TensorBound,
} from '../bound.ts'
import {
  concatenatedBox,
  paddedBox,
  repeatedBox,
  reshapedBox,
  sameBox,
  splitBoxes,
  transposedBox,
} from '../boxes/movement.ts'
import { withBoxes } from '../boxes/rule.ts'
import { copies, growth, operandsOf, rootOf } from './broadcast.ts'
import { partOf } from './concatenated.ts'
import { entriesOf, scalarOf } from './constant.ts'
import { hull, interval } from './interval.ts'
import { isFixed, stacked, stackedIn, through, unbounded } from './join.ts'
import { companions, inNorms, repeated } from './norms.ts'
import type { Region } from './region.ts'

/**
 * Operators that move elements. Where each element of the data appears at most m times in the output,
 * |Δout|² ≤ m·|Δdata|²: the constant is √m, and 1 for permutations and selections.
 */

/** Every output holds each element of input 0 at most once, if the other inputs do not vary: in every norm. */
export const selection: BoundRule = inNorms((context) => {
  const data = context.input(0)
  if (data === null) return outputs(context, () => context.refuse('has no data'))
  if (controlVaries(context)) return outputs(context, () => context.refuse(controlled))
  return outputs(context, () => through(data, 1, data.range, data.norm))
}, 'same')

const controlled = 'selects elements by values that are computed from data'

/** Whether an input behind the first, which says what to move where, varies. */
function controlVaries(context: BoundContext): boolean {
  for (let i = 1; i < context.inputCount; i++) {
    const operand = context.input(i)
    if (operand !== null && !isFixed(operand)) return true
  }
  return false
}

function outputs<T>(context: BoundContext, make: () => T): T[] {
  return context.node.outputs.map(make)
}

/** The same elements in another shape, in another order, in parts. */
export const reshaping = withBoxes(selection, reshapedBox)
export const transposing = withBoxes(selection, transposedBox)
export const splitting = companions(
  selection,
  (context) => {
    const parts = partsOf(context)
    return selection(context).map((bound, i) => partOf(context, bound, parts[i]))
  },
  { boxes: splitBoxes },
)
export const passing = withBoxes(selection, sameBox)

/** What each output of a Split holds of its input; null where the sizes before it are not known. */
function partsOf(context: BoundContext): (Region | null)[] {
  const shape = context.input(0)?.shape
  const axis = intAttribute(context.node, 'axis', 0)
  const at = axis < 0 ? axis + (shape?.length ?? 0) : axis
  let start: number | null = 0
  return context.node.outputs.map((_, part) => {
    const count = context.output(part)?.shape?.[at] ?? null
    if (!shape || start === null || count === null) {
      start = null
      return null
    }
    const region = { start, step: 1, count }
    start += count
    return shape.map((_, other) => (other === at ? region : null))
  })
}

/** As `selection`, and fills the rest with 0. */
export const selectionWithZeros: BoundRule = companions(selection, (context) =>
  selection(context).map((bound) => ({ ...bound, range: hull(bound.range, { lo: 0, hi: 0 }) })),
)

/** Input 0 repeated m times at most, `m` null where it is not known. */
function repetition(
  timesOf: (context: BoundContext, data: BoundOperand) => number | null,
  rangeOf: (range: Interval, context: BoundContext) => Interval = (range) => range,
): BoundRule {
  const rule = (context: BoundContext, gainOf: (times: number) => number | mag.Magnitude) => {
    const data = context.input(0)
    if (data === null) return [context.refuse('has no data')]
    if (controlVaries(context)) return [context.refuse(controlled)]
    const times = timesOf(context, data)
    if (times === null) return [context.refuse(unknownRepetition)]
    const norm = mulUp(mag.toNumber(rootOf(times)), data.norm)
    return [through(data, gainOf(times), rangeOf(data.range, context), norm)]
  }
  return inNorms(
    (context) => rule(context, rootOf),
    (context, norm) => rule(context, repeated[norm]),
  )
}

const unknownRepetition =
  'repeats elements, how often is not known because a size is not known; give --input-shape'

/** Expand: copies by broadcasting. */
function expandCopies(context: BoundContext, data: BoundOperand): number | null {
  const target = entriesOf(context.input(1))
  return copies(data.shape, [target ?? context.output(0)?.shape ?? null], context.output(0)?.shape ?? null)
}

/** Tile: the product of the repeats, or how much larger the output is. */
function tileCopies(context: BoundContext, data: BoundOperand): number | null {
  const repeats = entriesOf(context.input(1))
  if (context.node.version >= 6 && repeats !== null)
    return repeats.reduce((product, repeat) => product * repeat, 1)
  return growth(data.shape, context.output(0)?.shape ?? null)
}

/** Pads per axis, spread over all axes; null where not known. */
function padsOf(context: BoundContext, rank: number): { begin: number[]; end: number[] } | null {
  const { node } = context
  const attribute = node.attributes.get(node.version < 2 ? 'paddings' : 'pads')
  const listed = node.version >= 11 || node.domain !== '' ? entriesOf(context.input(1)) : attribute?.value
  const given = listed as readonly number[] | null | undefined
  const axes = context.input(3) === null ? null : entriesOf(context.input(3))
  if (!Array.isArray(given) || (context.input(3) !== null && axes === null)) return null
  const padded =
    axes?.map((axis) => (axis < 0 ? axis + rank : axis)) ?? Array.from({ length: rank }, (_, axis) => axis)
  if (given.length !== 2 * padded.length) return null
  const [begin, end] = [new Array<number>(rank).fill(0), new Array<number>(rank).fill(0)]
  padded.forEach((axis, i) => {
    begin[axis] = given[i]
    end[axis] = given[padded.length + i]
  })
  return { begin, end }
}

/**
 * How often the most repeated element of an axis of length `dim` appears when it is padded by its own elements.
 * Negative pads crop, which only removes appearances; null for modes that are not known.
 */
export function padMultiplicity(mode: string, dim: number, begin: number, end: number): number | null {
  const [before, after] = [Math.max(begin, 0), Math.max(end, 0)]
  if (mode === 'constant' || dim === 0) return 1
  if (!['edge', 'reflect', 'wrap'].includes(mode) || before + after + dim > 1e7) return null
  if (mode === 'edge') return dim === 1 ? 1 + before + after : 1 + Math.max(before, after)
  const count = new Array<number>(dim).fill(0)
  const period = mode === 'wrap' ? dim : Math.max(1, 2 * (dim - 1))
  for (let at = -before; at < dim + after; at++) {
    const folded = ((at % period) + period) % period
    count[folded < dim ? folded : period - folded]++
  }
  return count.reduce((most, times) => Math.max(most, times), 0)
}

/** Runtimes differ in whether they crop before they mirror: the larger of both. */
function axisMultiplicity(mode: string, dim: number, begin: number, end: number): number | null {
  const cropped = Math.max(1, dim + Math.min(begin, 0) + Math.min(end, 0))
  const counts = [dim, cropped].map((length) => padMultiplicity(mode, length, begin, end))
  return counts[0] === null || counts[1] === null ? null : Math.max(counts[0], counts[1])
}

/** Multiplicities of the axes multiply: padding works on each axis in turn. */
const pad = (context: BoundContext, gainOf: (times: number) => number | mag.Magnitude): TensorBound[] => {
  const data = context.input(0)
  const mode = stringAttribute(context.node, 'mode', 'constant')
  if (data === null) return [context.refuse('has no data')]
  if (mode === 'constant') {
    const fill = context.input(2)
    if (fill !== null && !isFixed(fill))
      return [context.refuse('pads with a value that is computed from data')]
    if ([1, 3].some((i) => context.input(i) !== null && !isFixed(context.input(i)!)))
      return [context.refuse(controlled)]
    return [through(data, 1, hull(data.range, fillRange(context, fill)))]
  }
  if (controlVaries(context)) return [context.refuse(controlled)]
  const pads = data.shape && padsOf(context, data.shape.length)
  if (data.shape === null || !pads) return [context.refuse(unknownRepetition)]
  let times = 1
  for (const [axis, dim] of data.shape.entries()) {
    if (pads.begin[axis] <= 0 && pads.end[axis] <= 0) continue
    const most = dim === null ? null : axisMultiplicity(mode, dim, pads.begin[axis], pads.end[axis])
    if (most === null) return [context.refuse(unknownRepetition)]
    times *= most
  }
  return [through(data, gainOf(times), data.range)]
}

function fillRange(context: BoundContext, fill: BoundOperand | null): Interval {
  if (fill !== null) return fill.range
  const value = context.node.attributes.get('value')
  const constant = value?.kind === 'float' ? value.value : 0
  return Number.isNaN(constant) ? everything : interval(constant, constant)
}

const padBox: BoxRule = (context, boxOf) => {
  const box = boxOf(0)
  const pads = box && padsOf(context, box.dims.length)
  if (box === null || !pads) return [null]
  const isConstant = stringAttribute(context.node, 'mode', 'constant') === 'constant'
  const fill = fillRange(context, context.input(2))
  const changed = (axis: number) => pads.begin[axis] !== 0 || pads.end[axis] !== 0
  return [isConstant ? paddedBox(box, changed, fill) : null]
}

/** Side by side: |Δout|² = Σ |Δᵢ|². */
const concat = (context: BoundContext, join: typeof stacked): TensorBound[] => {
  const operands = operandsOf(context)
  if (operands.length === 0) return [context.refuse('has no data')]
  return [
    join(
      operands.map((bound) => ({ bound, gain: 1 })),
      operands.map((operand) => operand.range).reduce(hull),
      sqrtUp(operands.reduce((sum, { norm }) => addUp(sum, mulUp(norm, norm)), 0)),
    ),
  ]
}

/** The identity when it does not train. */
const dropout: BoundRule = (context) => {
  const { node } = context
  const flag = context.input(2)
  const training =
    node.version >= 12
      ? flag !== null && scalarOf(flag) !== 0
      : node.version < 7 && intAttribute(node, 'is_test', 0) === 0
  const data = context.input(0)
  if (training || data === null)
    return outputs(context, () => unbounded(node, 'draws random numbers: it runs in training mode'))
  return context.node.outputs.map((_, i) => (i === 0 ? through(data, 1, data.range) : fixedMask(context)))
}

function fixedMask(context: BoundContext) {
  const data = context.input(0)!
  return through(data, 0, { lo: 0, hi: 1 })
}

export const movementRules = {
  Selection: selection,
  SelectionWithZeros: selectionWithZeros,
  Expand: withBoxes(repetition(expandCopies), repeatedBox),
  Tile: withBoxes(repetition(tileCopies), repeatedBox),
  Pad: withBoxes(
    inNorms(
      (context) => pad(context, rootOf),
      (context, norm) => pad(context, repeated[norm]),
    ),
    padBox,
  ),
  Concat: withBoxes(
    inNorms(
      (context) => concat(context, stacked),
      (context, norm) => concat(context, (...parts) => stackedIn(norm, ...parts)),
    ),
    concatenatedBox,
  ),
  Dropout: withBoxes(inNorms(dropout, 'same'), sameBox),
} satisfies Record<string, BoundRule>
