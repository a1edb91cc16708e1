import type { Enclosure } from '../core/enclosure.ts'
import { createRandom, gaussianVector } from '../core/random.ts'
import { allocateFloats, floatsAt } from './arena.ts'
import { certificationSlack, certifyGram } from './cholesky.ts'
import { deterministic, freeBound } from './dense.ts'
import type { DenseMap, PlacedMatrix } from './dense-map.ts'
import { type Gram, gramMatrix } from './gram.ts'
import { kernels } from './kernels.ts'
import { lanczos } from './lanczos.ts'
import type { Survey } from './survey.ts'

/** Relative gap above the estimate of λ that the first factorisation tries. */
const EXACT = 2 ** -40
/** Order up to which reorthogonalisation costs nothing to speak of, and keeps the Lanczos process short. */
const REORTHOGONALISED = 64
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
  const { rows, columns } = matrix
  const gram = gramMatrix(matrix, survey.frobenius * (1 + 2 * survey.relativeError))
  const free = freeBound(survey)
  let lower = known === null ? 0 : known.lower
  let estimate = lower * lower
  let gap = known === null ? EXACT : Math.max(EXACT, (known.upper / known.lower) ** 2 - 1)
  if (known === null) {
    const top = topEigenpair(gram, seed)
    lower = columns < rows ? map.stretch(top.vector) : map.stretchAdjoint(top.vector)
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

/** The top eigenpair of the Gram matrix, nearly: no proof rests on it. */
function topEigenpair(gram: Gram, seed: number): { value: number; vector: Float64Array } {
  const { order, pointer } = gram
  const input = allocateFloats(order)
  const output = allocateFloats(order)
  const process = lanczos(gaussianVector(order, createRandom(seed)), 0, order <= REORTHOGONALISED)
  const product = new Float64Array(order)
  do {
    floatsAt(input, order).set(process.direction)
    kernels().imageF64(pointer, order, order, input, output)
    product.set(floatsAt(output, order))
    process.step(product)
  } while (!process.exhausted && process.steps < STEPS && process.residual() > 1e-12 * process.ritzValue)
  process.ritzVector(product)
  return { value: process.ritzValue, vector: product }
}
