import type { Certificate } from '../../core/enclosure.ts'
import { createRandom, gaussianVector } from '../../core/random.ts'
import { scoped } from '../../linalg/arena.ts'
import { lanczos, upperBound } from '../../linalg/lanczos.ts'
import { outward } from '../../linalg/rounding-error.ts'
import { compiled } from './compiled.ts'
import { type JointNorm, weightOf } from './joint-weight.ts'
import { rowNorm } from './row-norm.ts'
import type { Window } from './window.ts'
import { rowsOf } from './window.ts'

export interface JointNormOptions {
  readonly certify: Certificate
  readonly seed: number
  readonly failureProbability: number
}

/** Steps of power iteration in which τ settles. */
const SETTLING = 12
/** Relative width of the probabilistic bound that is good enough, and steps that it may take. */
const WIDTH = 2e-3
const STEPS = 60
/** Rows that are ever written down, and elements of all of them. */
const ROWS = 1200
const ELEMENTS = 2 ** 24
/** How much more work is accepted for a bound without probability. */
const PATIENCE = 4

/** Multiply-adds of rows and their Gram matrix, those in compiled loops at a discount. */
function costOfRows(rows: number, elements: number, map: number): number {
  return rows * map + (rows * rows * elements) / 12 + rows ** 3 / 8
}

const costOfSteps = (map: number) => 2 * map * (SETTLING + 36)

function rowsSuit(rows: number, elements: number, map: number): boolean {
  if (rows > ROWS || rows * elements > ELEMENTS) return false
  return costOfRows(rows, elements, map) <= PATIENCE * costOfSteps(map)
}

/** Multiply-adds that bounding a window of this size takes. */
export function costOfWindow(rows: number, elements: number, map: number): number {
  return rowsSuit(rows, elements, map) ? costOfRows(rows, elements, map) : costOfSteps(map)
}

/**
 * Bounds |Σ Gₛ uₛ|₂ over all |uₛ|₂ ≤ bₛ, the sources of a window. For any τₛ > 0, by Cauchy-Schwarz,
 *
 *     |Σ Gₛ uₛ|²  ≤  ‖[G₁/√τ₁ … Gₘ/√τₘ]‖₂² · Σ τₛ bₛ²,
 *
 * one norm for all sources together. With τₛ = ‖Gₛ‖/bₛ the right side is at most (Σ ‖Gₛ‖ bₛ)², the sum of the norms
 * one by one; the best τ is found along the top singular vector v, where it is |Gₛᵀv|/bₛ. Nothing has to be proven of
 * τ, and the one norm is: from the rows of the matrix and a verified Cholesky factorisation, or by two Lanczos
 * processes with random starts, rounding of all maps accounted for.
 *
 * Null where the numbers are out of range, or no certificate of the wanted kind can be had.
 */
export function boundWindow(window: Window, options: JointNormOptions): JointNorm | null {
  const rows = rowsOf(window)
  const elements = window.slotSizes.reduce((sum, size) => sum + size, 0)
  if (rows === 0) return { bound: 0, failureProbability: 0 }
  if (window.sources.some(({ bound }) => !(bound < 1e100 && bound > 1e-100))) return null
  const deterministic = options.certify === 'deterministic'
  if (deterministic ? rows <= ROWS && rows * elements <= ELEMENTS : rowsSuit(rows, elements, window.cost))
    return rowNorm(window)
  return deterministic ? null : scoped(() => bySteps(compiled(window), options))
}

/** Matrix-free: A takes u/√τ to the targets, and the Lanczos processes run on A Aᵀ. */
function bySteps(window: Window, options: JointNormOptions): JointNorm | null {
  const { map, sources, slotSizes, targetSizes } = window
  const rows = targetSizes.reduce((sum, size) => sum + size, 0)
  const random = createRandom(options.seed)
  const scaleOf = new Array<number>(slotSizes.length).fill(1)
  const scales = sources.map(({ bound }) => bound)
  const place = () =>
    sources.forEach(({ slots }, s) => {
      for (const slot of slots) scaleOf[slot] = scales[s]
    })
  place()

  const split = (v: Float64Array) => {
    let at = 0
    return targetSizes.map((size) => {
      const part = v.subarray(at, at + size)
      at += size
      return part
    })
  }
  /** Aᵀv, by slot, each times its scale once. */
  const adjoint = (v: Float64Array) =>
    map.applyAdjoint(split(v)).map((part, slot) => part?.map((value) => value * scaleOf[slot]) ?? null)
  const forward = (parts: readonly (Float64Array | null)[]) => {
    const results = map.apply(parts.map((part, slot) => part?.map((value) => value * scaleOf[slot]) ?? null))
    const out = new Float64Array(rows)
    let at = 0
    results.forEach((result, i) => {
      if (result) out.set(result, at)
      at += targetSizes[i]
    })
    return out
  }

  const v = gaussianVector(rows, random)
  for (let step = 0; step < SETTLING; step++) {
    const parts = adjoint(v)
    const image = forward(parts)
    const lengths = sources.map(({ slots }, s) => lengthOf(slots, parts) / scales[s])
    const wanted = sources.map(({ bound }, s) => Math.sqrt(bound / (lengths[s] || Number.MIN_VALUE)))
    const least = Math.min(...wanted)
    sources.forEach((_, s) => {
      scales[s] = Math.sqrt(scales[s] * Math.min(wanted[s], 1e3 * least))
    })
    place()
    const length = norm(image)
    if (!(length > 0 && Number.isFinite(length))) return null
    for (let i = 0; i < rows; i++) v[i] = image[i] / length
  }

  const { forward: wrong, adjoint: wrongBack } = window.errors(scales)
  const least = norm(forward(adjoint(v))) / norm(v)
  // ‖A‖ ≥ |A Aᵀ v| / (‖A‖ |v|), so that a product clear of its errors bounds it from below
  const clear = Math.sqrt(Math.max(0, least)) * 0.5
  const rounding = outward(wrongBack + 2 * wrong)
  if (!(wrongBack <= clear && rounding <= 1e-3 * clear)) return null
  const processes = [0, 1].map(() => lanczos(gaussianVector(rows, random), rounding, false))
  let upper = Infinity
  for (let step = 1; step <= STEPS; step++) {
    for (const process of processes) {
      if (!process.exhausted) process.step(forward(adjoint(process.direction)))
    }
    const exhausted = processes.every((process) => process.exhausted)
    if (step < 6 && !exhausted) continue
    upper = Math.sqrt(upperBound(processes, options.failureProbability)) * (1 + 2 ** -50)
    const ritz = Math.sqrt(Math.max(...processes.map((process) => process.ritzValue)))
    if (exhausted || 1 - ritz / upper < WIDTH) break
  }
  const bound = upper * weightOf(sources, scales)
  return Number.isFinite(bound)
    ? { bound: outward(bound), failureProbability: options.failureProbability }
    : null
}

function lengthOf(slots: readonly number[], parts: readonly (Float64Array | null)[]): number {
  return Math.hypot(...slots.map((slot) => (parts[slot] ? norm(parts[slot]) : 0)))
}

function norm(x: Float64Array): number {
  let square = 0
  for (let i = 0; i < x.length; i++) square += x[i] * x[i]
  return Math.sqrt(square)
}
