import { createHermitian, factorisationError } from './hermitian.ts'
import type { FourierSymbol } from './symbol.ts'

/**
 * Bounds on the symbol's norm σ(ω) = ‖K̂(ω)‖₂ over many frequencies from proofs at few.
 *
 * For a unit vector v, q(ω) = ‖K̂(ω)v‖² is a nonnegative trigonometric polynomial of degree D_a in axis a, and q ≤ S²
 * for S = sup σ. Bernstein and Szegő: a polynomial p of degree D with |p| ≤ 1 has p'² + D²p² ≤ D², which says that
 * arccos p moves at a rate of at most D. With p = 2q/S² − 1, and v the top vector at the other frequency:
 *
 *     σ(ω) ≤ S·cos(max(0, arccos(σ(c)/S) − Σ_a D_a|ω_a − c_a|/2))                               (1)
 *
 * So a box of frequencies with centre c and half widths h lies below T if
 *
 *     σ(c) ≤ S·cos(arccos(T/S) + Σ_a D_a h_a/2),                                                (2)
 *
 * and if (2) holds with S = T for boxes that cover the torus then sup σ ≤ T: were S > T, the box with the maximum
 * would contradict (1). The same holds on a slice of the torus, with the supremum over that slice. Each σ(c) ≤ τ is
 * proven by a Cholesky factorisation; boxes that fail are divided.
 */
export interface Prover {
  /** Whether σ ≤ T is proven on every box, but for what `otherwise` takes care of. */
  below(boxes: readonly Box[], goal: Goal): boolean
  /** Factorisations so far. */
  readonly evaluations: number
}

export interface Goal {
  /** T. */
  readonly target: number
  /** A proven bound on σ over the slice of the torus that the boxes lie in, or T itself where they cover the slice. */
  readonly supremum: number
  /** Factorisations that may be spent in all. */
  readonly budget: number
  /** Whether a box needs no proof here; asked for every box, and with `stuck` for those too small to divide. */
  readonly otherwise?: (box: Box, stuck: boolean) => boolean
}

/** The values of one axis in a box: all from `low` to `high`, or a grid's `origin + step·k` for k from low to high. */
export interface Range {
  readonly low: number
  readonly high: number
  readonly origin: number
  /** 0: continuous. */
  readonly step: number
}

export type Box = readonly Range[]

export const wholeCircle: Range = { low: -Math.PI, high: Math.PI * (1 + 2 ** -50), origin: 0, step: 0 }
/** σ(−ω) = σ(ω) for real kernels: half of one axis stands for all. */
export const halfCircle: Range = { low: 0, high: Math.PI * (1 + 2 ** -50), origin: 0, step: 0 }

export function singleFrequency(frequency: number): Range {
  return { low: 0, high: 0, origin: frequency, step: 1 }
}

function centreOf({ low, high, origin, step }: Range): number {
  const middle = (low + high) / 2
  return step === 0 ? middle : origin + step * middle
}

function halfWidthOf({ low, high, step }: Range): number {
  return ((high - low) / 2) * (step === 0 ? 1 : step)
}

function halvesOf(range: Range): Range[] {
  const { low, high, step } = range
  const middle = (low + high) / 2
  if (step === 0)
    return [
      { ...range, high: middle },
      { ...range, low: middle },
    ]
  return [
    { ...range, high: Math.floor(middle) },
    { ...range, low: Math.floor(middle) + 1 },
  ]
}

/** Boxes are not divided beyond this angle: the target is then too near to the supremum. */
const SMALLEST_ANGLE = 1e-5
/** Boxes too large for (2) to ask for more than this share of T are divided unseen. */
const SMALLEST_SHARE = 0.6

export function proverOf(symbol: FourierSymbol): Prover {
  const { order, degrees, error } = symbol
  const matrix = createHermitian(order)
  const slack = 2 * factorisationError(order) * order
  let evaluations = 0

  /** Proves σ(ω) ≤ bound. */
  function provenAt(frequency: readonly number[], bound: number): boolean {
    const t = (bound * bound * (1 - slack) - error) * (1 - 2 ** -40)
    if (!(t > 0)) return false
    evaluations++
    matrix.evaluate(symbol, frequency)
    return matrix.isBelow(t)
  }

  return {
    get evaluations() {
      return evaluations
    },
    below(boxes, { target, supremum, budget, otherwise = () => false }) {
      const base = target >= supremum ? 0 : Math.acos(target / supremum) * (1 + 2 ** -45)
      const limit = Math.max(target, supremum)
      if (!(target > 0 && limit < Infinity)) return false
      const open: Box[] = [...boxes]
      while (open.length > 0) {
        const box = open.pop() as Box
        if (otherwise(box, false)) continue
        const angles = box.map((range, a) => (degrees[a] * halfWidthOf(range)) / 2)
        const angle = angles.reduce((sum, part) => sum + part, 0) * (1 + 2 ** -40)
        // at a single frequency the bound is T itself, without the roundings of arccos and cos
        const reach = Math.min(base + angle, Math.PI / 2)
        const bound = angle === 0 ? target : limit * Math.cos(reach) * (1 - 2 ** -45)
        const worthTrying = angle === 0 || bound > SMALLEST_SHARE * target
        if (worthTrying && provenAt(box.map(centreOf), bound)) continue
        if (evaluations >= budget) return false
        if (angle <= SMALLEST_ANGLE && box.every(({ low, high, step }) => step === 0 || low === high)) {
          if (otherwise(box, true)) continue
          return false
        }
        const widest = Math.max(...angles)
        let parts: Range[][] = [[]]
        box.forEach((range, a) => {
          const divide = angles[a] > 0 && angles[a] >= widest / 2
          const own = divide ? halvesOf(range) : [range]
          parts = parts.flatMap((part) => own.map((half) => [...part, half]))
        })
        open.push(...parts)
      }
      return true
    },
  }
}
