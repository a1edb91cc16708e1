import * as mag from '../../core/magnitude.ts'
import type { NormName } from '../../core/norm-name.ts'
import { addUp, mulUp, sqrtUp } from '../../core/rounding.ts'
import { sizeOf } from '../../core/tensor.ts'
import { intAttribute, stringAttribute } from '../../graph/attribute.ts'
import { type BoundContext, type BoundOperand, type BoundRule, everything, type Interval } from '../bound.ts'
import { countedIn, rootOf } from './broadcast.ts'
import { elementsOf } from './constant.ts'
import { farthest, hull, interval, up } from './interval.ts'
import { addedIn, isFixed, type Part, through } from './join.ts'
import { clampIndex, neighbourKinds, type Outside, productRows, reflection } from './neighbours.ts'
import { inEvery } from './norms.ts'
import { normUpperBound, smallNorm } from './small-matrix.ts'

/**
 * GridSample reads its data at positions between their elements: linear in the data for a fixed grid, by the same sparse
 * matrix for every channel, and for linear interpolation Lipschitz in the grid where the data are bounded.
 */

/** Grid points × neighbours beyond which no matrix is made. */
const mostEntries = 2 ** 21

interface Sampler {
  readonly kind: keyof typeof neighbourKinds
  readonly outside: Outside
  /** Whether positions outside of the data read zeros. */
  readonly zeros: boolean
  readonly alignCorners: boolean
}

const kinds: Readonly<Record<string, keyof typeof neighbourKinds>> = {
  linear: 'linear',
  bilinear: 'linear',
  nearest: 'nearest',
  cubic: 'cubic',
  bicubic: 'cubic',
}

function samplerOf({ node }: BoundContext): Sampler | null {
  const kind = kinds[stringAttribute(node, 'mode', 'linear')]
  const padding = stringAttribute(node, 'padding_mode', 'zeros')
  const alignCorners = intAttribute(node, 'align_corners', 0) !== 0
  const paddings: Readonly<Record<string, Outside>> = {
    zeros: () => null,
    border: clampIndex,
    reflection: reflection(alignCorners),
  }
  if (kind === undefined || !Object.hasOwn(paddings, padding)) return null
  return { kind, outside: paddings[padding], zeros: padding === 'zeros', alignCorners }
}

/** −1 and 1 are the centres of the outermost elements, or their far edges. */
function coordinateOf(position: number, size: number, alignCorners: boolean): number {
  return alignCorners ? ((position + 1) / 2) * (size - 1) : ((position + 1) * size - 1) / 2
}

/** Σ of the absolute weights of one position at most. */
const rowSums = { nearest: 1, linear: 1, cubic: 1.375 } as const

/** Any grid: rows sum to at most r, columns to at most r for each of the points; in ℓ2 √(r·points), as no weight is above 1 (Schur). */
function anyGridNorm({ kind }: Sampler, points: number, axes: number, norm: NormName): mag.Magnitude {
  const row = mag.magnitude(up(rowSums[kind] ** axes))
  return {
    l2: mag.multiply(rootOf(points), mag.squareRoot(row)),
    linf: row,
    l1: mag.multiply(mag.magnitude(points), row),
  }[norm]
}

/** The largest norm over the batch of the matrix that a known grid makes; null where it is too large. */
function gridNorm(
  sampler: Sampler,
  grid: BoundOperand,
  sizes: readonly number[],
  points: number,
  norm: NormName,
): number | null {
  const elements = elementsOf(grid)
  const axes = sizes.length
  if (elements === null || points * 4 ** axes > mostEntries || !elements.every(Number.isFinite)) return null
  let largest = 0
  for (let start = 0; start < elements.length; start += points * axes) {
    const rows = Array.from({ length: points }, (_, point) => {
      const perAxis = sizes.map((size, axis) => {
        // the first coordinate runs along the last axis
        const position = elements[start + point * axes + (axes - 1 - axis)]
        return neighbourKinds[sampler.kind](coordinateOf(position, size, sampler.alignCorners))
      })
      return productRows(perAxis, sizes, sampler.outside)
    }).flat()
    largest = Math.max(
      largest,
      smallNorm(
        rows,
        sizes.reduce((product, size) => product * size, 1),
        norm,
      ),
    )
  }
  return mulUp(largest, 1 + 1e-6)
}

/**
 * In the grid: a step of 1 along one axis of the grid is size/2 elements (one less with align_corners); between neighbours a
 * linear interpolation changes by at most sup x − inf x for each element. Every position is read in all C channels:
 * √C·(sup x − inf x)·√(Σ (sizeᵢ/2)²). In ℓ∞ the axes add up, in ℓ1 the longest counts, in each of C channels.
 */
function gridSlope(
  { alignCorners }: Sampler,
  image: Interval,
  sizes: readonly number[],
  channels: number,
  norm: NormName,
): number {
  const spread = addUp(image.hi, -image.lo)
  const steps = sizes.map((size) => (alignCorners ? size - 1 : size) / 2)
  const slope = {
    l2: sqrtUp(steps.reduce((sum, step) => addUp(sum, mulUp(step, step)), 0)),
    linf: steps.reduce(addUp, 0),
    l1: Math.max(0, ...steps),
  }[norm]
  const times = { l2: sqrtUp(channels), linf: 1, l1: channels }[norm]
  return mulUp(mulUp(times, spread), slope)
}

const gridSample = inEvery((context, norm) => {
  const [x, grid] = [context.input(0), context.input(1)]
  const sampler = samplerOf(context)
  if (x === null || grid === null) return [context.refuse('lacks an operand')]
  if (sampler === null) return [context.refuse('has a mode or a padding that has no rule')]
  const points = sizeOf(context.output(0)?.shape?.slice(2) ?? [null])
  const sizes = x.shape?.slice(2) ?? [null]
  const channels = x.shape?.[1] ?? null
  const known = sizes.filter((size) => size !== null)
  if (points === null || channels === null || known.length < sizes.length)
    return [context.refuse('samples a size that is not known; give --input-shape')]
  const image = sampler.zeros ? hull(x.range, interval(0, 0)) : x.range
  const parts: Part[] = []
  if (!isFixed(x)) {
    const exact = isFixed(grid) ? gridNorm(sampler, grid, known, points, norm) : null
    const general = anyGridNorm(sampler, points, known.length, norm)
    parts.push({ bound: x, gain: exact === null ? general : mag.minimum(mag.magnitude(exact), general) })
  }
  if (!isFixed(grid)) {
    if (sampler.kind !== 'linear')
      return [
        context.refuse(`reads at positions computed from data by mode ${sampler.kind}, which has no rule`),
      ]
    const slope = gridSlope(sampler, image, known, channels, norm)
    if (!(slope < Infinity))
      return [
        context.refuse(
          'reads data that have no proven bounds at positions computed from data: not Lipschitz on an unbounded domain; give --input-range',
        ),
      ]
    parts.push({ bound: grid, gain: slope })
  }
  return [addedIn(norm, parts, sampler.kind === 'cubic' ? everything : image)]
})

/**
 * AffineGrid: the positions B·θᵀ for the homogeneous coordinates B of all elements, one batch element at a time: exactly
 * ‖B‖₂ = √‖BᵀB‖₂, and BᵀB is made of the sums of the coordinates along each axis.
 */
const affineGrid = inEvery((context, norm) => {
  const [theta, size] = [context.input(0), context.input(1)]
  const dims = size === null ? null : elementsOf(size)
  if (theta === null || dims === null || dims.length < 4 || dims.some(Number.isNaN))
    return [context.refuse('makes a grid of a size that is computed from data or not known')]
  const sizes = Array.from(dims).slice(2)
  const align = intAttribute(context.node, 'align_corners', 0) !== 0
  const points = sizes.reduce((product, length) => product * length, 1)
  if (!(points <= 2 ** 40)) return [context.refuse('makes a grid of too many points')]
  const means = sizes.map((length) => {
    const [first, step] = align ? [-1, length > 1 ? 2 / (length - 1) : 0] : [-1 + 1 / length, 2 / length]
    const mean = first + (step * (length - 1)) / 2
    // Σ(first + i·step)²/n by the variance of 0 … n − 1
    return { mean, square: mean * mean + (step * step * (length * length - 1)) / 12 }
  })
  const moments = [...means, { mean: 1, square: 1 }]
  const gram = moments.map((own, i) => ({
    columns: moments.map((_, j) => j),
    weights: moments.map((other, j) => (i === j ? own.square : own.mean * other.mean) * points),
  }))
  const length = mulUp(sqrtUp(normUpperBound(gram, moments.length)), 1 + 1e-12)
  // coordinates lie within ±1, and 1 stands beside them; in ℓ1 every element has all points
  const gain = { l2: length, linf: moments.length, l1: points }[norm]
  const reach = mulUp(farthest(theta.range), moments.length)
  return [through(theta, points === 0 ? 0 : gain, interval(-reach, reach), mulUp(length, theta.norm))]
})

/** CropAndResize: as any grid, with a given value where regions leave the data. */
const cropAndResize = inEvery((context, norm) => {
  const x = context.input(0)
  if (x === null) return [context.refuse('has no data')]
  for (let i = 1; i < context.inputCount; i++) {
    const operand = context.input(i)
    if (operand !== null && !isFixed(operand))
      return [context.refuse('crops regions that are computed from data')]
  }
  const output = context.output(0)?.shape ?? null
  const points = output === null ? null : sizeOf([output[0], ...output.slice(2)])
  if (points === null) return [context.refuse('samples a size that is not known; give --input-shape')]
  return [through(x, countedIn(norm, points), everything)]
})

export const samplingRules = {
  GridSample: gridSample,
  AffineGrid: affineGrid,
  CropAndResize: cropAndResize,
} satisfies Record<string, BoundRule>
