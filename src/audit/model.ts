import { availableParallelism } from 'node:os'
import { boundNetwork, type LayerNorms } from '../bounds/network-bounds.ts'
import { select } from '../bounds/selection.ts'
import { usefulMerges } from '../bounds/useful-merges.ts'
import type { Value } from '../graph/graph.ts'
import { readModel } from '../graph/read-model.ts'
import { inferModel } from '../infer/infer.ts'
import { layersOf, type PlacedLayer } from '../infer/layers.ts'
import type { TypedGraph } from '../infer/typed-graph.ts'
import { measureLayers } from '../norms/measure.ts'
import { boxOf, describeDomain } from './domain.ts'
import { collectFindings } from './findings.ts'
import { type MeasuredLayer, rankLayers, regularizers } from './layers.ts'
import { describeLipschitz, describeTrace, trustIn } from './lipschitz.ts'
import { type AuditOptions, defaults } from './options.ts'
import type { ModelReport } from './report-schema.ts'

/** Relative error that computing a Frobenius norm may make, with room. */
const frobeniusError = 2 ** -30

/** Audits one model, from the file to its report, no gate judged yet. Throws `LipschitzError` for files that cannot be audited. */
export async function auditModel(path: string, options: AuditOptions): Promise<ModelReport> {
  const typed = inferModel(readModel(path), { inputShapes: options.inputShapes })
  const selection = { inputs: options.inputs ?? null, outputs: options.outputs ?? null }
  const box = boxOf(typed.graph.inputs, select(typed, selection), options.inputRanges)
  const merged = usefulMerges(typed, { ...selection, inputRanges: box })
  const placed = layersOf(typed)
  const measured = await measure(typed, [...placed, ...merged], options)
  const layers = measured.slice(0, placed.length)
  const bounds = boundNetwork(typed, normsOf(measured), { ...selection, inputRanges: box, merged })
  const trust = trustIn(measured)
  const lipschitz = describeLipschitz(bounds, trust, null)
  const rows = rankLayers(layers, bounds.elasticities)
  const { model, graph } = typed
  const { inputs, outputs } = bounds.selected
  return {
    path,
    verdict: 'none',
    sha256: model.sha256,
    bytes: model.bytes,
    irVersion: model.irVersion,
    opsets: Object.fromEntries(model.opsets),
    producer: model.producer,
    parameters: model.parameters,
    inputs: graph.inputs.map((input) => ({
      ...describeValue(typed, input),
      audited: inputs.includes(input),
    })),
    outputs: graph.outputs.map((output) => ({
      ...describeValue(typed, output),
      lipschitz: outputs.includes(output) ? describeLipschitz(bounds, trust, outputs.indexOf(output)) : null,
    })),
    norm: 'l2',
    domain: describeDomain(box),
    lipschitz,
    regularizers: regularizers(rows),
    layers: rows,
    findings: collectFindings({
      typed,
      layers,
      bounds,
      box,
      tolerance: options.tolerance ?? defaults.tolerance,
    }),
    gates: [],
    trace: describeTrace(bounds),
  }
}

async function measure(
  typed: TypedGraph,
  placed: readonly PlacedLayer[],
  options: AuditOptions,
): Promise<MeasuredLayer[]> {
  const { onProgress } = options
  const measurements = await measureLayers(placed, {
    tolerance: options.tolerance ?? defaults.tolerance,
    certify: options.certify ?? defaults.certify,
    seed: options.seed ?? defaults.seed,
    threads: options.threads ?? availableParallelism(),
    failureProbability: defaults.failureProbability,
    ...(onProgress === undefined
      ? {}
      : {
          onProgress: (done: number, total: number, label: string) =>
            onProgress({ model: typed.model.path, done, total, label }),
        }),
  })
  return placed.map((layer) => {
    const measurement = measurements.get(layer.key)
    if (measurement === undefined) throw new Error(`layer ${layer.key} was not measured`)
    return { placed: layer, measurement }
  })
}

/** Upper bounds by layer key, or the reason why there is none. */
function normsOf(layers: readonly MeasuredLayer[]): LayerNorms {
  const byKey = new Map(layers.map((layer) => [layer.placed.key, layer]))
  const find = (key: string) => {
    const layer = byKey.get(key)
    if (layer === undefined) throw new Error(`there is no layer ${key}`)
    return layer
  }
  return {
    spectral: (key) => {
      const { placed, measurement } = find(key)
      return measurement.spectral?.upper ?? `has a weight that is not finite ('${placed.spec.weightName}')`
    },
    frobenius: (key) => {
      const { operator } = find(key).measurement.frobenius
      return operator === null ? 'has an input whose size is not known' : operator * (1 + frobeniusError)
    },
  }
}

function describeValue(typed: TypedGraph, value: Value) {
  const { type, shape } = typed.operand(value)
  return { name: value.name, shape: shape === null ? null : [...shape], dtype: type }
}
