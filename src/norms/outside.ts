import type { Enclosure } from '../core/enclosure.ts'
import type { FloatArray } from '../core/tensor.ts'
import { frobeniusNorm } from '../linalg/frobenius.ts'
import { firstNonFinite } from '../linalg/survey.ts'
import type { LayerMeasurement } from './measurement.ts'
import { isSingle, readWeights, sizeOf, type WeightSource } from './source.ts'

/** Memory outside the arena for weights that are worked on there; kept, since fresh memory is slow. */
let outside = new ArrayBuffer(0)

/** What is found of a linear map once its weights are in memory. */
export interface Found {
  readonly spectral: Enclosure
  /** Frobenius norm of the map. */
  readonly operator: number | null
}

/** A measurement for weights outside the arena. `recall` may know it once the checksum of the weights is known. */
export function measureOutside(
  source: WeightSource,
  recall: Recall,
  measure: (weights: FloatArray, sha256: string) => Found,
): LayerMeasurement {
  const size = sizeOf(source)
  const bytes = size * (isSingle(source) ? 4 : 8)
  if (outside.byteLength < bytes) outside = new ArrayBuffer(bytes)
  const weights = isSingle(source) ? new Float32Array(outside, 0, size) : new Float64Array(outside, 0, size)
  const weightSha256 = readWeights(source, weights)
  const known = recall(weightSha256)
  if (known !== null) return known
  const index = firstNonFinite(weights)
  if (index >= 0) return broken(index, weights[index], weightSha256)
  const { spectral, operator } = measure(weights, weightSha256)
  return { frobenius: { weight: frobeniusNorm(weights), operator }, spectral, weightSha256, nonFinite: null }
}

/** A measurement that an earlier run took of the same weights; null where there is none. */
export type Recall = (sha256: string) => LayerMeasurement | null

/** The measurement of weights that are not all finite. */
export function broken(index: number, value: number, weightSha256: string): LayerMeasurement {
  return {
    frobenius: { weight: Number.NaN, operator: null },
    spectral: null,
    weightSha256,
    nonFinite: { index, value: String(value) },
  }
}
