import type { NormName } from '../../core/norm-name.ts'
import { mulUp } from '../../core/rounding.ts'
import type { Shape } from '../../core/tensor.ts'
import { floatAttribute, intAttribute, stringAttribute } from '../../graph/attribute.ts'
import type { Node } from '../../graph/graph.ts'
import { type BoundContext, type BoundRule, everything, type TensorBound } from '../bound.ts'
import { antialiasedRow } from './antialias.ts'
import { entriesOf } from './constant.ts'
import { isFixed, through } from './join.ts'
import { clampIndex, keys } from './neighbours.ts'
import { inEvery } from './norms.ts'
import { overReals } from './reals.ts'
import { type SparseRow, smallNorm } from './small-matrix.ts'

/**
 * Resize and Upsample interpolate each axis by itself: a Kronecker product of one small matrix per axis, whose norm
 * is the product of theirs, in every norm. The matrices are built as the standard defines the coordinates.
 */

export interface Axis {
  readonly input: number
  readonly output: number
  /** output/input as the node gives it. */
  readonly scale: number
  /** The part of the axis that is resized, as fractions of it: where coordinates are those of a crop. */
  readonly region?: { readonly start: number; readonly end: number }
}

export interface Interpolation {
  readonly mode: string
  readonly coordinates: string
  readonly nearest: string
  readonly cubic: number
  readonly excludeOutside: boolean
  readonly antialias: boolean
  /** 'stretch', or which common scale of the axes is taken. */
  readonly policy: string
}

/** Where output position x falls in the input; null for modes that have no rule. */
const coordinateModes: Readonly<Record<string, (x: number, axis: Axis) => number>> = {
  half_pixel: (x, { scale }) => (x + 0.5) / scale - 0.5,
  half_pixel_symmetric: (x, { scale, input, output }) => {
    const adjustment = output / (scale * input)
    return (input / 2) * (1 - adjustment) + (x + 0.5) / scale - 0.5
  },
  pytorch_half_pixel: (x, { scale, output }) => (output > 1 ? (x + 0.5) / scale - 0.5 : 0),
  tf_half_pixel_for_nn: (x, { scale }) => (x + 0.5) / scale,
  align_corners: (x, { input, output }) => (output === 1 ? 0 : (x * (input - 1)) / (output - 1)),
  asymmetric: (x, { scale }) => x / scale,
  tf_crop_and_resize: (x, { input, output, region = { start: 0, end: 1 } }) => {
    const { start, end } = region
    if (output === 1) return 0.5 * (start + end) * (input - 1)
    return start * (input - 1) + (x * (end - start) * (input - 1)) / (output - 1)
  },
}

/** Whether a coordinate leaves the data, so that a constant takes the place of an interpolation. */
function isExtrapolated(at: number, { input }: Axis, { coordinates }: Interpolation): boolean {
  return coordinates === 'tf_crop_and_resize' && (at < -1e-4 || at > input - 1 + 1e-4)
}

const nearestModes: Readonly<Record<string, (x: number) => number>> = {
  round_prefer_floor: (x) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
}

/**
 * Runtimes compute coordinates in float32: a position that may fall on the other side of a tie counts on both.
 * With whole factors there is no doubt.
 */
function doubt({ scale }: Axis): number {
  return Number.isInteger(scale) || Number.isInteger(1 / scale) ? 0 : 1e-4
}

/** Outputs along one axis beyond which no matrix is made. */
const longestAxis = 2 ** 20

function rowsOf(
  axis: Axis,
  interpolation: Interpolation,
  rowOf = rowKindOf(interpolation),
): SparseRow[] | null {
  const coordinate = coordinateOf(interpolation)
  if (coordinate === null || rowOf === null || axis.output > longestAxis) return null
  const rows: SparseRow[] = []
  for (let x = 0; x < axis.output; x++) {
    const at = coordinate(x, axis)
    if (isExtrapolated(at, axis, interpolation)) continue
    const made = rowOf(at, axis, interpolation, doubt(axis))
    if (made === null) return null
    rows.push(...made)
  }
  return rows
}

function coordinateOf({ coordinates }: Interpolation) {
  return Object.hasOwn(coordinateModes, coordinates) ? coordinateModes[coordinates] : null
}

function rowKindOf({ mode }: Interpolation): RowKind | null {
  return Object.hasOwn(rowKinds, mode) ? rowKinds[mode] : null
}

type RowKind = (at: number, axis: Axis, interpolation: Interpolation, doubt: number) => SparseRow[] | null

const rowKinds: Readonly<Record<string, RowKind>> = {
  nearest(at, axis, { nearest }, doubt) {
    const round = nearestModes[nearest]
    if (round === undefined) return null
    const candidates = new Set([at, at - doubt, at + doubt].map((x) => clampIndex(round(x), axis.input)))
    return [...candidates].map((column) => ({ columns: [column], weights: [1] }))
  },
  linear(at, { input }) {
    const clamped = Math.min(Math.max(at, 0), input - 1)
    const low = Math.min(Math.floor(clamped), Math.max(0, input - 2))
    const t = clamped - low
    return [{ columns: [low, Math.min(low + 1, input - 1)], weights: [1 - t, t] }]
  },
  /** Keys' kernel over four neighbours; neighbours outside repeat the rim or are left out and the rest renormalised. */
  cubic(at, { input }, { cubic: a, excludeOutside }) {
    const low = Math.floor(at)
    const t = at - low
    const weights = [-1, 0, 1, 2].map((offset) => keys(Math.abs(t - offset), a))
    const inside = [-1, 0, 1, 2].map((offset) => low + offset >= 0 && low + offset < input)
    const kept = excludeOutside ? weights.map((weight, i) => (inside[i] ? weight : 0)) : weights
    const total = excludeOutside ? kept.reduce((sum, weight) => sum + weight, 0) : 1
    return [
      joined(
        [-1, 0, 1, 2].map((offset) => clampIndex(low + offset, input)),
        kept.map((weight) => weight / total),
      ),
    ]
  },
}

/** One weight per column. */
function joined(columns: readonly number[], weights: readonly number[]): SparseRow {
  const sums = new Map<number, number>()
  for (const [i, column] of columns.entries()) sums.set(column, (sums.get(column) ?? 0) + weights[i])
  return { columns: [...sums.keys()], weights: [...sums.values()] }
}

/** Covers the rounding of the weights themselves, in runtimes that compute them in float32. */
const weightSlack = 1 + 1e-6

/** The norm of the interpolation along one axis; null where a mode has no rule. */
export function interpolationNorm(
  axis: Axis,
  interpolation: Interpolation,
  norm: NormName = 'l2',
): number | null {
  const crops = interpolation.coordinates === 'tf_crop_and_resize'
  const isSame = axis.input === axis.output && axis.scale === 1 && !crops
  // this mode shifts by half an element where nothing is resized, unless a runtime leaves such axes alone
  const shifts = interpolation.coordinates === 'tf_half_pixel_for_nn'
  if (isSame && !shifts) return 1
  const candidates = interpolation.antialias && interpolation.mode !== 'nearest' ? antialiased : [undefined]
  let largest = isSame ? 1 : 0
  for (const rowOf of candidates) {
    const rows = rowsOf(axis, interpolation, rowOf)
    if (rows === null) return null
    largest = Math.max(largest, mulUp(smallNorm(rows, axis.input, norm), weightSlack))
  }
  return largest
}

/** Both ways of treating what lies outside: the larger norm holds for whichever a runtime takes. */
const antialiased = (['repeated', 'left out'] as const).map(
  (outside): RowKind =>
    (at, axis, { mode, cubic }) => {
      const row = antialiasedRow(mode, at, axis, cubic, outside)
      return row === null ? null : [row]
    },
)

/** The matrix of a plain interpolation along one axis, as real numbers give it; null where a mode has no rule. */
export function interpolationRows(axis: Axis, interpolation: Interpolation): SparseRow[] | null {
  const [coordinate, rowOf] = [coordinateOf(interpolation), rowKindOf(interpolation)]
  if (coordinate === null || rowOf === null || axis.output > longestAxis) return null
  if (interpolation.antialias || interpolation.policy !== 'stretch') return null
  if (interpolation.coordinates === 'tf_crop_and_resize') return null
  const rows: SparseRow[] = []
  for (let x = 0; x < axis.output; x++) {
    const [row] = rowOf(coordinate(x, axis), axis, interpolation, 0) ?? []
    if (row === undefined) return null
    rows.push(row)
  }
  return rows
}

/** How the node interpolates; Upsample and Resize-10 scale coordinates without shifting them. */
export function interpolationOf({ node }: Pick<BoundContext, 'node'>): Interpolation {
  const early = node.op === 'Upsample' || node.version < 11
  const mode = stringAttribute(node, 'mode', 'nearest')
  return {
    mode: mode === 'bilinear' || mode === 'trilinear' ? 'linear' : mode,
    coordinates: early ? 'asymmetric' : stringAttribute(node, 'coordinate_transformation_mode', 'half_pixel'),
    nearest: early ? 'floor' : stringAttribute(node, 'nearest_mode', 'round_prefer_floor'),
    cubic: floatAttribute(node, 'cubic_coeff_a', -0.75),
    excludeOutside: intAttribute(node, 'exclude_outside', 0) !== 0,
    antialias: !early && intAttribute(node, 'antialias', 0) !== 0,
    policy: stringAttribute(node, 'keep_aspect_ratio_policy', 'stretch'),
  }
}

/** Scales that the node gives, spread over all axes; null where it gives sizes or they are not known. */
function givenScales(context: BoundContext, rank: number): (number | null)[] | null {
  return scalesOf(context.node, rank, (i) => entriesOf(context.input(i)))
}

/** The same, with the elements of input i from `entries`. */
export function scalesOf(
  node: Node,
  rank: number,
  entries: (i: number) => readonly number[] | null,
): (number | null)[] | null {
  const early = node.op === 'Upsample' || node.version < 11
  if (node.op === 'Upsample' && node.version < 7) {
    const [height, width] = ['height_scale', 'width_scale'].map((name) => floatAttribute(node, name, 1))
    return Array.from({ length: rank }, (_, axis) =>
      axis === rank - 1 ? width : axis === rank - 2 ? height : 1,
    )
  }
  const attribute = node.attributes.get('scales')
  const scales = attribute?.kind === 'floats' ? attribute.value : entries(early ? 1 : 2)
  if (scales === null || scales.length === 0) return null
  return spread(node, rank, scales, 1)
}

/** Values for the axes that the node names, or for all, and another one for the rest; null where they do not fit. */
function spread(node: Node, rank: number, values: readonly number[], rest: number): (number | null)[] | null {
  const axes = node.attributes.get('axes')
  if (axes?.kind !== 'ints') return values.length === rank ? [...values] : null
  const result = new Array<number | null>(rank).fill(rest)
  axes.value.forEach((axis, i) => {
    result[axis < 0 ? axis + rank : axis] = values[i] ?? null
  })
  return result
}

/** One scale for all axes that are resized to sizes, where the aspect ratio is kept; null where they are not known. */
function commonScales(context: BoundContext, dims: Shape, policy: string): (number | null)[] | null {
  const sizes = entriesOf(context.input(3))
  const wanted = sizes === null ? null : spread(context.node, dims.length, sizes, Number.NaN)
  if (wanted === null) return null
  const ratios = wanted.flatMap((size, axis) => {
    const dim = dims[axis]
    return size === null || dim === null || Number.isNaN(size) ? [] : [size / dim]
  })
  const scale = policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios)
  return wanted.map((size) => (size !== null && Number.isNaN(size) ? 1 : scale))
}

/** The regions of all axes: all starts, then all ends. */
function regionsOf(context: BoundContext, rank: number): ((axis: number) => Axis['region']) | null {
  const bounds = entriesOf(context.input(1))
  const half = (bounds?.length ?? 0) / 2
  const starts = bounds && spread(context.node, rank, bounds.slice(0, half), 0)
  const ends = bounds && spread(context.node, rank, bounds.slice(half), 1)
  if (starts === null || ends === null) return null
  return (axis) => ({ start: starts[axis] ?? Number.NaN, end: ends[axis] ?? Number.NaN })
}

const resize = (context: BoundContext, by: NormName): TensorBound[] => {
  const x = context.input(0)
  const output = context.output(0)?.shape ?? null
  if (x === null) return [context.refuse('has no data')]
  for (let i = 1; i < context.inputCount; i++) {
    const control = context.input(i)
    if (control !== null && !isFixed(control))
      return [context.refuse('resizes to a size that is computed from data')]
  }
  const interpolation = interpolationOf(context)
  if (x.shape === null || output === null) return [context.refuse(unknownSize)]
  const given = givenScales(context, x.shape.length)
  const keeps = interpolation.policy !== 'stretch' && given === null
  const scales = keeps ? commonScales(context, x.shape, interpolation.policy) : given
  if (keeps && scales === null) return [context.refuse('keeps the aspect ratio of sizes that are not known')]
  const crops = interpolation.coordinates === 'tf_crop_and_resize'
  const regions = crops ? regionsOf(context, x.shape.length) : null
  if (crops && regions === null) return [context.refuse('crops regions that are not known')]
  let gain = 1
  for (const [i, input] of x.shape.entries()) {
    const length = output[i]
    if (input === null || length === null) return [context.refuse(unknownSize)]
    const axis = { input, output: length, scale: scales?.[i] ?? length / input, region: regions?.(i) }
    const norm = interpolationNorm(axis, interpolation, by)
    if (norm === null)
      return [context.refuse(`has no rule for mode ${interpolation.mode}, ${interpolation.coordinates}`)]
    gain = mulUp(gain, norm)
  }
  return [through(x, gain, interpolation.mode === 'cubic' || crops ? everything : x.range)]
}

const unknownSize = 'resizes a size that is not known; give --input-shape'

export const resizeRules = { Resize: overReals(inEvery(resize)) } satisfies Record<string, BoundRule>
