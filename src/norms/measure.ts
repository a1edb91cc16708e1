import { createHash } from 'node:crypto'
import type { Enclosure } from '../core/enclosure.ts'
import { hashText } from '../core/random.ts'
import type { FloatArray } from '../core/tensor.ts'
import { frobeniusNorm } from '../linalg/frobenius.ts'
import { firstNonFinite } from '../linalg/survey.ts'
import type { LayerSpec } from '../ops/layer.ts'
import { encloseOperator, operatorFrobenius } from './form.ts'
import { geometryKey } from './geometry.ts'
import type { LayerMeasurement, MeasureOptions } from './measurement.ts'

/** A layer under the key by which its measurement is asked for. */
export interface KeyedLayer {
  readonly key: string
  readonly spec: LayerSpec
}

/**
 * Measures every layer: Frobenius norms, an enclosure of the operator norm, and the checksum of the weights. Layers
 * with the same weights and geometry are measured once. Results depend on the weights, the geometry, the seed and
 * the number of layers alone, not on order, threads or names.
 */
export async function measureLayers(
  layers: readonly KeyedLayer[],
  options: MeasureOptions,
): Promise<Map<string, LayerMeasurement>> {
  const measured = new Map<string, LayerMeasurement>()
  const known = new Map<string, LayerMeasurement>()
  for (const [done, { key, spec }] of layers.entries()) {
    options.onProgress?.(done, layers.length, spec.weightName)
    const identity = `${checksum(spec)} ${geometryKey(spec)}`
    const measurement = known.get(identity) ?? measureLayer(spec, identity, layers.length, options)
    known.set(identity, measurement)
    measured.set(key, measurement)
  }
  options.onProgress?.(layers.length, layers.length, '')
  return measured
}

function checksum(spec: LayerSpec): string {
  if (spec.stored !== null) return spec.stored.sha256()
  const { buffer, byteOffset, byteLength } = spec.operator.load()
  return createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex')
}

function measureLayer(
  spec: LayerSpec,
  identity: string,
  layers: number,
  options: MeasureOptions,
): LayerMeasurement {
  const weightSha256 = identity.slice(0, identity.indexOf(' '))
  const weights = spec.operator.load()
  const broken = firstNonFinite(weights)
  if (broken >= 0) {
    const nonFinite = { index: broken, value: String(weights[broken]) }
    return { frobenius: { weight: Number.NaN, operator: null }, spectral: null, weightSha256, nonFinite }
  }
  const spectral: Enclosure = encloseOperator(spec.operator, weights, {
    tolerance: options.tolerance,
    certify: options.certify,
    seed: hashText(identity, hashText(String(options.seed))),
    failureProbability: options.failureProbability / layers,
  })
  const frobenius = {
    weight: frobeniusNorm(storedValues(spec, weights)),
    operator: operatorFrobenius(spec, weights),
  }
  return { frobenius, spectral, weightSha256, nonFinite: null }
}

/** The weights as stored: a diagonal operator's entries are derived from them. */
function storedValues(spec: LayerSpec, weights: FloatArray): FloatArray {
  return spec.operator.form === 'diagonal' && spec.stored !== null ? spec.stored.load().data : weights
}
