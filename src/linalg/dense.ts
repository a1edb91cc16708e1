import { deterministic, type Enclosure, exactly } from '../core/enclosure.ts'
import { createRandom, gaussianVector } from '../core/random.ts'
import { mulDown, mulUp } from '../core/rounding.ts'
import type { FloatArray } from '../core/tensor.ts'
import { allocateFloats, floatsAt, place, scoped } from './arena.ts'
import { type DenseMap, denseMap, type PlacedMatrix } from './dense-map.ts'
import { type FreeBound, freeBound } from './free-bound.ts'
import { encloseByGram } from './gram-enclosure.ts'
import { lanczos, upperBound } from './lanczos.ts'
import type { NormOptions } from './norm-options.ts'
import { powerOfTwoBelow, type Survey, surveyMatrix } from './survey.ts'

/** A dense matrix, rows × columns, row-major; every element finite. */
export interface Matrix {
  readonly rows: number
  readonly columns: number
  readonly data: FloatArray
}

/** Relative width that is good enough to stop for where steps are still cheap. */
const FINE = 1e-6
/** Multiply-adds that a Gram matrix and its factorisation may cost to be the default. */
const GRAM_BUDGET = 6e7
/** Smaller side up to which the Gram matrix costs no more than a dozen passes over A, however long the other is. */
const GRAM_ORDER = 128
/** Largest side that is ever factorised: its two matrices take 2.3 GB. */
const GRAM_LIMIT = 12_000
/** Steps after which the best that is proven is given. */
const LANCZOS_LIMIT = 400

/**
 * Encloses ‖A‖₂. The cheapest certificate that meets the tolerance is chosen:
 *
 * - exact: the zero matrix, and a single row or column, whose norm is its Frobenius norm;
 * - 'frobenius' and 'holder': the free bounds ‖A‖_F and √(‖A‖₁‖A‖_∞) where they meet the lower bound;
 * - 'cholesky': deterministic, Gram matrix of the smaller side and a verified factorisation (gram-enclosure.ts);
 * - 'lanczos': probabilistic, the a-posteriori bound of two Lanczos processes (lanczos.ts).
 *
 * The lower bound is always ‖Av‖/‖v‖ for a Ritz vector v, rounding accounted for. Cost: min(m,n)²·max(m,n) flops
 * for 'cholesky'; one pass over A per step for 'lanczos', 8 to 20 steps for trained weights.
 */
export function encloseMatrix(matrix: Matrix, options: NormOptions): Enclosure {
  return scoped(() => {
    const { rows, columns, data } = matrix
    return enclosePlaced(
      { rows, columns, pointer: place(data), single: data instanceof Float32Array },
      options,
    )
  })
}

/** `encloseMatrix` for a matrix in the arena. */
export function enclosePlaced(
  matrix: PlacedMatrix,
  options: NormOptions,
  survey: Survey = surveyMatrix(matrix),
): Enclosure {
  const { largest } = survey
  if (largest === 0) return exactly(0, 'zero')
  if (largest > 2 ** -400 && largest < 2 ** 400) return scoped(() => encloseSurveyed(matrix, survey, options))
  return scoped(() => {
    const unit = powerOfTwoBelow(largest)
    const count = matrix.rows * matrix.columns
    const pointer = allocateFloats(count)
    const source = floatsAt(matrix.pointer, count)
    floatsAt(pointer, count).set(source.map((value) => value / unit))
    const scaled = { ...matrix, pointer, team: undefined }
    return scaleEnclosure(encloseSurveyed(scaled, surveyMatrix(scaled), options), unit)
  })
}

/** The enclosure of |factor| times the operator, rounded outward. */
export function scaleEnclosure(enclosure: Enclosure, factor: number): Enclosure {
  const size = Math.abs(factor)
  if (size === 1) return enclosure
  return { ...enclosure, lower: mulDown(enclosure.lower, size), upper: mulUp(enclosure.upper, size) }
}

function encloseSurveyed(matrix: PlacedMatrix, survey: Survey, options: NormOptions): Enclosure {
  const { rows, columns } = matrix
  if (rows === 1 || columns === 1) return exactly(survey.frobenius, 'exact', 2 * survey.relativeError)
  const map = denseMap(matrix, survey.frobenius * (1 + 2 * survey.relativeError))
  const order = Math.min(rows, columns)
  const work = (order * order * Math.max(rows, columns)) / 2 + order ** 3 / 6
  const forced = options.certify === 'deterministic' && order <= GRAM_LIMIT
  if (work <= GRAM_BUDGET || order <= GRAM_ORDER)
    return encloseByGram(matrix, map, survey, null, options.seed)
  const free = freeBound(survey)
  const found = runLanczos(columns, map, free.upper, options)
  if (forced && !meetsFree(found, free)) return encloseByGram(matrix, map, survey, found, options.seed)
  return concludeLanczos(found, free, options)
}

interface Bounds {
  readonly lower: number
  readonly upper: number
}

/** Whether a free bound is as good as what Lanczos processes prove. */
export function meetsFree({ lower, upper }: Bounds, free: FreeBound): boolean {
  return free.upper <= upper || free.upper - lower <= FINE * free.upper
}

/** The enclosure by Lanczos processes, or by the free bound where that is as good or the only proof that is wanted. */
export function concludeLanczos(found: Bounds, free: FreeBound, options: NormOptions): Enclosure {
  const { lower, upper } = found
  // a lower bound above it says that the random start was the rare one for which the certificate is wrong
  const refuted = lower > upper
  if (refuted || options.certify === 'deterministic' || meetsFree(found, free))
    return deterministic(lower, free.upper, free.method)
  return {
    lower,
    upper,
    method: 'lanczos',
    certificate: 'probabilistic',
    failureProbability: options.failureProbability,
  }
}

/** Two Lanczos processes that share each pass over A, until the width is what it should be. */
export function runLanczos(
  columns: number,
  map: DenseMap,
  free: number,
  options: NormOptions,
): { lower: number; upper: number } {
  const random = createRandom(options.seed)
  const start = () => lanczos(gaussianVector(columns, random), map.roundingError, false)
  const processes = [start(), start()]
  const products = [new Float64Array(columns), new Float64Array(columns)]
  const enough = widthTrend(options.tolerance, Math.min(FINE, options.tolerance))
  const prove = () => Math.sqrt(upperBound(processes, options.failureProbability)) * (1 + 2 ** -50)
  let upper = Infinity
  for (let steps = 1; steps <= LANCZOS_LIMIT; steps++) {
    map.applyPair(processes[0].direction, processes[1].direction, products[0], products[1])
    processes.forEach((process, index) => {
      if (!process.exhausted) process.step(products[index])
    })
    const exhausted = processes.every((process) => process.exhausted)
    if (steps < 3 && !exhausted) continue
    upper = prove()
    const ritz = Math.sqrt(Math.max(...processes.map((process) => process.ritzValue)))
    if (exhausted || enough(steps, 1 - ritz / Math.min(upper, free))) break
  }
  const best = processes[1].ritzValue > processes[0].ritzValue ? processes[1] : processes[0]
  best.ritzVector(products[0])
  const lower = map.stretch(products[0])
  return { lower, upper }
}

/**
 * Decides when to stop: at the tolerance, unless the trend of the widths says that the goal is met within twice the
 * steps that the tolerance took.
 */
function widthTrend(tolerance: number, goal: number): (steps: number, width: number) => boolean {
  let reached = 0
  const history: number[] = []
  return (steps, width) => {
    history.push(Math.log(Math.max(width, 1e-300)))
    if (width <= goal) return true
    if (width > tolerance) return false
    if (reached === 0) reached = steps
    const span = Math.min(5, history.length - 1)
    if (span < 2) return false
    const slope = (history[history.length - 1] - history[history.length - 1 - span]) / span
    const remaining = slope < 0 ? (Math.log(goal) - history[history.length - 1]) / slope : Infinity
    return steps + remaining > 2 * reached
  }
}
