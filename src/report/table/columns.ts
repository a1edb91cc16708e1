import type { Gate, Layer } from '../../audit/report-schema.ts'
import { escapeText } from '../escape.ts'
import { layerName } from '../layer-name.ts'
import { formatEnclosure, formatNumber, formatPercent, formatProbability, formatShape } from '../numbers.ts'
import { cutMiddle } from '../text.ts'
import type { Style } from './style.ts'

export interface ColumnContext {
  readonly style: Style
  /** The gate on layers' spectral norms, if there is one. */
  readonly gate: Gate | null
  /** Above 0: what a full bar stands for. */
  readonly largestShare: number
}

/** One column of the table of layers. `cell` gives plain text, `paint` colours what was padded. */
export interface Column {
  readonly key: string
  readonly head: string
  readonly align: 'left' | 'right'
  /** Columns of low priority are dropped first where the terminal is narrow. */
  readonly priority: number
  /** A wider column that this one stands in for when that is dropped. */
  readonly insteadOf?: string
  /** Whether the column says anything of these layers; it always does unless given. */
  isUsed?(layers: readonly Layer[]): boolean
  cell(layer: Layer, context: ColumnContext): string
  paint?(text: string, layer: Layer, context: ColumnContext): string
}

const BAR_CELLS = 8
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

/** A bar of eighths of a cell, for a part of the largest part. */
export function bar(fraction: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, fraction)) * BAR_CELLS * 8)
  return ('█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8]).padEnd(BAR_CELLS)
}

/** Whether a layer's norm is beyond the limit (!), may be (?), or is not. */
function limitMark(layer: Layer, gate: Gate | null): '' | ' !' | ' ?' {
  if (!gate?.layers?.includes(layerName(layer))) return ''
  return layer.spectral.lower !== null && layer.spectral.lower > (gate.limit ?? Number.POSITIVE_INFINITY)
    ? ' !'
    : ' ?'
}

function paintSigma(text: string, layer: Layer, { style, gate }: ColumnContext): string {
  const mark = limitMark(layer, gate)
  return mark === ' !'
    ? style.bad(text)
    : mark === ' ?' || layer.spectral.unbounded
      ? style.doubt(text)
      : text
}

function certificateOf({ spectral }: Layer): string {
  if (spectral.certificate === null) return 'none'
  if (spectral.certificate === 'deterministic') return spectral.method
  return `${spectral.method}, p ${formatProbability(spectral.failureProbability ?? 0)}`
}

/** Left to right; the layer's name, which takes the room that is left, stands after the first. */
export const columns: readonly Column[] = [
  { key: 'rank', head: '#', align: 'right', priority: 100, cell: (layer) => String(layer.rank) },
  {
    key: 'op',
    head: 'op',
    align: 'left',
    priority: 50,
    cell: (layer) => cutMiddle(escapeText(layer.op).replace('Normalization', 'Norm'), 18),
  },
  {
    key: 'tensor',
    head: 'tensor',
    align: 'left',
    priority: 10,
    cell: (layer) => cutMiddle(escapeText(layer.weight), 26),
  },
  { key: 'shape', head: 'weight', align: 'right', priority: 60, cell: (layer) => formatShape(layer.shape) },
  {
    key: 'frobenius',
    head: '‖W‖F',
    align: 'right',
    priority: 30,
    cell: (layer) => formatNumber(layer.frobenius.weight),
  },
  {
    key: 'operator',
    head: '‖A‖F',
    align: 'right',
    priority: 32,
    cell: (layer) => formatNumber(layer.frobenius.operator),
  },
  {
    key: 'enclosure',
    head: '‖A‖₂',
    align: 'right',
    priority: 55,
    cell: (layer, { gate }) =>
      formatEnclosure(layer.spectral.lower, layer.spectral.upper) + limitMark(layer, gate),
    paint: paintSigma,
  },
  {
    key: 'upper',
    head: '‖A‖₂ ≤',
    align: 'right',
    priority: 90,
    insteadOf: 'enclosure',
    cell: (layer, { gate }) => {
      const { upper } = layer.spectral
      return (upper === null ? '∞' : formatNumber(upper, 'up')) + limitMark(layer, gate)
    },
    paint: paintSigma,
  },
  {
    key: 'stable-rank',
    head: 'st.rank',
    align: 'right',
    priority: 35,
    cell: (layer) => formatNumber(layer.stableRank, 'nearest', 4),
  },
  {
    key: 'gain',
    head: 'gain',
    align: 'right',
    priority: 65,
    cell: (layer) => formatNumber(layer.gain, 'nearest', 4),
  },
  {
    key: 'elasticity',
    head: 'elast.',
    align: 'right',
    priority: 40,
    cell: (layer) => (layer.elasticity === null ? '–' : layer.elasticity.toFixed(3)),
  },
  {
    key: 'perturbation',
    head: 'Δ of 1 %',
    align: 'right',
    priority: 45,
    isUsed: (layers) => layers.some(({ perturbation }) => perturbation != null),
    cell: (layer) => formatNumber(layer.perturbation ?? null, 'up', 4),
  },
  { key: 'share', head: 'share', align: 'right', priority: 80, cell: (layer) => formatPercent(layer.share) },
  {
    key: 'bar',
    head: '',
    align: 'left',
    priority: 52,
    cell: (layer, { largestShare }) => bar((layer.share ?? 0) / largestShare),
    paint: (text, _, { style }) => style.bar(text),
  },
  { key: 'certificate', head: 'proof', align: 'left', priority: 5, cell: certificateOf },
]
