import type { OtherNorm } from '../../core/norm-name.ts'
import { addUp, mulUp, sqrtUp } from '../../core/rounding.ts'
import type { Dim } from '../../core/tensor.ts'
import { intAttribute } from '../../graph/attribute.ts'
import type { BoundContext } from '../bound.ts'
import type { Windows } from '../numeric/windows.ts'
import { up } from './interval.ts'
import { normUpperBound, type SparseRow } from './small-matrix.ts'
import { windowMultiplicity } from './window-sharing.ts'

export const unknownSize = 'pools over a size that is not known; give --input-shape'

/**
 * AveragePool is linear and separates into one small matrix per axis, also where the divisor counts only elements
 * inside the input (`count_include_pad` = 0, the default): that divisor is a product of counts per axis, and it
 * makes averages at the rim heavier, so that the norm may exceed 1. Its norm is the product of theirs.
 */
export function averaging(
  context: BoundContext,
  windows: Windows,
  input: readonly Dim[],
  normOf: typeof averageNorm = averageNorm,
): number | string {
  const includePad = intAttribute(context.node, 'count_include_pad', 0) !== 0
  let product = 1
  for (const [axis, size] of input.entries()) {
    const outputs = windows.output[axis]
    const begin = windows.padsBegin[axis]
    const end = windows.padsEnd[axis]
    if (size === null || outputs === null || begin === null || end === null) return unknownSize
    if (outputs > longestAxis) return `has more than ${longestAxis} windows along one axis`
    const starts = Array.from({ length: outputs }, (_, row) => row * windows.strides[axis] - begin)
    const axisWindows = starts.map((start) => windowAt(windows, axis, start, { size, end, includePad }))
    product = mulUp(product, normOf(axisWindows, windows, axis, size))
  }
  return product
}

/** What one window of an average covers of its axis. */
interface AverageWindow {
  /** The first element inside the input, and how many there are, `dilation` apart. */
  readonly first: number
  readonly count: number
  readonly weight: number
}

/** Windows along one axis beyond which they are not looked at one by one. */
export const longestAxis = 2 ** 20

/** Beyond that many entries a matrix is not small: its norm is bounded by its row and column sums. */
const manyEntries = 2 ** 22

/** The largest row sum or column sum of the matrix of one axis: its norm in ℓ∞ and ℓ1. */
export const averageNorms = {
  linf: (rows) => rows.reduce((most, { count, weight }) => Math.max(most, mulUp(count, weight)), 0),
  l1: (rows, windows, axis, size) => {
    const sums = new Float64Array(size)
    for (const { first, count, weight } of rows) {
      for (let j = 0; j < count; j++) {
        const at = first + j * windows.dilations[axis]
        sums[at] = addUp(sums[at], weight)
      }
    }
    return sums.reduce((most, sum) => Math.max(most, sum), 0)
  },
} satisfies Record<OtherNorm, typeof averageNorm>

/** ‖A‖₂² ≤ max row sum · max column sum (Schur) where the matrix is large, else nearly the norm itself. */
function averageNorm(rows: readonly AverageWindow[], windows: Windows, axis: number, size: number): number {
  const dilation = windows.dilations[axis]
  const entries = rows.reduce((sum, { count }) => sum + count, 0)
  if (entries > manyEntries) {
    const largest = (of: (row: AverageWindow) => number) =>
      rows.reduce((most, row) => Math.max(most, of(row)), 0)
    const shared = Math.min(
      rows.length,
      windowMultiplicity(windows.kernel[axis], windows.strides[axis], dilation),
    )
    const columnSum = mulUp(
      shared,
      largest(({ weight }) => weight),
    )
    return sqrtUp(
      mulUp(
        columnSum,
        largest(({ count, weight }) => mulUp(count, weight)),
      ),
    )
  }
  const sparse = rows.map(
    ({ first, count, weight }): SparseRow => ({
      columns: Array.from({ length: count }, (_, j) => first + j * dilation),
      weights: new Array<number>(count).fill(weight),
    }),
  )
  return normUpperBound(sparse, size)
}

/** Runtimes differ in whether windows that `ceil_mode` adds count beyond the pads: the larger weight counts. */
export function windowAt(
  windows: Windows,
  axis: number,
  start: number,
  { size, end, includePad }: { size: number; end: number; includePad: boolean },
): AverageWindow {
  const [kernel, dilation] = [windows.kernel[axis], windows.dilations[axis]]
  /** How many positions of the window lie before `limit`. */
  const before = (limit: number) => Math.min(Math.max(Math.ceil((limit - start) / dilation), 0), kernel)
  const skipped = before(0)
  const count = before(size) - skipped
  const divisor = includePad ? before(size + end) : count
  return { first: start + skipped * dilation, count, weight: count === 0 ? 0 : up(1 / divisor) }
}
