import * as mag from '../../core/magnitude.ts'
import { mulUp } from '../../core/rounding.ts'
import { type Dim, sizeOf } from '../../core/tensor.ts'
import { floatAttribute, intAttribute, intsAttribute } from '../../graph/attribute.ts'
import type { BoundContext, BoundOperand, BoundRule, TensorBound } from '../bound.ts'
import { type Windows, windowsOf } from '../numeric/windows.ts'
import { inverseRootOf, rootOf } from './broadcast.ts'
import { hull, up } from './interval.ts'
import { through } from './join.ts'
import { overReals } from './reals.ts'
import { normUpperBound, type SparseRow } from './small-matrix.ts'

/** Pools slide windows over the spatial axes, each axis by itself. */

const unknownSize = 'pools over a size that is not known; give --input-shape'

function windowsAt(context: BoundContext, x: BoundOperand): Windows | null {
  const kernel = intsAttribute(context.node, 'kernel_shape', null)
  if (kernel === null || (x.shape !== null && x.shape.length !== kernel.length + 2)) return null
  return windowsOf(context, kernel, x.shape?.slice(2) ?? kernel.map(() => null))
}

/** The rule of a pool with the constant of all its windows; further outputs are positions. */
function pool(
  gainOf: (context: BoundContext, windows: Windows, input: readonly Dim[]) => number | mag.Magnitude | null,
): BoundRule {
  return (context) => {
    const x = context.input(0)
    const windows = x && windowsAt(context, x)
    if (x === null || windows === null) return refused(context, 'has no kernel_shape that fits its input')
    const gain = gainOf(context, windows, x.shape?.slice(2) ?? windows.kernel.map(() => null))
    if (gain === null) return refused(context, unknownSize)
    const range = hull(x.range, { lo: 0, hi: 0 })
    return context.node.outputs.map((_, i) => (i === 0 ? through(x, gain, range) : positions(context)))
  }
}

function refused(context: BoundContext, reason: string): TensorBound[] {
  return context.node.outputs.map(() => context.refuse(reason))
}

function positions(context: BoundContext): TensorBound {
  return context.refuse('gives the positions of maxima, which jump')
}

/**
 * In how many windows of one axis an element can be: offsets j·dilation of the same residue modulo the stride
 * reach one element from different windows. The same for every size of the input.
 */
export function windowMultiplicity(kernel: number, stride: number, dilation: number): number {
  const count = new Map<number, number>()
  for (let j = 0; j < kernel; j++) {
    const residue = (j * dilation) % stride
    count.set(residue, (count.get(residue) ?? 0) + 1)
  }
  return Math.max(...count.values())
}

/**
 * Each output is an element of its window, |Δout| ≤ max |Δ in the window|, whose square is at most the sum of
 * squares there: √(number of windows that share an element), the product over the axes.
 */
function sharing({ kernel, strides, dilations, output }: Windows): number {
  return kernel.reduce((product, size, axis) => {
    const shared = windowMultiplicity(size, strides[axis], dilations[axis])
    const windows = output[axis] ?? Infinity
    return product * Math.min(shared, windows)
  }, 1)
}

/**
 * AveragePool is linear and separates into one small matrix per axis, also where the divisor counts only elements
 * inside the input (`count_include_pad` = 0, the default): that divisor is a product of counts per axis, and it
 * makes averages at the rim heavier, so that the norm may exceed 1. Its norm is the product of theirs.
 */
function averaging(context: BoundContext, windows: Windows, input: readonly Dim[]): number | null {
  const includePad = intAttribute(context.node, 'count_include_pad', 0) !== 0
  let product = 1
  for (const [axis, size] of input.entries()) {
    const outputs = windows.output[axis]
    const begin = windows.padsBegin[axis]
    const end = windows.padsEnd[axis]
    if (size === null || outputs === null || begin === null || end === null) return null
    const rows: SparseRow[] = []
    for (let row = 0; row < outputs; row++) {
      rows.push(averageRow(windows, axis, row * windows.strides[axis] - begin, { size, end, includePad }))
    }
    product = mulUp(product, normUpperBound(rows, size))
  }
  return product
}

/** One row of the matrix of an axis. Runtimes differ in whether windows that `ceil_mode` adds count beyond the pads: the larger weight counts. */
function averageRow(
  windows: Windows,
  axis: number,
  start: number,
  { size, end, includePad }: { size: number; end: number; includePad: boolean },
): SparseRow {
  const [kernel, dilation] = [windows.kernel[axis], windows.dilations[axis]]
  const positions = Array.from({ length: kernel }, (_, j) => start + j * dilation)
  const columns = positions.filter((at) => at >= 0 && at < size)
  const padded = positions.filter((at) => at < size + end)
  const divisor = includePad ? padded.length : columns.length
  return { columns, weights: columns.map(() => up(1 / divisor)) }
}

/** ‖·‖_p of a window is Lipschitz with 1 for p ≥ 2, and k^(1/p − 1/2) for 1 ≤ p < 2, in ℓ2. */
function lpSlope(context: BoundContext, size: number): number | null {
  const p =
    context.node.version < 2 ? floatAttribute(context.node, 'p', 2) : intAttribute(context.node, 'p', 2)
  if (!(p >= 1)) return null
  return p >= 2 ? 1 : up(size ** (1 / p - 0.5))
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
        : through(x, gain, hull(x.range, { lo: 0, hi: 0 })),
    ]
  }
}

const norms: BoundRule = (context) =>
  pool((_, windows) => {
    const slope = lpSlope(
      context,
      windows.kernel.reduce((product, size) => product * size, 1),
    )
    return slope === null ? null : mag.multiply(rootOf(sharing(windows)), mag.magnitude(slope))
  })(context).map((bound) => ({ ...bound, range: { lo: 0, hi: Infinity } }))

export const poolingRules = {
  MaxPool: pool((_, windows) => rootOf(sharing(windows))),
  AveragePool: overReals(pool(averaging)),
  LpPool: norms,
  GlobalMaxPool: global(() => 1),
  /** A mean of n elements has the norm 1/√n. */
  GlobalAveragePool: overReals(global((_, size) => inverseRootOf(size))),
  GlobalLpPool: (context) =>
    global(lpSlope)(context).map((bound) => ({ ...bound, range: { lo: 0, hi: Infinity } })),
} satisfies Record<string, BoundRule>
