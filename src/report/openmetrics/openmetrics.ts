import type { Layer, ModelReport, Report } from '../../audit/report-schema.ts'
import { displayName } from '../display-name.ts'
import { layerName } from '../layer-name.ts'
import { distinctModels, modelName } from '../model-names.ts'
import type { RenderOptions } from '../renderer.ts'
import { type Family, formatFamilies } from './exposition.ts'

interface Named<T> {
  readonly labels: Readonly<Record<string, string>>
  readonly of: T
}

/** Each layer with its labels; where two are called alike, the place in the graph tells them apart. */
function nameLayers({ labels, of: { layers } }: Named<ModelReport>): Named<Layer>[] {
  const used = new Set<string>()
  return layers.map((layer) => {
    const name = displayName(layerName(layer))
    const unique = used.has(name) ? `${name}#${layer.order}` : name
    used.add(unique)
    return { labels: { ...labels, layer: unique, op: displayName(layer.op) }, of: layer }
  })
}

/** A gauge with one sample per item; null leaves the item out. */
function gauge<T>(
  name: string,
  help: string,
  items: readonly Named<T>[],
  value: (item: T) => number | null,
): Family {
  const samples = items.flatMap(({ labels, of }) => {
    const found = value(of)
    return found === null ? [] : [{ labels, value: found }]
  })
  return { name, help, samples }
}

/** Every item once for each part of it, told apart by one more label. */
function split<T, P>(
  items: readonly Named<T>[],
  label: string,
  parts: (item: T) => readonly (readonly [string, P])[],
): Named<P>[] {
  return items.flatMap(({ labels, of }) =>
    parts(of).map(([text, part]) => ({ labels: { ...labels, [label]: text }, of: part })),
  )
}

const verdicts = ['pass', 'fail', 'inconclusive'] as const
const levels = ['error', 'warning', 'note'] as const

/** A value that is proven nowhere is +Inf as an upper bound; one that is merely beyond float64 too, see its logarithm. */
function upperOf({ value }: ModelReport['lipschitz']['upper']): number {
  return value ?? Number.POSITIVE_INFINITY
}

/** Gauges of all models, layers and gates. The names and labels are in docs/formats/openmetrics.md. */
function families(report: Report, options: RenderOptions): Family[] {
  const models = distinctModels(report).map(
    (model): Named<ModelReport> => ({ labels: { model: modelName(model.path, options) }, of: model }),
  )
  const normed = models.map(({ labels, of }) => ({ labels: { ...labels, norm: of.norm }, of }))
  const layers = models.flatMap(nameLayers)
  const gates = split(models, 'rule', (model) =>
    model.gates.map((gate) => [displayName(gate.rule), gate] as const),
  )
  const errors = new Map(report.errors.map((error) => [error.path, error]))
  return [
    gauge(
      'lipschitz_tool',
      'Always 1; the version that wrote the report.',
      [{ labels: { version: displayName(report.tool.version) }, of: null }],
      () => 1,
    ),
    gauge(
      'lipschitz_bound',
      'Proven bounds on the Lipschitz constant; +Inf where there is no finite one.',
      split(normed, 'kind', ({ lipschitz: { upper, lower } }) => [
        ['upper', upperOf(upper)] as const,
        ...(lower?.value == null ? [] : [['lower', lower.value] as const]),
      ]),
      (value) => value,
    ),
    gauge(
      'lipschitz_bound_log10',
      'Decimal logarithm of the upper bound, where it is finite.',
      normed,
      (model) => model.lipschitz.upper.log10,
    ),
    gauge(
      'lipschitz_ladder',
      'Every upper bound that was computed.',
      split(normed, 'method', ({ lipschitz: { ladder } }) =>
        ladder.map((rung) => [displayName(rung.method), upperOf(rung)] as const),
      ),
      (value) => value,
    ),
    gauge(
      'lipschitz_offset',
      'The additive part of the bound, from quantisation.',
      normed,
      (model) => model.lipschitz.offset,
    ),
    gauge('lipschitz_parameters', 'Elements of all weights.', models, (model) => model.parameters),
    gauge('lipschitz_layers', 'Layers with constant weights.', models, (model) => model.layers.length),
    gauge(
      'lipschitz_regularizer',
      'Sums of squared norms over the layers.',
      split(models, 'kind', ({ regularizers: { l2, spectral } }) => [
        ['l2', l2],
        ['spectral', spectral],
      ]),
      (value) => value,
    ),
    gauge(
      'lipschitz_layer_norm',
      "Enclosure of the spectral norm of a layer's linear map; +Inf where unknown.",
      split(layers, 'kind', ({ spectral: { lower, upper } }) => [
        ['lower', lower] as const,
        ['upper', upper ?? Number.POSITIVE_INFINITY] as const,
      ]),
      (value) => value,
    ),
    gauge(
      'lipschitz_layer_gain',
      'The factor that a layer puts into the bound.',
      layers,
      (layer) => layer.gain,
    ),
    gauge(
      'lipschitz_layer_elasticity',
      'd log(bound) / d log(norm) of a layer.',
      layers,
      (layer) => layer.elasticity,
    ),
    gauge(
      'lipschitz_layer_share',
      'The part of the logarithm of the bound that a layer carries.',
      layers,
      (layer) => layer.share,
    ),
    gauge('lipschitz_gate_limit', 'Limits that are set.', gates, (gate) => gate.limit),
    gauge(
      'lipschitz_gate_verdict',
      '1 for the verdict of a gate, 0 for the others.',
      split(gates, 'verdict', (gate) =>
        verdicts.map((verdict) => [verdict, Number(verdict === gate.verdict)]),
      ),
      (value) => value,
    ),
    gauge(
      'lipschitz_findings',
      'Findings by level.',
      split(models, 'level', ({ findings }) =>
        levels.map((level) => [level, findings.filter((finding) => finding.level === level).length]),
      ),
      (value) => value,
    ),
    gauge(
      'lipschitz_model_error',
      '1 for a model that could not be audited.',
      Array.from(errors.values(), (error) => ({
        labels: { model: modelName(error.path, options), code: displayName(error.code) },
        of: null,
      })),
      () => 1,
    ),
  ]
}

/** For a scrape, or for the textfile collector of the node exporter. */
export function renderOpenmetrics(report: Report, options: RenderOptions): string {
  return formatFamilies(families(report, options))
}
