import { deterministic, type Enclosure } from '../core/enclosure.ts'
import { createRandom, gaussianVector } from '../core/random.ts'
import { allocateFloats, floatsAt, scoped } from './arena.ts'
import { certificationSlack, certifyGram } from './cholesky.ts'
import type { DenseMap, PlacedMatrix } from './dense-map.ts'
import { freeBound } from './free-bound.ts'
import { type Gram, gramMatrix, PACKED_DEPTH } from './gram.ts'
import { kernels, type Pointer } from './kernels.ts'
import { lanczos } from './lanczos.ts'
import type { Survey } from './survey.ts'

/** Relative gap above the estimate of λ that the first factorisation tries. */
const EXACT = 2 ** -40
/** Order up to which squaring beats Lanczos. */
const SQUARED = 128
const STEPS = 1000

/**
 * Encloses ‖A‖₂ with a deterministic certificate: the Gram matrix G of the smaller side, and a factorisation that
 * proves tI − G positive definite for a t barely above the estimate of λ_max(G). `known` is an enclosure that is
 * believed, not proven, to start from; without it the Lanczos process runs on G itself until it has converged.
 *
 * Cost: order²·length + order³/3 flops per attempt; one attempt is enough but for clusters of singular values.
 */
export function encloseByGram(
  matrix: PlacedMatrix,
  map: DenseMap,
  survey: Survey,
  known: { lower: number; upper: number } | null,
  seed: number,
): Enclosure {
  const gram = gramMatrix(matrix, survey.frobenius * (1 + 2 * survey.relativeError))
  return encloseFromGram(gram, matrix.columns < matrix.rows, map, survey, known, seed)
}

/** The same from a Gram matrix that is there: AᵀA where A is tall, else AAᵀ. */
export function encloseFromGram(
  gram: Gram,
  isTall: boolean,
  map: Pick<DenseMap, 'stretch' | 'stretchAdjoint'>,
  survey: Survey,
  known: { lower: number; upper: number } | null,
  seed: number,
): Enclosure {
  const free = freeBound(survey)
  let lower = known === null ? 0 : known.lower
  let estimate = lower * lower
  let gap = known === null ? EXACT : Math.max(EXACT, (known.upper / known.lower) ** 2 - 1)
  if (known === null) {
    const top = topEigenpair(gram, seed)
    lower = isTall ? map.stretch(top.vector) : map.stretchAdjoint(top.vector)
    estimate = top.value
  }
  if (free.upper - lower <= EXACT * free.upper) return deterministic(lower, free.upper, free.method)
  for (; gap < 1; gap *= 4) {
    const target = estimate * (1 + gap) + certificationSlack(gram, estimate)
    const proven = certifyGram(gram, target)
    if (proven === null) continue
    const upper = Math.sqrt(proven) * (1 + 2 ** -52)
    if (upper < free.upper) return deterministic(lower, upper, 'cholesky')
    break
  }
  return deterministic(lower, free.upper, free.method)
}

interface Eigenpair {
  readonly value: number
  readonly vector: Float64Array
}

/** The top eigenpair of the Gram matrix, nearly: no proof rests on it. */
function topEigenpair(gram: Gram, seed: number): Eigenpair {
  return scoped(() => (gram.order <= SQUARED ? eigenpairBySquaring(gram) : eigenpairByLanczos(gram, seed)))
}

/**
 * By squaring G, kept at trace 1, until it is of rank one: every square doubles the powers of the ratios of the
 * eigenvalues, 45 of them tell apart what float64 does. Few, short loops: Lanczos would take longer to get compiled.
 */
function eigenpairBySquaring({ order, pointer }: Gram): Eigenpair {
  const size = order * order
  const power = allocateFloats(size)
  const square = allocateFloats(size)
  const packed = allocateFloats((order + 3) * PACKED_DEPTH)
  floatsAt(power, size).set(floatsAt(pointer, size))
  normalise(order, floatsAt(power, size))
  for (let round = 0; round < 45; round++) {
    floatsAt(square, size).fill(0)
    kernels().gramF64(power, order, order, order, 1, square, packed)
    floatsAt(power, size).set(floatsAt(square, size))
    if (normalise(order, floatsAt(power, size)) > 1 - 1e-13) break
  }
  const columns = floatsAt(power, size)
  let largest = 0
  for (let i = 1; i < order; i++) {
    if (columns[i * order + i] > columns[largest * order + largest]) largest = i
  }
  const vector = columns.slice(largest * order, (largest + 1) * order)
  const image = productWith(pointer, order)(vector)
  let numerator = 0
  let denominator = 0
  for (let i = 0; i < order; i++) {
    numerator += vector[i] * image[i]
    denominator += vector[i] * vector[i]
  }
  return { value: numerator / denominator, vector }
}

/** Copies the lower triangle onto the upper one and scales to trace 1; returns what the trace was. */
function normalise(order: number, data: Float64Array): number {
  let trace = 0
  for (let i = 0; i < order; i++) trace += data[i * order + i]
  for (let i = 0; i < order; i++) {
    for (let j = 0; j <= i; j++) data[j * order + i] = data[i * order + j] /= trace
  }
  return trace
}

function eigenpairByLanczos({ order, pointer }: Gram, seed: number): Eigenpair {
  const multiply = productWith(pointer, order)
  const process = lanczos(gaussianVector(order, createRandom(seed)), 0, false)
  do process.step(multiply(process.direction))
  while (!process.exhausted && process.steps < STEPS && process.residual() > 1e-12 * process.ritzValue)
  const vector = new Float64Array(order)
  process.ritzVector(vector)
  return { value: process.ritzValue, vector }
}

/** Multiplication by a matrix in the arena; every call returns the same array. */
function productWith(pointer: Pointer, order: number): (v: Float64Array) => Float64Array {
  const input = allocateFloats(order)
  const output = allocateFloats(order)
  const product = new Float64Array(order)
  return (v) => {
    floatsAt(input, order).set(v)
    kernels().imageF64(pointer, order, order, input, output)
    product.set(floatsAt(output, order))
    return product
  }
}
