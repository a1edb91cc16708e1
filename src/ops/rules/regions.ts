import { mulUp, sqrtUp } from '../../core/rounding.ts'
import { sizeOf } from '../../core/tensor.ts'
import { floatAttribute, intAttribute, stringAttribute } from '../../graph/attribute.ts'
import type { BoundContext, BoundOperand, BoundRule } from '../bound.ts'
import { countedIn } from './broadcast.ts'
import { elementsOf } from './constant.ts'
import { hull, interval } from './interval.ts'
import { isFixed, through } from './join.ts'
import { inEvery } from './norms.ts'
import { normUpperBound, type SparseRow } from './small-matrix.ts'

/**
 * Pooling over regions of interest that do not vary. RoiAlign's averages are linear in the data, by the same sparse matrix
 * for every channel; the rows of averages sum to at most 1, so that for any regions ‖A‖₂² ≤ outputs of a channel (Schur).
 * Regions that are computed from data jump where they leave the data, where their length is rounded up to a number of samples, and
 * where elements enter the pools of MaxRoiPool.
 */

/** Samples beyond which no matrix is made. */
const mostSamples = 2 ** 19

interface Bins {
  readonly height: number
  readonly width: number
  readonly perBin: number
  readonly scale: number
  /** Half a pixel, or 0 and regions of at least one pixel. */
  readonly shift: number
  readonly takesLargest: boolean
}

function binsOf({ node }: BoundContext): Bins {
  const fallback = node.version < 16 ? 'output_half_pixel' : 'half_pixel'
  const half = stringAttribute(node, 'coordinate_transformation_mode', fallback) === 'half_pixel'
  return {
    height: intAttribute(node, 'output_height', 1),
    width: intAttribute(node, 'output_width', 1),
    perBin: intAttribute(node, 'sampling_ratio', 0),
    scale: floatAttribute(node, 'spatial_scale', 1),
    shift: half ? 0.5 : 0,
    takesLargest: stringAttribute(node, 'mode', 'avg') === 'max',
  }
}

/** Sample positions along one axis of a region, bin by bin; null where their number is in doubt in float32. */
function samplesOf(from: number, to: number, count: number, bins: Bins): number[][] | null {
  const start = from * bins.scale - bins.shift
  const length = to * bins.scale - bins.shift - start
  const size = bins.shift === 0 ? Math.max(length, 1) : length
  const adaptive = size / count
  const isWidened = bins.shift === 0 && length < 1 - 1e-4
  if (
    bins.perBin <= 0 &&
    !isWidened &&
    Math.abs(adaptive - Math.round(adaptive)) < 1e-4 * Math.max(1, adaptive)
  )
    return null
  const samples = bins.perBin > 0 ? bins.perBin : isWidened ? 1 : Math.ceil(adaptive)
  return Array.from({ length: count }, (_, bin) =>
    Array.from({ length: Math.max(0, samples) }, (_, i) => start + (bin + (i + 0.5) / samples) * adaptive),
  )
}

/** The two elements that a position lies between, with their weights; none outside of the data. */
function between(at: number, size: number): readonly (readonly [index: number, weight: number])[] {
  if (at < -1 - 1e-4 || at > size + 1e-4) return []
  const clamped = Math.min(Math.max(at, 0), size - 1)
  const low = Math.min(Math.floor(clamped), Math.max(0, size - 2))
  const part = clamped - low
  return size === 1 || part === 0
    ? [[low, 1]]
    : [
        [low, 1 - part],
        [low + 1, part],
      ]
}

/** The weights of one output: means over its samples, or the largest weight of each element. */
function rowOf(
  rows: readonly number[],
  columns: readonly number[],
  dims: readonly number[],
  bins: Bins,
): SparseRow {
  const weights = new Map<number, number>()
  const count = Math.max(rows.length * columns.length, 1)
  for (const y of rows) {
    for (const x of columns) {
      for (const [row, own] of between(y, dims[0])) {
        for (const [column, other] of between(x, dims[1])) {
          const at = row * dims[1] + column
          const weight = own * other
          const known = weights.get(at) ?? 0
          weights.set(at, bins.takesLargest ? Math.max(known, weight) : known + weight / count)
        }
      }
    }
  }
  return { columns: [...weights.keys()], weights: [...weights.values()] }
}

/** The norm for known regions; null where they are not known, in doubt, or too many. */
function regionsNorm(context: BoundContext, x: BoundOperand, regions: BoundOperand): number | null {
  const [corners, images] = [elementsOf(regions), elementsOf(context.input(2))]
  const dims = x.shape?.slice(2).filter((dim) => dim !== null) ?? []
  if (corners === null || images === null || dims.length !== 2) return null
  if (corners.length !== 4 * images.length || !corners.every(Number.isFinite)) return null
  const bins = binsOf(context)
  const byImage = new Map<number, SparseRow[]>()
  let made = 0
  for (let region = 0; region < images.length; region++) {
    const [left, top, right, bottom] = corners.slice(4 * region, 4 * region + 4)
    const rows = samplesOf(top, bottom, bins.height, bins)
    const columns = samplesOf(left, right, bins.width, bins)
    if (rows === null || columns === null) return null
    made += rows.flat().length * columns.flat().length
    if (!(made <= mostSamples)) return null
    const known = byImage.get(images[region]) ?? []
    byImage.set(images[region], known)
    for (const row of rows) for (const column of columns) known.push(rowOf(row, column, dims, bins))
  }
  const norms = Array.from(byImage.values(), (rows) =>
    bins.takesLargest ? sharedRoot(rows, dims) : normUpperBound(rows, dims[0] * dims[1]),
  )
  return mulUp(Math.max(0, ...norms), 1 + 1e-5)
}

/**
 * Maxima of interpolated samples: |Δy|² ≤ max over samples of Σ w·|Δxⱼ|² ≤ Σ (largest w of element j)·|Δxⱼ|²; over all outputs
 * the largest sum of an element's weights.
 */
function sharedRoot(rows: readonly SparseRow[], [height, width]: readonly number[]): number {
  const sums = new Float64Array(height * width)
  for (const { columns, weights } of rows)
    for (const [i, column] of columns.entries()) sums[column] += weights[i]
  return sqrtUp(sums.reduce((most, sum) => Math.max(most, sum), 0) * (1 + 1e-12))
}

/** Outputs of one channel. */
function outputsOf(context: BoundContext): number | null {
  const shape = context.output(0)?.shape ?? null
  return shape === null ? null : sizeOf([shape[0], ...shape.slice(2)])
}

const unknownSize = 'pools over a number of regions that is not known; give --input-shape'

function overRegions(
  norm: (context: BoundContext, x: BoundOperand, regions: BoundOperand) => number | null,
): BoundRule {
  return inEvery((context, by) => {
    const [x, regions, images] = [context.input(0), context.input(1), context.input(2)]
    if (x === null || regions === null) return [context.refuse('lacks an operand')]
    if (!isFixed(regions) || (images !== null && !isFixed(images)))
      return [
        context.refuse(
          'pools over regions that are computed from data: it jumps where they leave elements out',
        ),
      ]
    const outputs = outputsOf(context)
    const exact = by === 'l2' ? norm(context, x, regions) : null
    if (outputs === null && exact === null) return [context.refuse(unknownSize)]
    return [through(x, exact ?? countedIn(by, outputs!), hull(x.range, interval(0, 0)))]
  })
}

export const regionRules = {
  RoiAlign: overRegions(regionsNorm),
  /** Maxima over whole elements: any of them may be in every pool. */
  MaxRoiPool: overRegions(() => null),
} satisfies Record<string, BoundRule>
