import * as mag from '../../core/magnitude.ts'
import type { NormName, OtherNorm } from '../../core/norm-name.ts'
import { divUp, mulUp } from '../../core/rounding.ts'
import { type Dim, sizeOf } from '../../core/tensor.ts'
import { floatAttribute, intAttribute, intsAttribute } from '../../graph/attribute.ts'
import {
  type BoundContext,
  type BoundOperand,
  type BoundRule,
  type BoxRule,
  everything,
  type NormRule,
  type TensorBound,
} from '../bound.ts'
import { windowedBox } from '../boxes/movement.ts'
import { withBoxes } from '../boxes/rule.ts'
import { type Windows, windowsOf } from '../numeric/windows.ts'
import { averageNorms, averaging, longestAxis, unknownSize, windowAt } from './averages.ts'
import { countedIn, inverseRootOf, rootOf } from './broadcast.ts'
import { hull, up } from './interval.ts'
import { isFixed, through } from './join.ts'
import { inEvery, inNorms, repeated } from './norms.ts'
import { overReals } from './reals.ts'
import { sharing, windowMultiplicity } from './window-sharing.ts'

/** Pools slide windows over the spatial axes, each axis by itself. */

function windowsAt(context: BoundContext, x: BoundOperand): Windows | null {
  const kernel = intsAttribute(context.node, 'kernel_shape', null)
  if (kernel === null || (x.shape !== null && x.shape.length !== kernel.length + 2)) return null
  return windowsOf(context, kernel, x.shape?.slice(2) ?? kernel.map(() => null))
}

/** The rule of a pool with the constant of all its windows, or why there is none; further outputs are positions. */
function pool(
  gainOf: (context: BoundContext, windows: Windows, input: readonly Dim[]) => number | mag.Magnitude | string,
): BoundRule {
  return (context) => {
    const x = context.input(0)
    const windows = x && windowsAt(context, x)
    if (x === null || windows === null) return refused(context, 'has no kernel_shape that fits its input')
    const gain = gainOf(context, windows, x.shape?.slice(2) ?? windows.kernel.map(() => null))
    if (typeof gain === 'string') return refused(context, gain)
    const range = hull(x.range, { lo: 0, hi: 0 })
    return context.node.outputs.map((_, i) =>
      i === 0 ? through(x, gain, range, lengthOf(gain, x)) : positions(context),
    )
  }
}

/** Pools of zeros are 0, so that lengths grow by the same constant as differences. */
function lengthOf(gain: number | mag.Magnitude, x: BoundOperand): number {
  return mulUp(typeof gain === 'number' ? gain : mag.toNumber(gain), x.norm)
}

function refused(context: BoundContext, reason: string): TensorBound[] {
  return context.node.outputs.map(() => context.refuse(reason))
}

function positions(context: BoundContext): TensorBound {
  return context.refuse('gives the positions of maxima, which jump')
}

/** Pools in ℓ∞ and ℓ1, with the constant of all windows or why there is none. */
function poolIn(
  gainOf: (
    context: BoundContext,
    windows: Windows,
    input: readonly Dim[],
    norm: OtherNorm,
  ) => number | string,
): NormRule {
  return (context, norm) => {
    const x = context.input(0)
    const windows = x && windowsAt(context, x)
    if (x === null || windows === null) return refused(context, 'has no kernel_shape that fits its input')
    const input = x.shape?.slice(2) ?? windows.kernel.map(() => null)
    const gain = gainOf(context, windows, input, norm)
    if (typeof gain === 'string') return refused(context, gain)
    const range = mayBeEmpty(windows, input)
      ? { ...hull(x.range, origin), lo: -Infinity }
      : hull(x.range, origin)
    return context.node.outputs.map((_, i) => (i === 0 ? through(x, gain, range) : positions(context)))
  }
}

/** Pools over all places. */
function globalIn(gains: Readonly<Record<OtherNorm, (size: number) => number>>): NormRule {
  return (context, norm) => {
    const x = context.input(0)
    const size = sizeOf(x?.shape?.slice(2) ?? [null])
    if (x === null || size === null) return [context.refuse(unknownSize)]
    return [through(x, gains[norm](size), hull(x.range, origin))]
  }
}

/** The constant of AveragePool over the given spatial sizes; null where one that it needs is not known. */
export function windowedAverageGain(
  context: BoundContext,
  spatial: readonly Dim[],
  norm: NormName,
): number | null {
  const kernel = intsAttribute(context.node, 'kernel_shape', null)
  if (kernel?.length !== spatial.length) return null
  const normOf = norm === 'l2' ? undefined : averageNorms[norm]
  const gain = averaging(context, windowsOf(context, kernel, spatial), spatial, normOf)
  return typeof gain === 'string' ? null : gain
}

/** ‖·‖_p of a window is Lipschitz with 1 for p ≥ 2, and k^(1/p − 1/2) for 1 ≤ p < 2, in ℓ2; with k^(1/p) in ℓ∞ and 1 in ℓ1. */
function lpSlope(context: BoundContext, size: number, norm: NormName = 'l2'): number | null {
  const p =
    context.node.version < 2 ? floatAttribute(context.node, 'p', 2) : intAttribute(context.node, 'p', 2)
  if (!(p >= 1)) return null
  return { l2: p >= 2 ? 1 : up(size ** (1 / p - 0.5)), linf: up(size ** (1 / p)), l1: 1 }[norm]
}

function global(gainOf: (context: BoundContext, size: number) => number | mag.Magnitude | null): BoundRule {
  return (context) => {
    const x = context.input(0)
    const size = sizeOf(x?.shape?.slice(2) ?? [null])
    if (x === null || size === null) return [context.refuse(unknownSize)]
    const gain = gainOf(context, size)
    return [
      gain === null
        ? context.refuse('has an order p below 1')
        : through(x, gain, hull(x.range, { lo: 0, hi: 0 }), lengthOf(gain, x)),
    ]
  }
}

const positive = { lo: 0, hi: Infinity }

const normsIn: NormRule = (context, norm) =>
  poolIn((_, windows) => {
    const slope = lpSlope(
      context,
      windows.kernel.reduce((product, size) => product * size, 1),
      norm,
    )
    return slope === null ? 'has an order p below 1' : mulUp(repeated[norm](sharing(windows)), slope)
  })(context, norm).map((bound) => ({ ...bound, range: positive }))

const globalNormsIn: NormRule = (context, norm) => {
  const x = context.input(0)
  const size = sizeOf(x?.shape?.slice(2) ?? [null])
  const gain = size === null ? null : lpSlope(context, size, norm)
  if (x === null || size === null) return [context.refuse(unknownSize)]
  return [gain === null ? context.refuse('has an order p below 1') : through(x, gain, positive)]
}

const norms: BoundRule = (context) =>
  pool((_, windows) => {
    const slope = lpSlope(
      context,
      windows.kernel.reduce((product, size) => product * size, 1),
    )
    return slope === null
      ? 'has an order p below 1'
      : mag.multiply(rootOf(sharing(windows)), mag.magnitude(slope))
  })(context).map((bound) => ({ ...bound, range: { lo: 0, hi: Infinity } }))

/** Windows without an element give the least number that there is, whatever the data are. */
const maxima: BoundRule = (context) => {
  const bounds = pool((_, windows) => rootOf(sharing(windows)))(context)
  const x = context.input(0)
  const windows = x && windowsAt(context, x)
  if (x === null || windows === null || !mayBeEmpty(windows, x.shape?.slice(2) ?? null)) return bounds
  return bounds.map((bound) => ({ ...bound, range: { ...bound.range, lo: -Infinity }, norm: Infinity }))
}

const origin = { lo: 0, hi: 0 }

/** Each maximum is an element of its channel, where every window holds one. */
const maximaBox: BoxRule = (context, boxOf) => {
  const x = context.input(0)
  const windows = x && windowsAt(context, x)
  if (x === null || windows === null || mayBeEmpty(windows, x.shape?.slice(2) ?? null)) return [null]
  return windowedBox(null)(context, boxOf)
}

/** Whether a window may lie in the padding alone: between two elements that dilation sets apart, too. */
function mayBeEmpty(windows: Windows, input: readonly Dim[] | null): boolean {
  return windows.kernel.some((kernel, axis) => {
    const [begin, end, outputs] = [windows.padsBegin[axis], windows.padsEnd[axis], windows.output[axis]]
    if (windows.dilations[axis] === 1) return (begin ?? 0) >= kernel || (end ?? 0) >= kernel
    const size = input?.[axis] ?? null
    if (size === null || begin === null || end === null || outputs === null) return true
    const isEmpty = (row: number) => {
      const start = row * windows.strides[axis] - begin
      return windowAt(windows, axis, start, { size, end, includePad: false }).count === 0
    }
    return outputs > longestAxis || Array.from({ length: outputs }, (_, row) => row).some(isEmpty)
  })
}

/** Channels last: the constant that holds for every size. */
const channelsLast = inEvery((context, norm) => {
  const x = context.input(0)
  const ints = (name: string) => intsAttribute(context.node, name, null)
  const kernel = ints('kernel_shape')
  if (x === null || kernel === null) return [context.refuse('has no kernel_shape')]
  const shared = kernel.reduce(
    (product, size, i) =>
      product * windowMultiplicity(size, ints('strides')?.[i] ?? 1, ints('dilations')?.[i] ?? 1),
    1,
  )
  return [through(x, countedIn(norm, shared), hull(x.range, { lo: 0, hi: 0 }))]
})

/** A mask that does not vary leaves elements out of all windows. */
const masked =
  (maximaOf: BoundRule): BoundRule =>
  (context) => {
    const mask = context.input(1)
    if (mask !== null && !isFixed(mask))
      return [context.refuse('leaves out elements that are computed from data')]
    return maximaOf(context).map((bound) => ({ ...bound, range: everything, norm: Infinity }))
  }

const maximaIn = poolIn((_context, windows, _input, norm) => repeated[norm](sharing(windows)))

export const poolingRules = {
  /** A maximum changes by at most the largest change in its window, which counts in every window in ℓ1. */
  MaxPool: withBoxes(inNorms(maxima, maximaIn), maximaBox),
  MaxpoolWithMask: inNorms(masked(maxima), (context, norm) =>
    masked((inside) => maximaIn(inside, norm))(context),
  ),
  NhwcMaxPool: channelsLast,
  AveragePool: withBoxes(
    overReals(
      inNorms(
        pool((context, windows, input) => averaging(context, windows, input)),
        poolIn((context, windows, input, norm) => averaging(context, windows, input, averageNorms[norm])),
      ),
    ),
    windowedBox(origin),
  ),
  LpPool: inNorms(norms, normsIn),
  GlobalMaxPool: withBoxes(
    inNorms(
      global(() => 1),
      globalIn({ linf: () => 1, l1: () => 1 }),
    ),
    windowedBox(null),
  ),
  /** A mean of n elements has the norm 1/√n. */
  GlobalAveragePool: withBoxes(
    overReals(
      inNorms(
        global((_, size) => inverseRootOf(size)),
        globalIn({ linf: () => 1, l1: (size) => divUp(1, size) }),
      ),
    ),
    windowedBox(null),
  ),
  GlobalLpPool: inNorms(
    (context) => global(lpSlope)(context).map((bound) => ({ ...bound, range: positive })),
    globalNormsIn,
  ),
} satisfies Record<string, BoundRule>
