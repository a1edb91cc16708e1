import { boxLimits } from '../../core/limits.ts'
import { mulUp } from '../../core/rounding.ts'
import type { FloatArray } from '../../core/tensor.ts'
import type { BoundContext, BoundOperand, Box, BoxRule, Interval } from '../bound.ts'
import { affineBox } from '../rules/affine.ts'
import { elementsOf } from '../rules/constant.ts'
import { farthest, hull, scaled } from '../rules/interval.ts'
import { type Affine, biasAt, manyWeights } from '../rules/weight-layout.ts'
import { countOf, emptyBox, intervalAt, isUniform, sharedTo } from './box.ts'

/** Boxes behind y = Wx + b: the exact interval of each output from those of its inputs, see `affineBox`. */

/** How the box of the data stands to the weights' inputs: along which axis they run, and whether others stay. */
export interface Placed {
  readonly data: number
  readonly affine: Affine
  /** Negative: counted from the end. */
  readonly inputAxis: number
  readonly outputAxis: number
  /** Whether elements along other axes are mapped one by one; else (windows) they share intervals. */
  readonly keepsOthers: boolean
  /** The weights where they are not the operand's elements. */
  readonly values?: FloatArray
}

const origin: Interval = { lo: 0, hi: 0 }

export function affineBoxes(place: (context: BoundContext) => Placed | null): BoxRule {
  return (context, boxOf) => {
    const placed = place(context)
    const data = placed && context.input(placed.data)
    const box = placed && boxOf(placed.data)
    const rank = context.output(0)?.shape?.length
    if (placed === null || data === null || box === null || rank !== box.dims.length) return [null]
    return [mappedBox(box, data, placed)]
  }
}

/** Behind data of a length of at most `data.norm`. */
export function mappedBox(
  box: Box,
  data: Pick<BoundOperand, 'norm' | 'range'>,
  { affine, values, ...placed }: Placed,
): Box | null {
  const { layout, weights, alpha, partial } = affine
  if (data.norm === Infinity && farthest(data.range) === Infinity && isUniform(box)) return null
  const count = layout.groups * layout.outer * layout.outputs * layout.inner
  const elements = count > manyWeights ? null : (values ?? elementsOf(weights))
  const rank = box.dims.length
  const at = (axis: number) => (axis < 0 ? axis + rank : axis)
  const [from, to] = [at(placed.inputAxis), at(placed.outputAxis)]
  if (elements === null || elements.length !== count || from !== to || from < 0 || from >= rank) return null
  const others = box.dims.filter((_, axis) => axis !== from)
  const isCheap = placed.keepsOthers && countOf(others) * count <= boxLimits.products
  const source = isCheap
    ? box
    : sharedTo(
        box,
        box.dims.map((dim, axis) => (axis === from ? dim : 1)),
      )
  const outputs = layout.groups * layout.outputs
  const result = emptyBox(source.dims.with(to, outputs))
  if (countOf(result.dims) > boxLimits.intervals) return null
  const inputs = source.dims[from]
  const inner = countOf(source.dims.slice(from + 1))
  const bias = biasAt(affine)
  const norm = mulUp(data.norm, Math.abs(alpha))
  for (let row = 0; row < countOf(source.dims) / inputs; row++) {
    const [outer, column] = [Math.floor(row / inner), row % inner]
    const inputAt = (i: number): Interval => {
      const own = intervalAt(source, (outer * inputs + (inputs === 1 ? 0 : i)) * inner + column)
      return scaled(partial ? hull(own, origin) : own, alpha)
    }
    const { lo, hi } = affineBox(elements, layout, { inputAt, norm }, bias)
    for (let output = 0; output < outputs; output++) {
      const position = (outer * outputs + output) * inner + column
      result.lo[position] = lo[output]
      result.hi[position] = hi[output]
    }
  }
  return result
}

/** Intervals of the channels of an affine map of each channel by itself. */
export function channelBoxes(
  imagesOf: (context: BoundContext, rank: number) => ((range: Interval, channel: number) => Interval) | null,
): BoxRule {
  return (context, boxOf) => {
    const [box, shape] = [boxOf(0), context.input(0)?.shape ?? null]
    const image = box && imagesOf(context, box.dims.length)
    const channels = shape?.[1] ?? null
    if (box === null || image === null || channels === null || box.dims.length < 2) return [null]
    const result = emptyBox(box.dims.with(1, channels))
    if (countOf(result.dims) > boxLimits.intervals) return [null]
    const inner = countOf(box.dims.slice(2))
    for (let i = 0; i < result.lo.length; i++) {
      const channel = Math.floor(i / inner) % channels
      const outer = Math.floor(i / inner / channels)
      const own = box.dims[1] === 1 ? outer * inner + (i % inner) : i
      const { lo, hi } = image(intervalAt(box, own), channel)
      result.lo[i] = lo
      result.hi[i] = hi
    }
    return [result]
  }
}
