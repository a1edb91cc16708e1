import type { Enclosure } from '../../core/enclosure.ts'
import { deterministic } from '../../core/enclosure.ts'
import type { SizedAxis } from './axis.ts'
import { croppedTorusBound, torusFrequencies } from './crop.ts'
import { type Kernel, tapCount } from './kernel.ts'
import { finiteSize } from './matrix.ts'
import type { Peak } from './peak.ts'
import { type PlacedConvolution, placedConvolution } from './placed.ts'
import { ritzPair } from './ritz.ts'
import { provenSupremum, type Spectrum, supremumBelow } from './spectrum.ts'
import { expectedEvaluations, frequencyCost } from './symbol.ts'
import { type TorusBound, torusBound } from './torus.ts'
import { type WindowedWave, windowedWave } from './windowed-wave.ts'

/** Share of the tolerance that proofs aim at: the rest is for rounding. */
const AIM = 0.995
/** Factorisations that one proof may take, as a multiple of those that are expected. */
const PATIENCE = 8
/** Share of what all proofs together may cost that one of them may, and those that look for one peak. */
const ONE_PROOF = 1 / 6
const ALL_PROOFS = 1
/** How often lower bounds begin again when a proof has come upon a higher peak. */
const RESTARTS = 2
/** Margins above the peak at which the supremum is proven: for its own sake, and for discarding frequencies. */
const FINE = 2e-6
const COARSE = 3e-4
/** A bound on the supremum beyond this multiple of the estimate discards too little. */
const NEAR = 1.3
/** Lower bounds that would have to rise this many times faster to reach the upper bound are not pursued. */
const HOPE = 3
/** Tolerances that may be missing after the first windowed wave, and after the first products with the finite operator. */
const FORLORN = 10
const HOPELESS = 5
/** How much a lower bound has to rise for what waves lose at the borders to be looked at again. */
const RISEN = 1e-3
/** The first proof aims this many times nearer to the estimate than the tolerance asks for. */
const SHARPER = 8
/** How far above its estimate a torus is provable. */
const MARGIN = 1e-4
/** Taps above which products with the finite operator are cheaper than more windows. */
const MANY_TAPS = 60
/** Positions above which more windows are cheaper than products with the finite operator. */
const WIDE = 400

/** Frequencies of a torus that are looked at one by one, as a multiple of the factorisations that are expected elsewhere. */
const FEW = 2
/** Widths of a torus, in tolerances, that looking at the borders may mend. */
const CLOSE = 2.5
/** How far below the norm waves are looked at, and how many may be found. */
const DEPTHS = [0.006, 0.012]
const MOST_WAVES = 80

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
 * wider, and as narrow as it can be made if `thorough`. `worth`: multiply-adds that all proofs together may cost, more or less.
 */
export function encloseBySymbol(
  kernel: Kernel,
  spectrum: Spectrum,
  tolerance: number,
  thorough = true,
  worth = Infinity,
  restarts = RESTARTS,
): Enclosure {
  const torus = torusBound(kernel.axes, spectrum)
  const { order, shifts } = spectrum.symbol
  const affordable = worth / frequencyCost(order, shifts.count)
  let end = spectrum.prover.evaluations + ALL_PROOFS * affordable
  const patience = Math.min(PATIENCE * expectedEvaluations(kernel), ONE_PROOF * affordable)
  /** Factorisations that the next proof may take. */
  const budget = () => Math.max(0, Math.min(patience, end - spectrum.prover.evaluations))
  const small = torusFrequencies(kernel.axes as readonly SizedAxis[]) <= FEW * expectedEvaluations(kernel)
  let lower = 0
  let { peak } = spectrum
  let left = restarts
  /** What the borders were found to take off when they were last looked at, and from where. */
  let seen = { lower: 0, peak: null as Peak | null, bound: null as number | null }
  let best = Infinity
  function cropped(target: number): number | null {
    const from = spectrum.peak
    if (small && (lower > seen.lower * (1 + RISEN) || from !== seen.peak)) {
      seen = { lower, peak: from, bound: croppedBound(kernel, spectrum, lower, target) }
      best = Math.min(best, seen.bound ?? Infinity)
    }
    return seen.bound
  }
  const pending = lowerBounds(kernel, spectrum)
  while (pending.length > 0) {
    const { improve, settling, stepped } = pending.shift() as LowerBound
    const estimate = Math.min(torus.estimate(), Math.sqrt(spectrum.peak.value))
    const before = lower
    lower = Math.max(lower, improve())
    const target = lower * (1 + tolerance * AIM)
    if (estimate < target) {
      const bound = cropped(target)
      if (bound !== null && bound <= target) return deterministic(lower, bound, 'cropped-torus')
      const found = bound === null ? proveAtMost(spectrum, torus, target, estimate, budget) : null
      if (found !== null) return deterministic(lower, found.upper, found.method)
      if (bound === null && spectrum.supremum > NEAR * estimate) break
      if (spectrum.peak !== peak && left > 0) {
        // the waves so far belong to a lower peak
        pending.splice(0, pending.length, ...lowerBounds(kernel, spectrum))
        peak = spectrum.peak
        end = spectrum.prover.evaluations + ALL_PROOFS * affordable
        left--
      }
    } else if (!stepped && !thorough && estimate - target > FORLORN * tolerance * lower) {
      break
    } else if (settling && lower - before < (estimate - target) / HOPE) {
      break
    } else if (stepped && estimate - target > HOPELESS * tolerance * lower) {
      break
    }
  }
  const near = Math.min(torus.estimate(), Math.sqrt(spectrum.peak.value)) <= lower * (1 + CLOSE * tolerance)
  if (small && near) {
    const target = lower * (1 + tolerance)
    const bound = cropped(target)
    if (bound !== null && bound <= target) return deterministic(lower, bound, 'cropped-torus')
    if (spectrum.peak !== peak && restarts > 0) {
      const again = encloseBySymbol(kernel, spectrum, tolerance, thorough, worth, restarts - 1)
      return { ...again, lower: Math.max(again.lower, lower) }
    }
  }
  const supremum = thorough ? provenSupremum(spectrum, COARSE, budget()) : spectrum.supremum
  const likely = torus.estimate() * (1 + MARGIN)
  if (thorough && likely < Math.min(best, supremum) && torus.below(likely, budget())) {
    return deterministic(lower, likely, 'torus')
  }
  return best < supremum
    ? deterministic(lower, best, 'cropped-torus')
    : deterministic(lower, supremum, 'symbol')
}

/**
 * A bound by what waves lose at the borders, near enough to meet the target or not; null where there are too many of them. It
 * takes one factorisation per frequency of the torus, where other proofs may take many more.
 */
function croppedBound(kernel: Kernel, spectrum: Spectrum, lower: number, target: number): number | null {
  let best: number | null = null
  for (const depth of DEPTHS) {
    const level = (lower * (1 - depth)) ** 2
    const bound = croppedTorusBound(kernel.axes as readonly SizedAxis[], spectrum, level, MOST_WAVES)
    if (bound === null) break
    best = bound
    if (bound <= target) break
  }
  return best
}

/** A proof of the target, or of somewhat less where the estimate gives hope for that. */
function proveAtMost(
  spectrum: Spectrum,
  torus: TorusBound,
  target: number,
  estimate: number,
  budget: () => number,
): { upper: number; method: string } | null {
  const sharper = estimate + (target - estimate) / SHARPER
  for (const aim of [sharper, target]) {
    if (supremumBelow(spectrum, aim, budget())) return { upper: aim, method: 'symbol' }
    // a torus needs a bound on the supremum to discard frequencies by
    if (provenSupremum(spectrum, COARSE, budget()) > NEAR * estimate) return null
    if (torus.below(aim, budget())) return { upper: aim, method: 'torus' }
  }
  return null
}

interface LowerBound {
  improve(): number
  /** Whether this continues the one before, so that little progress means that little is left to gain. */
  readonly settling: boolean
  /** Whether it is made with products with the finite operator. */
  readonly stepped: boolean
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
    stepped: false,
    improve() {
      wave = windowedWave(kernel, spectrum, windows)
      return wave.lower
    },
  })
  const stepped = (steps: number, continues: boolean): LowerBound => ({
    settling: continues,
    stepped: true,
    improve() {
      map ??= placedConvolution(kernel)
      vector = ritzPair(map.apply, vector ?? (wave as unknown as WindowedWave).expand(), steps).vector
      return map.stretch(vector)
    },
  })
  return [windowed(1), ...(wide ? [windowed(2)] : []), stepped(3, false), stepped(4, true), stepped(6, true)]
}
