import type { Enclosure } from '../../core/enclosure.ts'
import { deterministic } from '../dense.ts'
import { type Kernel, tapCount } from './kernel.ts'
import { finiteSize } from './matrix.ts'
import { type PlacedConvolution, placedConvolution } from './placed.ts'
import { ritzPair } from './ritz.ts'
import { provenSupremum, type Spectrum, supremumBelow } from './spectrum.ts'
import { expectedEvaluations } from './symbol.ts'
import { type TorusBound, torusBound } from './torus.ts'
import { type WindowedWave, windowedWave } from './windowed-wave.ts'

/** Share of the tolerance that proofs aim at: the rest is for rounding. */
const AIM = 0.995
/** Factorisations that one proof may take, as a multiple of those that are expected. */
const PATIENCE = 12
/** Lower bounds that would have to rise this many times faster to reach the upper bound are not pursued. */
const HOPE = 3
/** The first proof aims this many times nearer to the estimate than the tolerance asks for. */
const SHARPER = 8
/** How far above its estimate a torus is provable. */
const MARGIN = 1e-4
/** Taps above which products with the finite operator are cheaper than more windows. */
const MANY_TAPS = 60
/** Positions above which more windows are cheaper than products with the finite operator. */
const WIDE = 400

/** The norm on inputs of any size: the supremum itself, which growing inputs come as near to as one likes. */
export function encloseUnbounded(kernel: Kernel, spectrum: Spectrum): Enclosure {
  const upper = provenSupremum(spectrum, 4 * PATIENCE * expectedEvaluations(kernel))
  return deterministic(spectrum.finder.provenAt(spectrum.peak), upper, 'symbol-supremum')
}

/**
 * Windowed plane waves below, the supremum or a twisted torus above. Where the wave is not near enough to the norm, a
 * few Lanczos steps on the finite operator itself start from it. Where the tolerance cannot be met the enclosure is
 * wider, and as narrow as it can be made if `thorough`.
 */
export function encloseBySymbol(
  kernel: Kernel,
  spectrum: Spectrum,
  tolerance: number,
  thorough = true,
): Enclosure {
  const torus = torusBound(kernel.axes, spectrum)
  const budget = PATIENCE * expectedEvaluations(kernel)
  let lower = 0
  for (const improve of lowerBounds(kernel, spectrum)) {
    const estimate = Math.min(torus.estimate(), Math.sqrt(spectrum.peak.value))
    const before = lower
    lower = Math.max(lower, improve())
    const target = lower * (1 + tolerance * AIM)
    if (estimate < target) {
      const found = proveAtMost(spectrum, torus, target, estimate, budget)
      if (found !== null) return deterministic(lower, found.upper, found.method)
    } else if (before > 0 && lower - before < (estimate - target) / HOPE) {
      break
    }
  }
  const supremum = provenSupremum(spectrum, budget)
  const likely = torus.estimate() * (1 + MARGIN)
  const closed = thorough && likely < supremum && torus.below(likely, budget)
  return closed ? deterministic(lower, likely, 'torus') : deterministic(lower, supremum, 'symbol')
}

/** A proof of the target, or of somewhat less where the estimate gives hope for that. */
function proveAtMost(
  spectrum: Spectrum,
  torus: TorusBound,
  target: number,
  estimate: number,
  budget: number,
): { upper: number; method: string } | null {
  const sharper = estimate + (target - estimate) / SHARPER
  for (const aim of [sharper, target]) {
    if (supremumBelow(spectrum, aim, budget)) return { upper: aim, method: 'symbol' }
    provenSupremum(spectrum, budget)
    if (torus.below(aim, budget)) return { upper: aim, method: 'torus' }
  }
  return null
}

/** Proven lower bounds, each dearer and most often better than the one before. */
function lowerBounds(kernel: Kernel, spectrum: Spectrum): (() => number)[] {
  const { columns } = finiteSize(kernel)
  const wide = columns > WIDE * kernel.inputs
  let wave: WindowedWave | null = null
  let vector: Float64Array | null = null
  const windowed = (windows: number) => () => {
    wave = windowedWave(kernel, spectrum, windows)
    return wave.lower
  }
  let map: PlacedConvolution | null = null
  const stepped = (steps: number) => () => {
    map ??= placedConvolution(kernel)
    vector ??= (wave as unknown as WindowedWave).expand()
    vector = ritzPair(map.apply, vector, steps).vector
    return map.stretch(vector)
  }
  return [
    windowed(1),
    ...(wide && tapCount(kernel) <= MANY_TAPS ? [windowed(2)] : []),
    stepped(3),
    stepped(4),
  ]
}
