import { attempt, type StopReason } from '../core/stop.ts'
import type { LayerSpec } from '../ops/layer.ts'
import { estimateCost } from './cost.ts'
import type { LayerMeasurement, MeasureOptions } from './measurement.ts'
import { type CostedTask, runAll } from './pool.ts'
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
 *
 * Under a time limit all layers are surveyed first, one pass over the weights each: what is not enclosed in time has
 * the bounds of the survey, which are proven, too. What not even that was done for has none.
 */
export async function measureLayers(
  layers: readonly KeyedLayer[],
  options: MeasureOptions,
): Promise<Map<string, LayerMeasurement>> {
  const { stop, known, only } = options
  const tasks: { key: string; identity: string; work: CostedTask }[] = []
  await attempt(stop, () => {
    const missing = layers.filter(({ key }) => known?.has(key) !== true && only?.has(key) !== false)
    let index = 0
    for (const task of tasksOf(missing, {
      ...options,
      failureProbability: options.failureProbability / layers.length,
    })) {
      const { key, spec } = missing[index++]
      tasks.push({
        key,
        identity: identityOf(task),
        work: { task, label: spec.weightName, cost: estimateCost(task.geometry) },
      })
    }
  })
  const distinct = [...new Map(tasks.map(({ identity, work }) => [identity, work]))].sort(
    ([, a], [, b]) => b.cost - a.cost,
  )
  const works = distinct.map(([, work]) => work)
  const found = await measureAll(works, options)
  const reason = stop?.reason() ?? 'interrupted'
  const byIdentity = new Map(distinct.map(([identity], index) => [identity, found[index]]))
  const byKey = new Map(tasks.map(({ key, identity }) => [key, byIdentity.get(identity)]))
  const asked = layers.filter(({ key }) => only?.has(key) !== false)
  return new Map(asked.map(({ key }) => [key, known?.get(key) ?? byKey.get(key) ?? unmeasured(reason)]))
}

/** Surveys first, where there is a time limit, then measures what that did not settle. */
async function measureAll(
  works: readonly CostedTask[],
  options: MeasureOptions,
): Promise<(LayerMeasurement | undefined)[]> {
  const { stop, threads, cache, memory, workerFile, onWarning, onProgress } = options
  const shared = { stop, threads, cache, memory, workerFile, onWarning }
  const isLimited = stop !== undefined && stop.remaining() < Infinity
  const surveyed = isLimited ? await runAll(works.map(surveyOf), shared) : []
  const indexes = works
    .map((_, index) => index)
    .filter((index) => surveyed[index]?.unfinished !== undefined || surveyed[index] === undefined)

  const total = works.reduce((sum, { cost }) => sum + cost, 0)
  let done = works.length - indexes.length
  let spent = total - indexes.reduce((sum, index) => sum + works[index].cost, 0)
  const pending = indexes.map((index) => works[index])
  const measured = await runAll(pending, {
    ...shared,
    onFinish: (position) => {
      const { cost, label } = pending[position]
      spent += cost
      onProgress?.(++done, works.length, label, total === 0 ? 1 : spent / total)
    },
  })

  const results = [...surveyed]
  const reason = stop?.reason() ?? 'interrupted'
  for (const [position, index] of indexes.entries()) {
    const measurement = measured[position]
    const survey = surveyed[index]
    results[index] = measurement ?? (survey === undefined ? undefined : { ...survey, unfinished: reason })
  }
  return results
}

/** A pass over weights: reading, hashing, adding up. Nanoseconds per multiply-add pair of the full measurement. */
const SURVEY_SHARE = 0.1

function surveyOf({ task, label, cost }: CostedTask): CostedTask {
  return { task: { ...task, isQuick: true }, label, cost: cost * SURVEY_SHARE }
}

function unmeasured(unfinished: StopReason): LayerMeasurement {
  return {
    frobenius: { weight: Number.NaN, operator: null },
    spectral: null,
    weightSha256: '',
    nonFinite: null,
    unfinished,
  }
}
