import type { LayerSpec } from '../ops/layer.ts'
import { estimateCost } from './cost.ts'
import type { LayerMeasurement, MeasureOptions } from './measurement.ts'
import { runAll } from './pool.ts'
import { identityOf, tasksOf } from './task.ts'

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
  const tasks = tasksOf(layers, options).map((task, index) => {
    const { key, spec } = layers[index]
    return { key, task, label: spec.weightName, identity: identityOf(task) }
  })
  const distinct = [...new Map(tasks.map((entry) => [entry.identity, entry])).values()]
    .map((entry) => ({ ...entry, cost: estimateCost(entry.task) }))
    .sort((a, b) => b.cost - a.cost)
  const results = await runAll(distinct, options.threads, options.onProgress)
  const byIdentity = new Map(distinct.map(({ identity }, index) => [identity, results[index]]))
  return new Map(tasks.map(({ key, identity }) => [key, byIdentity.get(identity) as LayerMeasurement]))
}
