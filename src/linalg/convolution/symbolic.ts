import type { Enclosure } from '../../core/enclosure.ts'
import type { Kernel } from './kernel.ts'
import { provenSupremum, type Spectrum, supremumBelow } from './spectrum.ts'
import { torusBound } from './torus.ts'
import { windowedLowerBound } from './window.ts'

/** Share of the tolerance that proofs aim at: the rest is for rounding. */
const AIM = 0.95
/** Factorisations that one proof may take. */
const BUDGET = 4000
/** Windows per axis of the trial spaces, tried in turn. */
const WINDOWS = [1, 2, 3]

/** The norm on inputs of any size: the supremum itself, which growing inputs come as near to as one likes. */
export function encloseUnbounded(spectrum: Spectrum): Enclosure {
  const upper = provenSupremum(spectrum, 20_000)
  return {
    lower: Math.min(upper, spectrum.finder.provenAt(spectrum.peak)),
    upper,
    method: 'symbol-supremum',
    certificate: 'deterministic',
    failureProbability: 0,
  }
}

/** Windowed plane waves below, the supremum or a twisted torus above. May be wider than the tolerance. */
export function encloseBySymbol(kernel: Kernel, spectrum: Spectrum, tolerance: number): Enclosure {
  const torus = torusBound(kernel.axes, spectrum)
  let lower = 0
  let upper = Infinity
  let method = 'symbol'
  for (const windows of WINDOWS) {
    lower = Math.max(lower, windowedLowerBound(kernel, spectrum, windows))
    const target = lower * (1 + tolerance * AIM)
    const peak = Math.sqrt(spectrum.peak.value)
    if (peak < target && supremumBelow(spectrum, target, BUDGET)) {
      upper = target
      break
    }
    if (torus.estimate() >= target) continue
    provenSupremum(spectrum, BUDGET)
    if (torus.below(target, BUDGET)) {
      upper = target
      method = 'torus'
      break
    }
  }
  if (upper === Infinity) upper = provenSupremum(spectrum, BUDGET)
  return { lower: Math.min(lower, upper), upper, method, certificate: 'deterministic', failureProbability: 0 }
}
