import type { Layer, ModelReport, Report } from '../audit/report-schema.ts'
import { displayName } from './display-name.ts'
import { layerName } from './layer-name.ts'

type Cell = string | number | null

/** What one row tells of a layer, in the order of the columns. */
const columns: Record<string, (layer: Layer, model: ModelReport) => Cell> = {
  model: (_, model) => displayName(model.path, 1000),
  verdict: (_, model) => model.verdict,
  lipschitz_upper: (_, model) => model.lipschitz.upper.value,
  lipschitz_upper_log10: (_, model) => model.lipschitz.upper.log10,
  lipschitz_lower: (_, model) => model.lipschitz.lower?.value ?? null,
  rank: ({ rank }) => rank,
  order: ({ order }) => order,
  layer: (layer) => displayName(layerName(layer)),
  op: ({ op }) => displayName(op),
  kind: ({ kind }) => kind,
  weight: ({ weight }) => displayName(weight),
  shape: ({ shape }) => shape.join('x'),
  parameters: ({ parameters }) => parameters,
  weight_sha256: ({ weightSha256 }) => displayName(weightSha256),
  frobenius_weight: ({ frobenius }) => frobenius.weight,
  frobenius_operator: ({ frobenius }) => frobenius.operator,
  spectral_lower: ({ spectral }) => spectral.lower,
  spectral_upper: ({ spectral }) => spectral.upper,
  method: ({ spectral }) => displayName(spectral.method),
  certificate: ({ spectral }) => spectral.certificate,
  failure_probability: ({ spectral }) => spectral.failureProbability,
  stable_rank: ({ stableRank }) => stableRank,
  gain: ({ gain }) => gain,
  elasticity: ({ elasticity }) => elasticity,
  share: ({ share }) => share,
  perturbation: ({ perturbation }) => perturbation ?? null,
  regularizer_l2: ({ regularizer }) => regularizer?.l2 ?? null,
  regularizer_spectral: ({ regularizer }) => regularizer?.spectral ?? null,
  blamed_by: (layer, model) =>
    model.gates
      .filter((gate) => gate.layers?.includes(layerName(layer)))
      .map((gate) => displayName(gate.rule))
      .join(' '),
}

/**
 * A spreadsheet runs a text that begins like a formula; an apostrophe in front keeps it a text. Numbers are
 * written plain, absent values are empty.
 */
function quote(cell: Cell): string {
  if (cell === null) return ''
  if (typeof cell === 'number') return String(cell)
  const inert = /^\s*[=+\-@＝＋－＠|%]/.test(cell) ? `'${cell}` : cell
  return /[",\r\n;]/.test(inert) || inert !== inert.trim() ? `"${inert.replaceAll('"', '""')}"` : inert
}

/** RFC 4180: a header, then one row per layer by rank, lines ended by CRLF. Names are escaped as in the table. */
export function renderCsv(report: Report): string {
  const rows = report.models.flatMap((model) =>
    model.layers.map((layer) => Object.values(columns).map((cell) => quote(cell(layer, model)))),
  )
  return [Object.keys(columns), ...rows].map((row) => `${row.join(',')}\r\n`).join('')
}
