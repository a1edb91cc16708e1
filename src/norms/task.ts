import { hashText } from '../core/random.ts'
import type { LinearOperator } from '../linalg/linear-operator.ts'
import type { LayerSpec } from '../ops/layer.ts'
import { type Geometry, measureForm } from './form.ts'
import { copiesPerElement } from './geometry.ts'
import type { LayerMeasurement, MeasureOptions } from './measurement.ts'
import { bytesOf, hashOf, type WeightSource } from './source.ts'

/** One measurement, in a form that one thread can tell another. */
export interface LayerTask {
  readonly geometry: Geometry
  readonly copies: number | null
  readonly source: WeightSource
  readonly tolerance: number
  readonly certify: MeasureOptions['certify']
  readonly seed: number
  readonly failureProbability: number
}

/** Elements of the weights that an operator acts by; null where they are derived from the tensor. */
function weightCount(operator: LinearOperator): number | null {
  if (operator.form === 'matrix') return operator.rows * operator.columns * operator.blocks
  if (operator.form === 'diagonal') return null
  const taps = operator.kernel.reduce((product, size) => product * size, 1)
  return (operator.outChannels * operator.inChannels * taps) / operator.groups
}

/** The layer's weights as a run of the file, read by whoever measures them; folded weights are made here. */
function sourceOf(spec: LayerSpec): WeightSource {
  const { stored, operator } = spec
  if (stored !== null && stored.range !== null && stored.size === weightCount(operator)) {
    return { kind: 'stored', range: stored.range, type: stored.type, size: stored.size }
  }
  const data = operator.load()
  return { kind: 'folded', data, sha256: stored === null ? hashOf(bytesOf(data)) : stored.sha256() }
}

/** `layers`: the number of layers that share the failure probability. */
export function taskOf(spec: LayerSpec, layers: number, options: MeasureOptions): LayerTask {
  const { load: _load, ...geometry } = spec.operator
  return {
    geometry,
    copies: copiesPerElement(spec),
    source: sourceOf(spec),
    tolerance: options.tolerance,
    certify: options.certify,
    seed: options.seed,
    failureProbability: options.failureProbability / layers,
  }
}

/** Equal for tasks whose results are equal: the same weights at the same place, the same geometry. */
export function identityOf(task: LayerTask): string {
  const { source, geometry, copies } = task
  const weights = source.kind === 'stored' ? source.range : source.sha256
  return JSON.stringify([weights, geometry, copies])
}

/**
 * Takes the measurement. The random start depends on the seed, the weights and the geometry alone, so results are the
 * same in whatever order and thread.
 */
export function runTask(task: LayerTask): LayerMeasurement {
  const { geometry, source, copies, tolerance, certify, failureProbability } = task
  return measureForm(geometry, source, copies, (sha256) => ({
    tolerance,
    certify,
    seed: hashText(sha256 + JSON.stringify(geometry), hashText(String(task.seed))),
    failureProbability,
  }))
}
