import { hashText } from '../core/random.ts'
import type { FloatArray } from '../core/tensor.ts'
import type { LinearOperator } from '../linalg/linear-operator.ts'
import type { ProductTeam } from '../linalg/slabs.ts'
import type { StoredTensor } from '../onnx/stored-tensor.ts'
import type { LayerSpec } from '../ops/layer.ts'
import { noCache, openCache } from './cache.ts'
import { measureForm } from './form.ts'
import { copiesPerElement, type Geometry } from './geometry.ts'
import type { LateSource, LayerTask } from './layer-task.ts'
import type { LayerMeasurement, MeasureOptions } from './measurement.ts'
import { bytesOf, hashOf, type WeightSource } from './source.ts'
import { surveyForm } from './survey-form.ts'

/** Bytes above which a matrix is read by blocks where nothing else is said: then a thread stays below a gigabyte. */
export const MATRIX_BYTES = 2 ** 29

/** What one thread brings to its tasks. */
export interface TaskOptions {
  readonly team?: ProductTeam
  /** Folder of finished measurements. */
  readonly cache?: string
  /** Bytes that the weights of a layer may take in memory; half a GiB by default. */
  readonly memory?: number
}

/** Elements of the weights that an operator acts by; null where they are derived from the tensor. */
function weightCount(operator: LinearOperator): number | null {
  if (operator.form === 'matrix') return operator.rows * operator.columns * operator.blocks
  if (operator.form === 'diagonal') return null
  const taps = operator.kernel.reduce((product, size) => product * size, 1)
  return (operator.outChannels * operator.inChannels * taps) / operator.groups
}

/** Bytes of folded weights that are kept at a time. */
const FOLDED_BUDGET = 1 << 27

/** Makes the tasks of layers, each with the failure probability of the options, one after another: folding the first weights can take long. */
export function* tasksOf(
  layers: readonly { readonly key: string; readonly spec: LayerSpec }[],
  options: MeasureOptions,
): Generator<LayerTask> {
  let folded = 0

  /** The layer's weights as a run of the file, read by whoever measures them; folded weights are made here. */
  function sourceOf(key: string, { stored, operator }: LayerSpec): WeightSource | LateSource {
    const count = weightCount(operator)
    if (stored !== null && stored.range !== null && stored.size === count) {
      return { kind: 'stored', range: stored.range, type: stored.type, size: stored.size }
    }
    folded += (count ?? 0) * 4
    if (folded > FOLDED_BUDGET) return { kind: 'late', load: operator.load, stored, key }
    return foldedSource(operator.load(), stored)
  }

  for (const { key, spec } of layers) {
    const { load: _load, ...geometry } = spec.operator
    yield {
      geometry,
      copies: copiesPerElement(spec),
      source: sourceOf(key, spec),
      tolerance: options.tolerance,
      certify: options.certify,
      seed: options.seed,
      failureProbability: options.failureProbability,
    }
  }
}

function foldedSource(data: FloatArray, stored: StoredTensor | null): WeightSource {
  return { kind: 'folded', data, sha256: stored === null ? hashOf(bytesOf(data)) : stored.sha256() }
}

/** Equal for tasks whose results are equal: the same weights at the same place, the same geometry. */
export function identityOf(task: LayerTask): string {
  const { source, geometry, copies } = task
  const weights =
    source.kind === 'stored' ? source.range : source.kind === 'folded' ? source.sha256 : [source.key]
  return JSON.stringify([weights, geometry, copies])
}

/**
 * Takes the measurement. The random start depends on the seed, the weights and the geometry alone, so results are the
 * same in whatever order and thread.
 */
export function runTask(task: LayerTask, options: TaskOptions = {}): LayerMeasurement {
  const { geometry, copies, tolerance, certify, failureProbability } = task
  const { team, memory = MATRIX_BYTES } = options
  const cache = options.cache === undefined ? noCache : openCache(options.cache)
  const source =
    task.source.kind === 'late' ? foldedSource(task.source.load(), task.source.stored) : task.source
  let recalled: LayerMeasurement | null = null
  const recall = (sha256: string) => {
    recalled = cache.recall({ ...task, source }, sha256)
    return recalled
  }
  if (task.isQuick) {
    const survey = surveyForm(geometry, source, { copies, recall, memory })
    return survey === recalled ? survey : surveyed(geometry, survey)
  }
  const optionsFor = (sha256: string) => ({
    tolerance,
    certify,
    seed: hashText(sha256 + JSON.stringify(geometry), hashText(String(task.seed))),
    failureProbability,
  })
  const measurement = measureForm(geometry, source, { copies, optionsFor, recall, memory, team })
  if (measurement !== recalled) cache.keep({ ...task, source }, measurement)
  return measurement
}

/** Marks a survey as what it is: to be measured better, but where a survey tells all. */
function surveyed({ form }: Geometry, measurement: LayerMeasurement): LayerMeasurement {
  return form === 'diagonal' || measurement.nonFinite !== null
    ? measurement
    : { ...measurement, unfinished: 'time-limit' }
}
