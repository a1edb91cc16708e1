import type { Random } from '../../../core/random.ts'
import { gaussianVector } from '../../../core/random.ts'
import { createAdam } from './adam.ts'
import { dot, filtered, norm } from './krylov.ts'
import { type Loop, type ScaledLoop, scaledLoop } from './loop.ts'

/** Multipliers: t for each element of each tie, and τ for each head, in logarithms; the outputs have 0. */
export interface Scaling {
  readonly ties: Float64Array
  readonly heads: Float64Array
}

export interface SearchOptions {
  readonly start: Scaling
  /** |u| of each head at most, per unit of change of the inputs. */
  readonly bounds: readonly number[]
  /** Elements of a channel, for each tie: search moves them together, and apart. */
  readonly areas: readonly number[]
  /** Steps of descent. */
  readonly steps: number
  readonly random: Random
  readonly expired?: () => boolean
}

/** Steps of each Krylov space, and the exponent of the norm that stands in for the largest singular value. */
export const KRYLOV = 4
const SHARPNESS = [15, 150] as const
/** Lengths of steps, in logarithms. */
const RATE = [0.2, 0.01] as const
/** Steps at the end, of all, that are averaged. */
const AVERAGED = 0.4
/** Part of the last vector that the next space begins with. */
const WARM = 0.7
/**
 * How far the multipliers of a layer go apart, in logarithms: those of elements that nothing depends on would go on for
 * ever, and the bounds of roundings with them.
 */
const SPREAD = 3
/** How soon a norm above 1 counts for every time that a change may go round. */
const WIDTH = 0.003

/**
 * Descends on ½·ln Σ e^(2τ)b² + levels·ln N(t, τ) for N = ‖D H D⁻¹‖ above 1, and once ln N below (see loop-bound.ts). All of
 * it is convex in (t, τ). By the singular vectors (w, v), dN/N = Σ v²·dt of what comes out less Σ w²·dt of what goes in;
 * for these stands one vector in which the largest singular values prevail, from a few steps of a Krylov space whose start
 * is the last one's, with noise. Steps are Adam's, on layers, channels and elements at once, and the last points are
 * averaged. Nothing here is proven. Cost: 5 applications of H and its adjoint for each step.
 */
export function searchScaling(loop: Loop, options: SearchOptions): Scaling[] {
  const { ties, heads, levels, window } = loop
  const { bounds, random, steps } = options
  const point = { ties: options.start.ties.slice(), heads: options.start.heads.slice() }
  const mean = { ties: new Float64Array(loop.size), heads: new Float64Array(heads.length), count: 0 }
  const { layers, channels, counts } = groupsOf(loop, options.areas)
  const movers = {
    heads: createAdam(heads.length),
    layers: createAdam(ties.length),
    channels: createAdam(counts.channels),
    elements: createAdam(loop.size),
  }
  let warm: Float64Array | null = null
  for (let step = 0; step < steps; step++) {
    if (step > 2 && options.expired?.() === true) break
    const done = step / steps
    const scaled = scaledLoop(loop, point.ties, scalesOf(point))
    const start = gaussianVector(scaled.inputs, random)
    if (warm !== null) mix(start, warm)
    const sharpness = SHARPNESS[0] * (SHARPNESS[1] / SHARPNESS[0]) ** done
    const found = filtered(scaled, start, { steps: KRYLOV, sharpness })
    if (found === null) break
    warm = found.vector
    const image = scaled.apply(found.vector)
    const [into, out] = [dot(found.vector, found.vector), dot(image, image)]
    if (!(into > 0 && out > 0)) break
    const excess = Math.log(found.norm)
    const weight = 1 + (levels - 1) / (1 + Math.exp(-Math.max(-40, Math.min(40, excess / WIDTH))))
    const gradient = new Float64Array(loop.size)
    ties.forEach(({ source, offset, size, measured, groupsOf, groupsMeasured }, tie) => {
      const [from, end] = [scaled.starts[source], scaled.ends[tie]]
      for (let i = 0; i < measured; i++) {
        const group = groupsMeasured === null ? i : groupsMeasured[i]
        gradient[offset + group] += (weight * image[end + i] ** 2) / out
      }
      for (let i = 0; i < size; i++) {
        const group = groupsOf === null ? i : groupsOf[i]
        gradient[offset + group] -= (weight * found.vector[from + i] ** 2) / into
      }
    })
    const shares = sharesOf(point.heads, bounds)
    const headGradient = Float64Array.from(heads, (source, h) => {
      const length = window.sources[source].sizes.reduce((sum, size) => sum + size, 0)
      let energy = 0
      const from = scaled.starts[source]
      for (let i = from; i < from + length; i++) energy += found.vector[i] ** 2
      return shares[h] - (weight * energy) / into
    })
    const rate = RATE[0] * (RATE[1] / RATE[0]) ** done
    subtract(point.heads, movers.heads(headGradient, rate), null)
    const inner = movers.elements(gradient, rate)
    const byChannel = movers.channels(summed(gradient, channels, counts.channels), rate)
    const byLayer = movers.layers(summed(gradient, layers, ties.length), rate)
    subtract(point.ties, inner, null)
    if (counts.channels > ties.length) subtract(point.ties, byChannel, channels)
    subtract(point.ties, byLayer, layers)
    for (const tie of ties) confine(point.ties.subarray(tie.offset, tie.offset + tie.groups))
    if (step >= (1 - AVERAGED) * steps) {
      mean.count++
      for (let i = 0; i < loop.size; i++) mean.ties[i] += point.ties[i]
      for (let i = 0; i < heads.length; i++) mean.heads[i] += point.heads[i]
    }
  }
  if (mean.count === 0) return [point]
  const average = (sum: Float64Array) => sum.map((value) => value / mean.count)
  return [{ ties: average(mean.ties), heads: average(mean.heads) }, point]
}

export const scalesOf = ({ heads }: Scaling) => [...heads].map((value) => Math.exp(-value))

/** e^(2τ)b², of their sum. */
function sharesOf(heads: Float64Array, bounds: readonly number[]): number[] {
  const logarithms = bounds.map((bound, h) => 2 * (heads[h] + Math.log(bound)))
  const most = Math.max(...logarithms)
  const weights = logarithms.map((value) => Math.exp(value - most))
  const total = weights.reduce((sum, value) => sum + value, 0)
  return weights.map((value) => value / total)
}

/** Which layer and which channel each multiplier belongs to. */
function groupsOf({ ties, size }: Loop, areas: readonly number[]) {
  const layers = new Int32Array(size)
  const channels = new Int32Array(size)
  let count = 0
  ties.forEach((tie, at) => {
    for (let i = 0; i < tie.groups; i++) {
      layers[tie.offset + i] = at
      channels[tie.offset + i] = count + Math.floor(i / areas[at])
    }
    count += Math.ceil(tie.groups / areas[at])
  })
  return { layers, channels, counts: { channels: count } }
}

function summed(values: Float64Array, groups: Int32Array, count: number): Float64Array {
  const sums = new Float64Array(count)
  for (let i = 0; i < values.length; i++) sums[groups[i]] += values[i]
  return sums
}

function subtract(target: Float64Array, step: Float64Array, groups: Int32Array | null): void {
  if (groups === null) for (let i = 0; i < target.length; i++) target[i] -= step[i]
  else for (let i = 0; i < target.length; i++) target[i] -= step[groups[i]]
}

/** Keeps a layer's multipliers near their mean. */
function confine(own: Float64Array): void {
  const mean = own.reduce((sum, value) => sum + value, 0) / own.length
  for (let i = 0; i < own.length; i++) own[i] = Math.max(mean - SPREAD, Math.min(mean + SPREAD, own[i]))
}

/** start ← WARM·warm/|warm| + (1 − WARM)·start/|start|. */
function mix(start: Float64Array, warm: Float64Array): void {
  const [own, other] = [(1 - WARM) / norm(start), WARM / norm(warm)]
  for (let i = 0; i < start.length; i++) start[i] = own * start[i] + other * warm[i]
}

export type { ScaledLoop }
