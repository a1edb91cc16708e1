import type { Enclosure } from '../../core/enclosure.ts'
import { createRandom, gaussianVector } from '../../core/random.ts'
import { scoped } from '../arena.ts'
import { jointQuantile, type Lanczos, lanczos, upperBound } from '../lanczos.ts'
import type { NormOptions } from '../norm-options.ts'
import { outputsReachedBy, type SizedAxis } from './axis.ts'
import { circleCost, circleMap } from './circle-map.ts'
import type { Precision } from './circle-part.ts'
import { adjointOf, type Kernel, sumOfSliceNorms, tapPositions } from './kernel.ts'
import { directCost, finiteSize } from './matrix.ts'
import { placedConvolution } from './placed.ts'
import { ritzPair } from './ritz.ts'
import type { FourierSymbol } from './symbol.ts'

/** Steps after which the best that is proven is given. */
const STEP_LIMIT = 300
/** Relative width at which nothing is left to gain. */
const FINEST = 2e-7
/** Steps, with two starts, that a finite operator without a gap takes, more or less. */
const EXPECTED_STEPS = 90
/** Steps that tell the size of the norm. */
const EARLY_STEPS = 3
/** How much faster a multiply-add is over positions than between frequencies, where weights come from memory. */
const HANDICAP = 1.3

/** Products with a symmetric B̃ near the T*T or T T* that the norm is taken of. */
interface NormalMap {
  readonly size: number
  /** ‖B̃ − T*T‖₂ is at most this. */
  readonly deviation: number
  /** ‖fl(B̃v) − B̃v‖ ≤ roundingError · √λ_max(B̃) · ‖v‖ where λ_max(B̃) ≥ `floor`; null: not made in that precision. */
  readonly roundingError: { readonly double: number; readonly single: number | null }
  readonly floor: number
  applyPair(v: Float64Array, u: Float64Array, z: Float64Array, y: Float64Array, precision: Precision): void
  /** A proven lower bound on ‖T‖. */
  stretch(v: Float64Array): number
}

/** How products with the finite operator are made, and what they cost. */
export interface FinitePlan {
  readonly method: 'positions' | 'frequencies'
  readonly kernel: Kernel
  /** Multiply-adds of all that is expected. */
  readonly total: number
  /** Multiply-adds before the first step, and per step of both starts. */
  readonly once: number
  readonly step: number
}

/** The cheapest way; of a convolution of stride 1 the adjoint may be taken as well. */
export function planFinite(kernel: Kernel, symbolKnown = false): FinitePlan {
  const { columns } = finiteSize(kernel)
  const step = 2 * directCost(kernel) + 24 * columns
  const direct: FinitePlan = { method: 'positions', kernel, once: 0, step, total: EXPECTED_STEPS * step }
  const flat = kernel.axes.every((axis) => axis.stride === 1)
  const own = flat && kernel.outputs > kernel.inputs ? adjointOf(kernel) : kernel
  const cost = circleCost(own)
  if (cost === null) return direct
  const each = 2 * HANDICAP * cost.each + 24 * finiteSize(own).rows
  const once = symbolKnown ? 0 : cost.once
  const total = once + EXPECTED_STEPS * each
  return total < direct.total ? { method: 'frequencies', kernel: own, once, step: each, total } : direct
}

function mapOf({ method, kernel }: FinitePlan, symbol: FourierSymbol | null): NormalMap {
  if (method === 'positions') {
    const map = placedConvolution(kernel)
    return {
      size: map.columns,
      deviation: 0,
      roundingError: { double: map.roundingError, single: null },
      floor: 0,
      applyPair: map.applyPair,
      stretch: map.stretch,
    }
  }
  const map = circleMap(kernel, symbol)
  // no later Ritz value, and so no bound, is less than an early one
  const least = Math.max(leastNorm(kernel), Math.sqrt(earlyRitzValue(map)) * (1 - 2 ** -20))
  return {
    size: map.size,
    deviation: map.deviation,
    roundingError: { double: map.productError.double / least, single: map.productError.single / least },
    floor: least * least,
    applyPair: map.applyPair,
    stretch: (v) => scoped(() => placedConvolution(kernel).stretchAdjoint(v)),
  }
}

/** The Ritz value of a few steps. */
function earlyRitzValue(map: { readonly size: number; applyPair: NormalMap['applyPair'] }): number {
  const start = gaussianVector(map.size, createRandom(1))
  const apply = (v: Float64Array, z: Float64Array) => map.applyPair(v, v, z, z, 'double')
  return ritzPair(apply, start, EARLY_STEPS).value
}

/** A bound on ‖T‖ from below: its root mean square singular value, as a Frobenius norm. */
function leastNorm(kernel: Kernel): number {
  const axes = kernel.axes as readonly SizedAxis[]
  const size = kernel.outputs * kernel.inputs
  let squares = 0
  tapPositions(kernel).forEach((tap, slice) => {
    const pairs = axes.reduce((product, axis, a) => {
      return product * outputsReachedBy({ ...axis, dilation: 1 }, tap[a]).count
    }, 1)
    for (let i = slice * size; i < (slice + 1) * size; i++) squares += pairs * kernel.slices[i] ** 2
  })
  const { rows, columns } = finiteSize(kernel)
  return Math.sqrt(squares / Math.min(rows, columns)) * (1 - 2 ** -20)
}

/** Share of the failure probability that float32 may take, and what its steps take together as a multiple of the first one. */
const SINGLE_SHARE = 1 / 3
const SINGLE_STEPS = 32

/**
 * Whether products may be made in float32 from here on: what goes wrong in a step counts by xⱼ(t) (see Lanczos), which falls
 * from step to step, and in the later half of them is small enough to bear it.
 */
function bearsSingle(map: NormalMap, processes: readonly Lanczos[], options: NormOptions): boolean {
  const { single } = map.roundingError
  if (single === null) return false
  const ritz = Math.max(...processes.map((process) => process.ritzValue))
  const level = Math.sqrt(jointQuantile(processes.length, options.failureProbability))
  const t = ritz * (1 + options.tolerance) ** 2
  return processes.every(
    (process) => process.steps > 2 && SINGLE_STEPS * process.harmAt(t, single) <= SINGLE_SHARE * level,
  )
}

/**
 * Encloses the norm of the finite operator by Lanczos on T*T or T T* through the convolution itself, over positions or
 * between frequencies (see CircleMap), with the probabilistic certificate of two independent random starts (see
 * Lanczos): ‖T‖² ≤ λ_max(B̃) + ‖B̃ − T*T‖. Stops at the tolerance; goes on to 2e-7 while the steps taken are fewer than
 * `cheapSteps`. With `certify: deterministic`, and where the certificate contradicts the proven lower bound, as it may with
 * its failure probability, the upper bound is that of the taps.
 */
export function encloseFinite(
  plan: FinitePlan,
  options: NormOptions,
  cheapSteps: number,
  known: { readonly kernel: Kernel; readonly symbol: FourierSymbol } | null = null,
): Enclosure {
  const symbol = known?.kernel === plan.kernel ? known.symbol : null
  const map = mapOf(plan, symbol)
  const random = createRandom(options.seed)
  const { roundingError } = map
  const processes = [0, 1].map(() => lanczos(gaussianVector(map.size, random), roundingError.double, false))
  const products = [0, 1].map(() => new Float64Array(map.size))
  const probabilistic = options.certify === 'probabilistic'
  let upper = Infinity
  let precision: Precision = 'double'
  for (let step = 1; step <= STEP_LIMIT && processes.some((process) => !process.exhausted); step++) {
    if (precision === 'double' && probabilistic && bearsSingle(map, processes, options)) precision = 'single'
    map.applyPair(processes[0].direction, processes[1].direction, products[0], products[1], precision)
    const error = roundingError[precision] ?? roundingError.double
    processes.forEach((process, i) => {
      if (!process.exhausted) process.step(products[i], error)
    })
    const goal = step < cheapSteps ? Math.min(FINEST, options.tolerance) : options.tolerance * 0.98
    if (probabilistic && step > 2) {
      const ritz = Math.max(...processes.map((process) => process.ritzValue))
      const square = upperBound(processes, options.failureProbability)
      upper = square >= map.floor ? Math.sqrt(square + map.deviation) * (1 + 2 ** -50) : Infinity
      if (1 - Math.sqrt(ritz) / upper <= goal) break
    } else if (
      !probabilistic &&
      processes.every((process) => process.residual() <= goal * process.ritzValue)
    ) {
      break
    }
  }
  const best = processes[1].ritzValue > processes[0].ritzValue ? processes[1] : processes[0]
  best.ritzVector(products[0])
  const lower = map.stretch(products[0])
  if (upper === Infinity || lower > upper) {
    const bound = Math.max(lower, sumOfSliceNorms(plan.kernel))
    return { lower, upper: bound, method: 'taps', certificate: 'deterministic', failureProbability: 0 }
  }
  return {
    lower,
    upper,
    method: 'lanczos',
    certificate: 'probabilistic',
    failureProbability: options.failureProbability,
  }
}
