import { mulUp } from '../../core/rounding.ts'
import { floatAttribute, intAttribute, stringAttribute } from '../../graph/attribute.ts'
import type { Node } from '../../graph/graph.ts'
import { type BoundContext, type BoundRule, everything } from '../bound.ts'
import { entriesOf } from './constant.ts'
import { isFixed, through } from './join.ts'
import { overReals } from './reals.ts'
import { normUpperBound, type SparseRow } from './small-matrix.ts'

/**
 * Resize and Upsample interpolate each axis by itself: a Kronecker product of one small matrix per axis, whose norm
 * is the product of theirs. The matrices are built as the standard defines the coordinates.
 */

export interface Axis {
  readonly input: number
  readonly output: number
  /** output/input as the node gives it. */
  readonly scale: number
}

export interface Interpolation {
  readonly mode: string
  readonly coordinates: string
  readonly nearest: string
  readonly cubic: number
  readonly excludeOutside: boolean
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

function rowsOf(axis: Axis, interpolation: Interpolation): SparseRow[] | null {
  const at = coordinateModes[interpolation.coordinates]
  const rowOf = rowKinds[interpolation.mode]
  if (at === undefined || rowOf === undefined || axis.output > longestAxis) return null
  const rows: SparseRow[] = []
  for (let x = 0; x < axis.output; x++) {
    const made = rowOf(at(x, axis), axis, interpolation, doubt(axis))
    if (made === null) return null
    rows.push(...made)
  }
  return rows
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
const clampIndex = (at: number, length: number) => Math.min(Math.max(at, 0), length - 1)

function keys(x: number, a: number): number {
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
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
export function interpolationNorm(axis: Axis, interpolation: Interpolation): number | null {
  if (axis.input === axis.output && axis.scale === 1) return 1
  const rows = rowsOf(axis, interpolation)
  return rows === null ? null : mulUp(normUpperBound(rows, axis.input), weightSlack)
}

/** The matrix of the interpolation along one axis, as real numbers give it; null where a mode has no rule. */
export function interpolationRows(axis: Axis, interpolation: Interpolation): SparseRow[] | null {
  const at = coordinateModes[interpolation.coordinates]
  const rowOf = rowKinds[interpolation.mode]
  if (at === undefined || rowOf === undefined || axis.output > longestAxis) return null
  const rows: SparseRow[] = []
  for (let x = 0; x < axis.output; x++) {
    const [row] = rowOf(at(x, axis), axis, interpolation, 0) ?? []
    if (row === undefined) return null
    rows.push(row)
  }
  return rows
}

/** How the node interpolates; Upsample and Resize-10 scale coordinates without shifting them. */
export function interpolationOf({ node }: Pick<BoundContext, 'node'>): Interpolation | string {
  const early = node.op === 'Upsample' || node.version < 11
  if (!early && intAttribute(node, 'antialias', 0) !== 0) return 'antialiases, which has no rule'
  if (stringAttribute(node, 'keep_aspect_ratio_policy', 'stretch') !== 'stretch') {
    return 'keeps the aspect ratio, which has no rule'
  }
  const mode = stringAttribute(node, 'mode', 'nearest')
  return {
    mode: mode === 'bilinear' || mode === 'trilinear' ? 'linear' : mode,
    coordinates: early ? 'asymmetric' : stringAttribute(node, 'coordinate_transformation_mode', 'half_pixel'),
    nearest: early ? 'floor' : stringAttribute(node, 'nearest_mode', 'round_prefer_floor'),
    cubic: floatAttribute(node, 'cubic_coeff_a', -0.75),
    excludeOutside: intAttribute(node, 'exclude_outside', 0) !== 0,
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
  const attribute = node.attributes.get('scales')
  const scales = attribute?.kind === 'floats' ? attribute.value : entries(early ? 1 : 2)
  if (scales === null || scales.length === 0) return null
  const axes = node.attributes.get('axes')
  if (axes?.kind !== 'ints') return scales.length === rank ? [...scales] : null
  const spread = new Array<number | null>(rank).fill(1)
  axes.value.forEach((axis, i) => {
    spread[axis < 0 ? axis + rank : axis] = scales[i] ?? null
  })
  return spread
}

const resize: BoundRule = (context) => {
  const x = context.input(0)
  const output = context.output(0)?.shape ?? null
  if (x === null) return [context.refuse('has no data')]
  for (let i = 1; i < context.inputCount; i++) {
    const control = context.input(i)
    if (control !== null && !isFixed(control))
      return [context.refuse('resizes to a size that is computed from data')]
  }
  const interpolation = interpolationOf(context)
  if (typeof interpolation === 'string') return [context.refuse(interpolation)]
  if (x.shape === null || output === null) return [context.refuse(unknownSize)]
  const scales = givenScales(context, x.shape.length)
  let gain = 1
  for (const [i, input] of x.shape.entries()) {
    const length = output[i]
    if (input === null || length === null) return [context.refuse(unknownSize)]
    const axis = { input, output: length, scale: scales?.[i] ?? length / input }
    const norm = interpolationNorm(axis, interpolation)
    if (norm === null)
      return [context.refuse(`has no rule for mode ${interpolation.mode}, ${interpolation.coordinates}`)]
    gain = mulUp(gain, norm)
  }
  return [through(x, gain, interpolation.mode === 'cubic' ? everything : x.range)]
}

const unknownSize = 'resizes a size that is not known; give --input-shape'

export const resizeRules = { Resize: overReals(resize) } satisfies Record<string, BoundRule>
