/** Bounds of a model in a file or of a model that a test describes, with measured norms. */
import {
  type BoundOptions,
  boundNetwork,
  type NetworkBounds,
  type Rung,
} from '../../src/bounds/network-bounds.ts'
import { usefulMerges } from '../../src/bounds/useful-merges.ts'
import * as mag from '../../src/core/magnitude.ts'
import { readModel } from '../../src/graph/read-model.ts'
import { inferModel } from '../../src/infer/infer.ts'
import { layersOf } from '../../src/infer/layers.ts'
import { measureLayers } from '../../src/norms/measure.ts'
import type { TensorBound } from '../../src/ops/bound.ts'
import { type ModelSpec, model, writeTemporary } from './onnx-builder.ts'

export async function boundFile(
  path: string,
  options: Partial<BoundOptions> = {},
  tolerance = 1e-6,
): Promise<NetworkBounds> {
  const typed = inferModel(readModel(path))
  const merged = usefulMerges(typed, { inputs: null, outputs: null, ...options })
  const layers = [...layersOf(typed), ...merged]
  const norms = await measureLayers(layers, {
    tolerance,
    certify: 'probabilistic',
    seed: 1,
    threads: 1,
    failureProbability: 1e-10,
  })
  return boundNetwork(
    typed,
    {
      spectral: (key) => norms.get(key)?.spectral?.upper ?? 'has a weight that is not finite',
      frobenius: (key) => norms.get(key)?.frobenius.operator ?? 'has a size that is not known',
    },
    { inputs: null, outputs: null, merged, ...options },
  )
}

export function boundModel(spec: ModelSpec, options: Partial<BoundOptions> = {}): Promise<NetworkBounds> {
  return boundFile(writeTemporary(model(spec)), options)
}

export function rungOf(bounds: NetworkBounds, method: Rung['method']): TensorBound {
  const rung = bounds.ladder.find((candidate) => candidate.method === method)
  if (rung === undefined) throw new Error(`there is no rung ${method}`)
  return rung.joint
}

/** The constant as a number; Infinity where it is refused. */
export function constantOf({ lipschitz, refusal }: TensorBound): number {
  return refusal === null ? mag.toNumber(lipschitz.value) : Number.POSITIVE_INFINITY
}

export const bestOf = (bounds: NetworkBounds) => constantOf(bounds.best.joint)
