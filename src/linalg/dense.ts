import { type Enclosure, exactly } from '../core/enclosure.ts'
import { createRandom, gaussianVector } from '../core/random.ts'
import { mulDown, mulUp } from '../core/rounding.ts'
import type { FloatArray } from '../core/tensor.ts'
import { certificationSlack, certifyGram } from './cholesky.ts'
import { type DenseMap, denseMap } from './dense-map.ts'
import { type Gram, gramMatrix } from './gram.ts'
import { lanczos, upperBound } from './lanczos.ts'
import type { NormOptions } from './norm-options.ts'
import { largestMagnitude, powerOfTwoBelow, type Survey, surveyMatrix } from './survey.ts'

/** A dense matrix in memory, rows × columns, row-major; every element finite. */
export interface Matrix {
  readonly rows: number
  readonly columns: number
  readonly data: FloatArray
}

/** Relative width that is good enough to stop for where steps are still cheap. */
const FINE = 1e-6
/** Relative width that the deterministic certificate is aimed at. */
const EXACT = 2 ** -40
/** Multiply-adds that a Gram matrix and its factorisation may cost to be the default. */
const GRAM_BUDGET = 4e7
/** Largest side that is ever factorised: its two matrices take 2.3 GB. */
const GRAM_LIMIT = 12_000
/** Steps after which the best that is proven is given. */
const LANCZOS_LIMIT = 400

/**
 * Encloses ‖A‖₂. The cheapest certificate that meets the tolerance is chosen:
 *
 * - exact: the zero matrix, and a single row or column, whose norm is its Frobenius norm;
 * - 'frobenius' and 'holder': the free bounds ‖A‖_F and √(‖A‖₁‖A‖_∞) where they meet the lower bound;
 * - 'cholesky': deterministic, Gram matrix of the smaller side and a verified factorisation (see certifyGram);
 * - 'lanczos': probabilistic, the a-posteriori bound of the Lanczos process (see Lanczos).
 *
 * The lower bound is always ‖Av‖/‖v‖ for the Ritz vector v, rounding accounted for. Cost: min(m,n)²·max(m,n) flops
 * for 'cholesky'; one pass over A per step for 'lanczos', 13 to 25 steps for trained weights at 1e-3.
 */
export function encloseMatrix(matrix: Matrix, options: NormOptions): Enclosure {
  const largest = largestMagnitude(matrix.data)
  if (largest === 0) return exactly(0, 'zero')
  if (largest > 2 ** -400 && largest < 2 ** 400) return encloseScaled(matrix, options)
  const unit = powerOfTwoBelow(largest)
  const scaled = { ...matrix, data: Float64Array.from(matrix.data, (value) => value / unit) }
  return scaleEnclosure(encloseScaled(scaled, options), unit)
}

/** The enclosure of |factor| times the operator, rounded outward. */
export function scaleEnclosure(enclosure: Enclosure, factor: number): Enclosure {
  const size = Math.abs(factor)
  if (size === 1) return enclosure
  return { ...enclosure, lower: mulDown(enclosure.lower, size), upper: mulUp(enclosure.upper, size) }
}

function encloseScaled(matrix: Matrix, options: NormOptions): Enclosure {
  const { rows, columns, data } = matrix
  const survey = surveyMatrix(rows, columns, data)
  const error = 2 * survey.relativeError
  if (rows === 1 || columns === 1) return exactly(survey.frobenius, 'exact', error)
  const frobenius = survey.frobenius * (1 + error)
  const map = denseMap(rows, columns, data, frobenius)
  const order = Math.min(rows, columns)
  const work = order * order * Math.max(rows, columns) * 0.5 + order ** 3 / 6
  const small = work <= GRAM_BUDGET
  if (small || (options.certify === 'deterministic' && order <= GRAM_LIMIT)) {
    const certified = encloseByGram(matrix, map, survey, options)
    if (certified !== null) return certified
  }
  return encloseByLanczos(matrix, map, survey, options)
}

/** The free deterministic bounds, the lesser of them. */
function freeBound(survey: Survey): { upper: number; method: string } {
  const frobenius = survey.frobenius * (1 + 2 * survey.relativeError)
  return survey.holder <= frobenius
    ? { upper: survey.holder, method: 'holder' }
    : { upper: frobenius, method: 'frobenius' }
}

function deterministic(lower: number, upper: number, method: string): Enclosure {
  return { lower: Math.min(lower, upper), upper, method, certificate: 'deterministic', failureProbability: 0 }
}

function encloseByGram(
  matrix: Matrix,
  map: DenseMap,
  survey: Survey,
  options: NormOptions,
): Enclosure | null {
  const { rows, columns, data } = matrix
  const gram = gramMatrix(rows, columns, data, survey.frobenius * (1 + 2 * survey.relativeError))
  const vector = topVector(gram, options.seed)
  const lower = map.stretch(columns < rows ? vector : adjointImage(matrix, vector))
  const free = freeBound(survey)
  if (free.upper - lower <= EXACT * free.upper) return deterministic(lower, free.upper, free.method)
  const work = new Float64Array(gram.order * gram.order)
  const estimate = rayleighQuotient(gram, vector)
  for (let gap = EXACT; gap < 1; gap *= 4) {
    const target = estimate * (1 + gap) + certificationSlack(gram, estimate)
    const proven = certifyGram(gram, target, work)
    if (proven === null) continue
    const upper = Math.sqrt(proven) * (1 + 2 ** -52)
    if (upper >= free.upper) break
    return deterministic(lower, upper, 'cholesky')
  }
  return deterministic(lower, free.upper, free.method)
}

function multiplyGram(gram: Gram, v: Float64Array, z: Float64Array): void {
  const { order, data } = gram
  for (let i = 0; i < order; i++) {
    let even = 0
    let odd = 0
    const row = i * order
    const paired = order & ~1
    for (let j = 0; j < paired; j += 2) {
      even += data[row + j] * v[j]
      odd += data[row + j + 1] * v[j + 1]
    }
    z[i] = paired < order ? even + odd + data[row + paired] * v[paired] : even + odd
  }
}

/** A vector close to the top eigenvector of the Gram matrix: an estimate, no proof rests on it. */
function topVector(gram: Gram, seed: number): Float64Array {
  const process = lanczos(gaussianVector(gram.order, createRandom(seed)), 0)
  const product = new Float64Array(gram.order)
  do {
    multiplyGram(gram, process.direction, product)
    process.step(product)
  } while (!process.exhausted && process.residual() > 1e-12 * process.ritzValue)
  process.ritzVector(product)
  return product
}

function rayleighQuotient(gram: Gram, v: Float64Array): number {
  const image = new Float64Array(gram.order)
  multiplyGram(gram, v, image)
  let numerator = 0
  let denominator = 0
  for (let i = 0; i < v.length; i++) {
    numerator += v[i] * image[i]
    denominator += v[i] * v[i]
  }
  return numerator / denominator
}

/** Aᵀu: carries a left singular vector to the right one. */
function adjointImage(matrix: Matrix, u: Float64Array): Float64Array {
  const { rows, columns, data } = matrix
  const image = new Float64Array(columns)
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) image[j] += u[i] * data[i * columns + j]
  }
  return image
}

function encloseByLanczos(matrix: Matrix, map: DenseMap, survey: Survey, options: NormOptions): Enclosure {
  const { columns } = matrix
  const random = createRandom(options.seed)
  const processes = [0, 1].map(() => lanczos(gaussianVector(columns, random), map.roundingError, false))
  const product = new Float64Array(columns)
  const free = freeBound(survey)
  const probabilistic = options.certify === 'probabilistic'
  const goal = Math.min(FINE, options.tolerance)
  const trend = widthTrend(options.tolerance, goal)
  let upper = free.upper
  for (let steps = 1; steps <= LANCZOS_LIMIT; steps++) {
    for (const process of processes) {
      if (process.exhausted) continue
      map.apply(process.direction, product)
      process.step(product)
    }
    if (processes.every((process) => process.exhausted)) break
    if (probabilistic && steps > 2) {
      upper = Math.sqrt(upperBound(processes, options.failureProbability)) * (1 + 2 ** -50)
    }
    const ritz = Math.sqrt(Math.max(...processes.map((process) => process.ritzValue)))
    if (trend.enough(steps, 1 - ritz / Math.min(upper, free.upper))) break
  }
  if (probabilistic) upper = Math.sqrt(upperBound(processes, options.failureProbability)) * (1 + 2 ** -50)

  const lower = Math.max(
    ...processes.map((process) => {
      process.ritzVector(product)
      return map.stretch(product)
    }),
  )
  if (free.upper <= upper || free.upper - lower <= goal * free.upper) {
    return deterministic(lower, free.upper, free.method)
  }
  return {
    lower: Math.min(lower, upper),
    upper,
    method: 'lanczos',
    certificate: 'probabilistic',
    failureProbability: options.failureProbability,
  }
}

/**
 * Decides when to stop: at the tolerance, unless the trend of the widths says that the goal is met within twice the
 * steps that the tolerance took.
 */
function widthTrend(tolerance: number, goal: number): { enough(steps: number, width: number): boolean } {
  let reached = 0
  const history: number[] = []
  return {
    enough(steps, width) {
      history.push(Math.log(Math.max(width, 1e-300)))
      if (width <= goal) return true
      if (width > tolerance) return false
      if (reached === 0) reached = steps
      const span = Math.min(5, history.length - 1)
      if (span < 2) return false
      const slope = (history[history.length - 1] - history[history.length - 1 - span]) / span
      const remaining = slope < 0 ? (Math.log(goal) - history[history.length - 1]) / slope : Infinity
      return steps + remaining > 2 * reached
    },
  }
}
