import type { SimpleAxis } from './axis.ts'
import type { Peak } from './peak.ts'
import type { Spectrum } from './spectrum.ts'
import { type Range, singleFrequency, wholeCircle } from './supremum.ts'

/**
 * Upper bounds on the norm of the finite operator, sharper than the supremum of the symbol: twisted tori.
 *
 * Along one axis let outputs q ∈ [0, m) read inputs j ∈ [j₀, j₁] through K'_{j−q}, 0 ≤ j − q < taps (polyphase). The
 * operator that closes the axis to a circle of N points, x_{j+N} = e^{iφ}x_j, has entry Σ_z e^{iφz}K'_{j−q+zN} at
 * (q, j). Where no j − q + zN with z ≠ 0 falls on a tap, the finite operator is a part of it; that is so for
 *
 *     N ≥ max(taps, taps + m − 1 − j₀, j₁ + 1),   whatever the twist φ.
 *
 * A circle is block diagonal over its frequencies (2πk + φ)/N. What is left at each of them is an operator over the
 * other axes, finite as before, which may be closed with a twist of its own: σ(T) ≤ max_k min_φ' max_k' … σ(ω). The
 * twists are chosen so that the highest peak lies half-way between two frequencies, where the finite operator's
 * own first sine mode puts its weight, too. So the loss is of order 1/N³ and the cross curvature of the peak.
 */
export interface Circle {
  readonly points: number
  /** Frequencies 2π(k + phase)/points. */
  readonly phase: number
}

/** The least N of an axis. */
export function leastPoints(axis: SimpleAxis): number {
  const { stride, taps, pad } = axis
  const inputs = axis.inputs as number
  const outputs = axis.outputs as number
  const blocks = Math.ceil(taps / stride)
  // input i is phase (i + pad) mod stride of block ⌊(i + pad)/stride⌋
  const first = Math.floor(pad / stride)
  const last = Math.floor((inputs - 1 + pad) / stride)
  return Math.max(blocks, blocks + outputs - 1 - first, last + 1)
}

/** How many points more than the least are tried in order to put the peak half-way. */
const SPARE_POINTS = 4

export interface TorusBound {
  /** What the bound is likely to be. */
  estimate(): number
  /** Whether σ(T) ≤ target is proven. */
  below(target: number, budget: number): boolean
}

export function torusBound(axes: readonly SimpleAxis[], spectrum: Spectrum): TorusBound {
  const { finder, prover } = spectrum
  const least = axes.map(leastPoints)

  /** Closes `axis` so that the peak lies half-way; real kernels need the twist to be its own negative at first. */
  function circleFor(axis: number, peak: Peak, first: boolean): Circle {
    const turns = peak.frequency[axis] / (2 * Math.PI)
    if (!first) {
      const points = least[axis]
      const phase = turns * points - 0.5
      return { points, phase: phase - Math.floor(phase) }
    }
    let best: Circle = { points: least[axis], phase: 0 }
    let farthest = 0
    for (let points = least[axis]; points <= least[axis] + SPARE_POINTS; points++) {
      for (const phase of [0, 0.5]) {
        const position = turns * points - phase
        const distance = Math.abs(position - Math.round(position)) / points
        if (distance > farthest * (1 + 1e-9)) {
          farthest = distance
          best = { points, phase }
        }
      }
    }
    return best
  }

  const frequencyOf = (circle: Circle, k: number) => (2 * Math.PI * (k + circle.phase)) / circle.points

  function estimateOver(order: readonly number[], peak: Peak): number {
    const [axis, ...rest] = order
    const circle = circleFor(axis, peak, order.length === axes.length)
    const position = (peak.frequency[axis] / (2 * Math.PI)) * circle.points - circle.phase
    let largest = 0
    for (const k of [Math.floor(position), Math.floor(position) + 1]) {
      const slice = finder.at(peak.frequency.with(axis, frequencyOf(circle, k)), peak.vector, 12)
      largest = Math.max(
        largest,
        rest.length === 0 ? slice.value : estimateOver(rest, finder.climb(slice, rest)),
      )
    }
    return largest
  }

  function bestOrder(peak: Peak): { order: number[]; estimate: number } {
    const orders = axes.map((_, a) => [a, ...axes.map((_, b) => b).filter((b) => b !== a)])
    const tried = orders.map((order) => ({ order, estimate: Math.sqrt(estimateOver(order, peak)) }))
    return tried.reduce((best, next) => (next.estimate < best.estimate ? next : best))
  }

  function belowOver(
    order: readonly number[],
    fixed: readonly (number | null)[],
    peak: Peak,
    goal: { target: number; supremum: number; budget: number },
  ): boolean {
    const [axis, ...rest] = order
    const first = order.length === axes.length
    const circle = circleFor(axis, peak, first)
    const { points, phase } = circle
    const last = !first ? points - 1 : phase === 0 ? Math.floor(points / 2) : Math.ceil(points / 2) - 1
    const grid: Range = { low: 0, high: last, origin: frequencyOf(circle, 0), step: (2 * Math.PI) / points }
    const box = fixed.map((value, a) =>
      a === axis ? grid : value === null ? wholeCircle : singleFrequency(value),
    )
    const settled = new Set<number>()
    return prover.below([box], {
      ...goal,
      otherwise(open, stuck) {
        const range = open[axis]
        if (range.low !== range.high) return false
        if (settled.has(range.low)) return true
        if (!stuck || rest.length === 0) return false
        const value = frequencyOf(circle, range.low)
        const slice = finder.highest(peak.frequency.with(axis, value), rest)
        if (!belowOver(rest, fixed.with(axis, value), slice, goal)) return false
        settled.add(range.low)
        return true
      },
    })
  }

  let known: { peak: Peak; order: number[]; estimate: number } | null = null
  function currentOrder(): { peak: Peak; order: number[]; estimate: number } {
    const { peak } = spectrum
    if (known?.peak !== peak) known = { peak, ...bestOrder(peak) }
    return known
  }

  return {
    estimate: () => currentOrder().estimate,
    below(target, budget) {
      const { peak, supremum } = spectrum
      const goal = { target, supremum, budget: prover.evaluations + budget }
      return belowOver(
        currentOrder().order,
        axes.map(() => null),
        peak,
        goal,
      )
    },
  }
}
