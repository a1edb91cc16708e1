import type { Enclosure } from '../../core/enclosure.ts'
import { deterministic } from '../../core/enclosure.ts'
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
const PATIENCE = 8
/** Margins above the peak at which the supremum is proven: for its own sake, and for discarding frequencies. */
const FINE = 2e-6
const COARSE = 3e-4
/** A bound on the supremum beyond this multiple of the estimate discards too little. */
const NEAR = 1.3
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

/** Multiply-adds that the proof of a flat symbol may cost: it has no peak, so every frequency must be looked at. */
const FLAT = 3e8
const FLAT_EVALUATIONS = 1e5

/** The norm on inputs of any size: the supremum itself, which growing inputs come as near to as one likes. */
export function encloseUnbounded(kernel: Kernel, spectrum: Spectrum): Enclosure {
  const affordable = Math.min(FLAT_EVALUATIONS, FLAT / spectrum.symbol.order ** 3)
  const budget = Math.max(affordable, 4 * PATIENCE * expectedEvaluations(kernel))
  const upper = provenSupremum(spectrum, FINE, budget)
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
  for (const { improve, settling } of lowerBounds(kernel, spectrum)) {
    const estimate = Math.min(torus.estimate(), Math.sqrt(spectrum.peak.value))
    const before = lower
    lower = Math.max(lower, improve())
    const target = lower * (1 + tolerance * AIM)
    if (estimate < target) {
      const found = proveAtMost(spectrum, torus, target, estimate, budget)
      if (found !== null) return deterministic(lower, found.upper, found.method)
      if (spectrum.supremum > NEAR * estimate) break
    } else if (settling && lower - before < (estimate - target) / HOPE) {
      break
    }
  }
  if (!thorough) return deterministic(lower, spectrum.supremum, 'symbol')
  const supremum = provenSupremum(spectrum, COARSE, budget)
  const likely = torus.estimate() * (1 + MARGIN)
  const closed = likely < supremum && torus.below(likely, budget)
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
    // a torus needs a bound on the supremum to discard frequencies by
    if (provenSupremum(spectrum, COARSE, budget) > NEAR * estimate) return null
    if (torus.below(aim, budget)) return { upper: aim, method: 'torus' }
  }
  return null
}

interface LowerBound {
  improve(): number
  /** Whether this continues the one before, so that little progress means that little is left to gain. */
  readonly settling: boolean
}

/** Proven lower bounds, each dearer and most often better than the one before. */
function lowerBounds(kernel: Kernel, spectrum: Spectrum): LowerBound[] {
  const { columns } = finiteSize(kernel)
  const wide = columns > WIDE * kernel.inputs && tapCount(kernel) <= MANY_TAPS
  let wave: WindowedWave | null = null
  let vector: Float64Array | null = null
  let map: PlacedConvolution | null = null
  const windowed = (windows: number): LowerBound => ({
    settling: false,
    improve() {
      wave = windowedWave(kernel, spectrum, windows)
      return wave.lower
    },
  })
  const stepped = (steps: number, continues: boolean): LowerBound => ({
    settling: continues,
    improve() {
      map ??= placedConvolution(kernel)
      vector = ritzPair(map.apply, vector ?? (wave as unknown as WindowedWave).expand(), steps).vector
      return map.stretch(vector)
    },
  })
  return [windowed(1), ...(wide ? [windowed(2)] : []), stepped(3, false), stepped(4, true), stepped(6, true)]
}
