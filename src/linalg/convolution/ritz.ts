import { lanczos } from '../lanczos.ts'

/** An eigenvalue estimate from below (but for rounding) and its unit vector. No proof rests on either. */
export interface RitzPair {
  readonly value: number
  readonly vector: Float64Array
}

/** The largest Ritz pair of a positive semidefinite map after at most `steps` Lanczos steps from `start`. */
export function ritzPair(
  apply: (v: Float64Array, z: Float64Array) => void,
  start: Float64Array,
  steps: number,
  accuracy = 0,
): RitzPair {
  const process = lanczos(start, 0, false)
  const product = new Float64Array(start.length)
  for (let step = 0; step < steps && !process.exhausted; step++) {
    apply(process.direction, product)
    process.step(product)
    if (accuracy > 0 && process.residual() <= accuracy * process.ritzValue) break
  }
  process.ritzVector(product)
  return { value: process.ritzValue, vector: product }
}
