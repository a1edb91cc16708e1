import { intAttribute, intsAttribute } from '../../graph/attribute.ts'
import type { BoundContext, BoundRule } from '../bound.ts'
import { countedIn, rootOf } from './broadcast.ts'
import { entriesOf } from './constant.ts'
import { farthest, hull, interval, up } from './interval.ts'
import { isFixed, through } from './join.ts'
import { inEvery } from './norms.ts'
import { windowMultiplicity } from './window-sharing.ts'

/**
 * Windows that overlap, cut out of their data or added up to them. Cutting out writes an element once for every window that
 * holds it: √m for the largest number m. Adding up is its adjoint: each element is added into one place, m of them at most
 * into the same, so that |Δy|² ≤ m·|Δx|² by Cauchy and Schwarz, attained where m meet: exactly √m.
 */

/** Places of an axis beyond which they are not counted one by one. */
const longestAxis = 2 ** 20

interface Sliding {
  readonly size: number
  readonly kernel: number
  readonly stride: number
  readonly dilation: number
  readonly begin: number
  readonly windows: number
}

/** The largest number of windows that hold one element of the axis. */
function overlap({ size, kernel, stride, dilation, begin, windows }: Sliding): number {
  if (windows * kernel > longestAxis || size > longestAxis)
    return Math.min(windows, windowMultiplicity(kernel, stride, dilation))
  const counts = new Int32Array(size)
  let most = 0
  for (let window = 0; window < windows; window++) {
    for (let offset = 0; offset < kernel; offset++) {
      const at = window * stride + offset * dilation - begin
      if (at >= 0 && at < size) most = Math.max(most, ++counts[at])
    }
  }
  return most
}

const unknownSize = 'adds up windows whose sizes are not known; give --input-shape'

/** Blocks of an image summed into it; multiplicities of the axes multiply. */
const col2Im = inEvery((context: BoundContext, norm) => {
  const [x, image, block] = [context.input(0), context.input(1), context.input(2)]
  if (x === null) return [context.refuse('has no data')]
  if ([image, block].some((operand) => operand === null || !isFixed(operand)))
    return [context.refuse('adds up windows of sizes that are computed from data')]
  const [sizes, kernel] = [entriesOf(image), entriesOf(block)]
  if (sizes === null || kernel?.length !== sizes.length) return [context.refuse(unknownSize)]
  const given = (name: string, fallback: number) =>
    intsAttribute(context.node, name, null) ?? new Array<number>(sizes.length).fill(fallback)
  const [strides, dilations] = [given('strides', 1), given('dilations', 1)]
  const pads = intsAttribute(context.node, 'pads', null) ?? new Array<number>(2 * sizes.length).fill(0)
  let most = 1
  for (const [axis, size] of sizes.entries()) {
    const [stride, dilation, begin] = [strides[axis], dilations[axis], pads[axis]]
    const span = size + begin + pads[axis + sizes.length] - dilation * (kernel[axis] - 1) - 1
    if (!(stride >= 1 && dilation >= 1)) return [context.refuse(unknownSize)]
    const windows = Math.max(0, Math.floor(span / stride) + 1)
    most *= overlap({ size, kernel: kernel[axis], stride, dilation, begin, windows })
  }
  const reach = up(most * farthest(x.range))
  // `most` changes add up in one place, each in one alone
  const gain = { l2: rootOf(most), linf: most, l1: 1 }[norm]
  return [through(x, gain, hull(interval(-reach, reach), interval(0, 0)))]
})

/** Windows of `size` at steps of `step` along one axis, as a new last axis. */
const unfold = inEvery((context: BoundContext, norm) => {
  const x = context.input(0)
  const dim = x?.shape?.at(intAttribute(context.node, 'dim', -1)) ?? null
  const [kernel, stride] = [intAttribute(context.node, 'size', 1), intAttribute(context.node, 'step', 1)]
  if (x === null || !(kernel >= 1 && stride >= 1)) return [context.refuse('has no windows')]
  const shared = windowMultiplicity(kernel, stride, 1)
  const windows = dim === null ? shared : Math.max(0, Math.floor((dim - kernel) / stride) + 1)
  return [through(x, countedIn(norm, Math.min(shared, windows)), x.range)]
})

export const overlapRules = {
  Col2Im: col2Im,
  UnfoldTensor: unfold,
} satisfies Record<string, BoundRule>
