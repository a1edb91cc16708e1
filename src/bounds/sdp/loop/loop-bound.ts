import { createRandom, gaussianVector } from '../../../core/random.ts'
import { mulUp } from '../../../core/rounding.ts'
import type { Value } from '../../../graph/graph.ts'
import { scoped } from '../../../linalg/arena.ts'
import { lanczos, upperBound } from '../../../linalg/lanczos.ts'
import { outward } from '../../../linalg/rounding-error.ts'
import { compiled } from '../../slope/compiled.ts'
import { weightOf } from '../../slope/joint-weight.ts'
import type { Window } from '../../slope/window.ts'
import { norm } from './krylov.ts'
import { closeLoop, type Loop, type ScaledLoop, scaledLoop } from './loop.ts'
import { KRYLOV, type Scaling, scalesOf, searchScaling } from './search.ts'
import { meanSlopeStart, startPasses } from './start.ts'

/**
 * The SDP's bound without its matrix. Let H take the inputs x and what each activation leaves over, u, to √R z of each
 * activation and to the outputs y (loop.ts), so that |uᵢ| ≤ |(√R z)ᵢ| for each element. For any multipliers d = e^t > 0 and
 * N = ‖D H D⁻¹‖₂, where D multiplies (√R z)ᵢ and uᵢ by the same dᵢ, y by 1 and x by √ρ,
 *
 *     |y|² + Σ dᵢ² (√R z)ᵢ²  ≤  N² (ρ|x|² + Σ dᵢ² uᵢ²)  ≤  N² (ρ|x|² + Σ dᵢ² (√R z)ᵢ²),
 *
 * so |y| ≤ N√ρ|x| where N ≤ 1. For N > 1 let ℓ be the activations on the longest way to u (0 for x), and a the most that z
 * depends on; u of that z has ℓ = a + 1, and H_jk = 0 unless a_j ≥ ℓ_k. With r = 1/N, multiply d by r^ℓ, and y by r^(a+1):
 * block (j, k) of D H D⁻¹ is multiplied by r^(a_j + 1 − ℓ_k) = r·r^|a_j − ℓ_k|. The matrix r^|a − ℓ| is positive semidefinite with
 * unit diagonal, multiplying by it elementwise does not raise the norm (Schur), so the new norm is at most rN = 1 and
 *
 *     |y|  ≤  N^levels · √ρ · |x|.
 *
 * The multipliers are LipSDP's (centred: |u|² ≤ |√R z|² is the sector condition of an activation with secants in [α, β], of any
 * sign), so that the least of this over D is LipSDP's bound. Several heads with |xₛ| ≤ bₛ count with √Σ ρₛbₛ². N is proven
 * by two Lanczos processes with random starts; nothing has to be proven of D. Cost: two applications of H for each step.
 */
export interface LoopOptions {
  /** |√R z|₂ of each tie per unit of change of the inputs, roughly, and of the targets: where the search begins. */
  readonly sizes: { readonly ties: ReadonlyMap<Value | null, number>; readonly target: number }
  /** Elements of a channel, of each tie. */
  readonly areas: ReadonlyMap<Value | null, number>
  readonly steps: number
  readonly seed: number
  readonly failureProbability: number
  readonly expired?: () => boolean
}

/** Steps of the proof at the most, and the relative width of the bound that is good enough. */
const STEPS = 150
const WIDTH = 1e-3
/** What products of a loop may err by at the start of the search, and at its end, where N is about 1. */
const ACCURATE = 1e-5
const ROUNDING = 5e-5
/** Processes that share a proof, by what products err by: the more there are, the less each has to be sure of. */
const PROCESSES = [
  { most: 1e-12, count: 2 },
  { most: 1e-9, count: 4 },
  { most: 1e-6, count: 8 },
  { most: ROUNDING, count: 16 },
]
/** Steps of an estimate of N. */
const ESTIMATE = 16

/** Applications of H and its adjoint that a bound with so many steps of search takes, at the most. */
export function passesOf(steps: number, sources: number): number {
  return steps * (KRYLOV + 1) + startPasses * sources + 4 * ESTIMATE + 8 * 30
}

export interface LoopBound {
  readonly bound: number
  readonly loop: Loop
  readonly scaling: Scaling
}

/** Null where numbers leave their range, or nothing is proven. */
export function loopBound(window: Window, options: LoopOptions): LoopBound | null {
  return scoped(() => {
    const loop = closeLoop(compiled(window))
    const random = createRandom(options.seed)
    const bounds = loop.heads.map((source) => window.sources[source].bound)
    const { ties, target } = options.sizes
    const start = meanSlopeStart(loop, bounds, random, { ties: valuesAt(loop, ties), target })
    if (start === null) return null
    const { steps, expired } = options
    const areas = valuesAt(loop, options.areas)
    const found = searchScaling(loop, {
      start,
      bounds,
      areas,
      steps,
      random,
      ...(expired === undefined ? {} : { expired }),
    })
    const best = pick(loop, bounds, found)
    if (best === null) return null
    const proven = prove(loop, best, bounds, options)
    return proven === null ? null : { bound: proven, loop, scaling: best }
  })
}

/** What is known of each tie, or 1. */
function valuesAt({ ties, window }: Loop, known: ReadonlyMap<Value | null, number>): number[] {
  return ties.map(({ source }) => known.get(window.sources[source].origin) ?? 1)
}

/** Whether roundings stay small enough for a proof where the search begins. */
export function isAccurate(window: Window, { sizes }: Pick<LoopOptions, 'sizes'>): boolean {
  const loop = closeLoop(window)
  const logarithms = new Float64Array(loop.size)
  valuesAt(loop, sizes.ties).forEach((size, i) => {
    const { offset, groups } = loop.ties[i]
    logarithms.fill(Math.log(sizes.target / size), offset, offset + groups)
  })
  const scales = loop.heads.map((source) => window.sources[source].bound / sizes.target)
  const { forward, adjoint } = scaledLoop(loop, logarithms, scales).errors()
  return forward + adjoint < ACCURATE
}

/** The best of the points by what a few steps say, each moved so that N is nearly 1. */
function pick(loop: Loop, bounds: readonly number[], points: readonly Scaling[]): Scaling | null {
  let [best, least]: [Scaling | null, number] = [null, Infinity]
  const consider = (point: Scaling) => {
    const value = estimate(scaledLoop(loop, point.ties, scalesOf(point)))
    const bound = Math.log(weightOf(sourcesOf(bounds), scalesOf(point)))
    const total = bound + Math.log(value) * (value > 1 ? loop.levels : 1)
    if (total < least) [best, least] = [point, total]
    return value
  }
  for (const point of points) {
    const value = consider(point)
    if (value < 1 - 1e-4) consider(shifted(loop, point, Math.log(value)))
  }
  return best
}

/** Multiplied by e^(shift·(levels − ℓ)): what a change may gain each time that it goes round. */
function shifted(loop: Loop, { ties, heads }: Scaling, shift: number): Scaling {
  const moved = ties.slice()
  for (const { offset, groups, level } of loop.ties) {
    for (let i = offset; i < offset + groups; i++) moved[i] += shift * (loop.levels - level)
  }
  return { ties: moved, heads: heads.map((value) => value + shift * loop.levels) }
}

const sourcesOf = (bounds: readonly number[]) => bounds.map((bound) => ({ bound }))

function estimate({ inputs, apply, applyAdjoint }: ScaledLoop): number {
  const process = lanczos(
    new Float64Array(inputs).map((_, i) => 1 + ((i * 7919) % 101) / 101),
    0,
    true,
  )
  while (!process.exhausted && process.steps < ESTIMATE) process.step(applyAdjoint(apply(process.direction)))
  return Math.sqrt(process.ritzValue)
}

function prove(
  loop: Loop,
  point: Scaling,
  bounds: readonly number[],
  { seed, failureProbability, expired }: LoopOptions,
): number | null {
  const scales = scalesOf(point)
  const scaled = scaledLoop(loop, point.ties, scales)
  const { inputs, outputs, apply, applyAdjoint } = scaled
  const { forward, adjoint } = scaled.errors()
  const onOutputs = outputs < inputs
  const [order, product, rounding] = onOutputs
    ? [outputs, (y: Float64Array) => apply(applyAdjoint(y)), outward(adjoint + 2 * forward)]
    : [inputs, (x: Float64Array) => applyAdjoint(apply(x)), outward(forward + 2 * adjoint)]
  // the norm is about 1: so far from it nothing could be proven
  if (!(rounding <= ROUNDING)) return null
  const random = createRandom(seed + 1)
  const count = PROCESSES.find(({ most }) => rounding <= most)?.count ?? 0
  const processes = Array.from({ length: count }, () =>
    lanczos(gaussianVector(order, random), rounding, false),
  )
  let upper = Infinity
  for (let step = 1; step <= STEPS; step++) {
    for (const process of processes) {
      if (process.exhausted) continue
      const image = product(process.direction)
      // were ‖A‖ less than an error of its products, these would be less than 4 errors squared
      if (step === 1 && !(norm(image) > 5 * rounding ** 2)) return null
      process.step(image)
    }
    const exhausted = processes.every((process) => process.exhausted)
    if (!exhausted && (step < 8 || step % 4 !== 0)) continue
    upper = Math.sqrt(upperBound(processes, failureProbability)) * (1 + 2 ** -50)
    const ritz = Math.sqrt(Math.max(...processes.map((process) => process.ritzValue)))
    if (exhausted || 1 - ritz / upper < WIDTH / loop.levels || expired?.() === true) break
  }
  let bound = outward(weightOf(sourcesOf(bounds), scales))
  if (upper <= 1) bound = mulUp(bound, upper)
  else for (let level = 0; level < loop.levels; level++) bound = mulUp(bound, upper)
  return Number.isFinite(bound) ? bound : null
}
