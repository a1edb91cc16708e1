import type { Kernel } from './kernel.ts'
import { type Peak, type PeakFinder, peakFinder } from './peak.ts'
import { type Box, halfCircle, type Prover, proverOf, wholeCircle } from './supremum.ts'
import { type FourierSymbol, symbolOf } from './symbol.ts'

/** The symbol of one kernel with what has been found out about it. */
export interface Spectrum {
  readonly symbol: FourierSymbol
  readonly finder: PeakFinder
  readonly prover: Prover
  /** The highest peak known; replaced when a higher one is found. */
  peak: Peak
  /** A proven bound on sup σ; replaced when a lower one is proven. */
  supremum: number
}

/** `bound`: any bound on the symbol's norm. */
export function spectrumOf(kernel: Kernel, bound: number): Spectrum {
  const symbol = symbolOf(kernel)
  const finder = peakFinder(symbol, 1)
  const everywhere = symbol.degrees.map((_, a) => a)
  const peak = finder.highest(
    everywhere.map(() => 0),
    everywhere,
  )
  return { symbol, finder, prover: proverOf(symbol), peak, supremum: bound }
}

/** Whether sup σ ≤ target is proven; where the proof gets stuck, a peak higher than the known one is looked for. */
export function supremumBelow(spectrum: Spectrum, target: number, budget: number): boolean {
  if (target >= spectrum.supremum) return true
  if (spectrum.peak.value > target * target) return false
  const torus: Box = spectrum.symbol.degrees.map((_, a) => (a === 0 ? halfCircle : wholeCircle))
  let resisting: Box | null = null
  const proven = spectrum.prover.below([torus], {
    target,
    supremum: target,
    budget: spectrum.prover.evaluations + budget,
    otherwise(box, stuck) {
      if (stuck) resisting = box
      return false
    },
  })
  if (proven) spectrum.supremum = target
  else if (resisting !== null) climbFrom(spectrum, resisting)
  return proven
}

function climbFrom(spectrum: Spectrum, box: Box): void {
  const frequency = box.map(({ low, high }) => (low + high) / 2)
  climb(spectrum, spectrum.finder.at(frequency, spectrum.peak.vector, 20))
}

/** Climbs from a frequency that is higher than the known peak, if it is. */
export function raisePeak(spectrum: Spectrum, from: Peak): void {
  if (from.value > spectrum.peak.value * (1 + 1e-4)) climb(spectrum, from)
}

function climb(spectrum: Spectrum, from: Peak): void {
  const all = from.frequency.map((_, a) => a)
  const found = spectrum.finder.climb(from, all)
  if (found.value > spectrum.peak.value) spectrum.peak = found
}

/**
 * A proven bound on sup σ: the known peak and `margin` more, or as much as it takes; a proof that runs out of its
 * budget is tried twice more at far larger margins. Where that fails, too, whatever is proven already.
 */
export function provenSupremum(spectrum: Spectrum, margin: number, budget: number): number {
  let failures = 0
  while (margin < 1 && failures < 3) {
    const target = Math.sqrt(spectrum.peak.value) * (1 + margin)
    const before = spectrum.prover.evaluations
    if (supremumBelow(spectrum, target, budget)) break
    const exhausted = spectrum.prover.evaluations - before >= budget
    failures += exhausted ? 1 : 0
    margin *= exhausted ? 20 : 6
  }
  return spectrum.supremum
}
