import type { Enclosure } from '../../core/enclosure.ts'
import { createRandom, gaussianVector } from '../../core/random.ts'
import { lanczos, upperBound } from '../lanczos.ts'
import type { LinearMap } from '../linear-map.ts'
import type { NormOptions } from '../norm-options.ts'
import { directConvolution, directRoundingError } from './direct.ts'
import type { Kernel } from './kernel.ts'

/** Steps after which the best that is proven is given. */
const STEP_LIMIT = 300
/** Relative width at which nothing is left to gain. */
const FINEST = 1e-9

/**
 * Encloses the norm of the finite operator by Lanczos on TᵀT through the convolution itself, with the probabilistic
 * certificate of two independent random starts (see Lanczos). Stops at the tolerance; goes on to 1e-9 while the
 * steps taken are fewer than `cheapSteps`. With `certify: deterministic` the upper bound is infinite.
 */
export function encloseFinite(kernel: Kernel, options: NormOptions, cheapSteps: number): Enclosure {
  const map = directConvolution(kernel)
  const image = new Float64Array(map.rows)
  const roundingError = directRoundingError(kernel)
  const random = createRandom(options.seed)
  const processes = [0, 1].map(() => lanczos(gaussianVector(map.columns, random), roundingError))
  const product = new Float64Array(map.columns)
  const probabilistic = options.certify === 'probabilistic'
  let upper = Infinity
  for (let step = 1; step <= STEP_LIMIT; step++) {
    for (const process of processes) {
      if (process.exhausted) continue
      map.apply(process.direction, image)
      map.applyAdjoint(image, product)
      process.step(product)
    }
    const exhausted = processes.every((process) => process.exhausted)
    const ritz = Math.max(...processes.map((process) => process.ritzValue))
    const goal = step < cheapSteps ? Math.min(FINEST, options.tolerance) : options.tolerance * 0.98
    if (probabilistic && step > 2) {
      upper = Math.sqrt(upperBound(processes, options.failureProbability)) * (1 + 2 ** -50)
      if (1 - Math.sqrt(ritz) / upper <= goal) break
    } else if (
      !probabilistic &&
      processes.every((process) => process.residual() <= goal * process.ritzValue)
    ) {
      break
    }
    if (exhausted) break
  }
  const lower = Math.max(
    ...processes.map((process) => {
      process.ritzVector(product)
      return stretch(map, product, image, roundingError)
    }),
  )
  return {
    lower: Math.min(lower, upper),
    upper,
    method: 'lanczos',
    certificate: 'probabilistic',
    failureProbability: options.failureProbability,
  }
}

/** A proven lower bound on ‖T‖: ‖Tv‖/‖v‖ with the rounding of both taken off. */
function stretch(map: LinearMap, v: Float64Array, image: Float64Array, roundingError: number): number {
  map.apply(v, image)
  const length = norm(v)
  const slack = (map.rows + map.columns + 8) * 2 ** -53
  return Math.max(0, (norm(image) / length) * (1 - 2 * slack) - roundingError * (1 + 2 * slack))
}

function norm(x: Float64Array): number {
  let squares = 0
  for (let i = 0; i < x.length; i++) squares += x[i] * x[i]
  return Math.sqrt(squares)
}
