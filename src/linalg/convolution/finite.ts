import type { Enclosure } from '../../core/enclosure.ts'
import { createRandom, gaussianVector } from '../../core/random.ts'
import { lanczos, upperBound } from '../lanczos.ts'
import type { NormOptions } from '../norm-options.ts'
import type { Kernel } from './kernel.ts'
import { placedConvolution } from './placed.ts'

/** Steps after which the best that is proven is given. */
const STEP_LIMIT = 300
/** Relative width at which nothing is left to gain. */
const FINEST = 2e-7

/**
 * Encloses the norm of the finite operator by Lanczos on TᵀT through the convolution itself, with the probabilistic
 * certificate of two independent random starts (see Lanczos). Stops at the tolerance; goes on to 2e-7 while the
 * steps taken are fewer than `cheapSteps`. With `certify: deterministic` the upper bound is infinite.
 */
export function encloseFinite(kernel: Kernel, options: NormOptions, cheapSteps: number): Enclosure {
  const map = placedConvolution(kernel)
  const random = createRandom(options.seed)
  const processes = [0, 1].map(() => lanczos(gaussianVector(map.columns, random), map.roundingError, false))
  const products = [0, 1].map(() => new Float64Array(map.columns))
  const probabilistic = options.certify === 'probabilistic'
  let upper = Infinity
  for (let step = 1; step <= STEP_LIMIT && processes.some((process) => !process.exhausted); step++) {
    map.applyPair(processes[0].direction, processes[1].direction, products[0], products[1])
    processes.forEach((process, i) => {
      if (!process.exhausted) process.step(products[i])
    })
    const goal = step < cheapSteps ? Math.min(FINEST, options.tolerance) : options.tolerance * 0.98
    if (probabilistic && step > 2) {
      const ritz = Math.max(...processes.map((process) => process.ritzValue))
      upper = Math.sqrt(upperBound(processes, options.failureProbability)) * (1 + 2 ** -50)
      if (1 - Math.sqrt(ritz) / upper <= goal) break
    } else if (
      !probabilistic &&
      processes.every((process) => process.residual() <= goal * process.ritzValue)
    ) {
      break
    }
  }
  const lower = Math.max(
    ...processes.map((process) => {
      process.ritzVector(products[0])
      return map.stretch(products[0])
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
