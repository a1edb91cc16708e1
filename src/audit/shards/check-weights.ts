import { LipschitzError } from '../../core/errors.ts'
import type { TypedGraph } from '../../infer/typed-graph.ts'
import type { KeyedLayer } from '../../norms/measure.ts'
import type { LayerMeasurement } from '../../norms/measurement.ts'
import { bytesOf, hashOf } from '../../norms/source.ts'
import type { StoredTensor } from '../../onnx/stored-tensor.ts'

/** Whether the tensor stands in a file beside the model, of which the model's own checksum says nothing. */
function isOutside(tensor: StoredTensor | null): boolean {
  return tensor !== null && tensor.payload === null && tensor.range !== null
}

/**
 * Makes sure that the weights outside of the model file are still those that the shards have measured, by the checksums
 * of the bytes that they read. Cost: one reading of these weights; none for a model that is one file.
 * @throws LipschitzError malformed
 */
export function checkWeights(
  typed: TypedGraph,
  layers: readonly KeyedLayer[],
  measurements: ReadonlyMap<string, LayerMeasurement>,
): void {
  const { initializers } = typed.graph
  const hasOutside = initializers.some(({ stored }) => isOutside(stored))
  const known = new Map<string, string>()
  const hashOfStored = (tensor: StoredTensor) => {
    const place = JSON.stringify(tensor.range)
    const hash = known.get(place) ?? tensor.sha256()
    known.set(place, hash)
    return hash
  }
  for (const { key, spec } of layers) {
    const told = measurements.get(key)?.weightSha256 ?? ''
    const { stored } = spec
    // what was not measured in time has no checksum; weights that are computed have one where they may come from outside
    if (told === '' || !(isOutside(stored) || (stored === null && hasOutside))) continue
    const found = stored === null ? hashOf(bytesOf(spec.operator.load())) : hashOfStored(stored)
    if (found !== told)
      throw new LipschitzError('malformed', `the weights are not those that a shard has measured`, {
        tensor: spec.weightName,
        hint: 'merge where the shards ran, or run them anew',
      })
  }
}
