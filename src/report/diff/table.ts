import type { Diff, ModelDiff } from '../../audit/diff/diff-schema.ts'
import { displayMessage, displayName } from '../display-name.ts'
import { drawRows } from '../table/grid.ts'
import { makeStyle, type Style, verdictMark } from '../table/style.ts'
import { widest } from '../text.ts'
import {
  describeBounds,
  describeCounts,
  describeOutputGate,
  describeOutputs,
  layerColumns,
  nameOf,
} from './words.ts'

/** How a comparison is shown. */
export interface DiffRenderOptions {
  readonly colour: boolean
  /** Rows of layers; null for all. */
  readonly top: number | null
  readonly quiet: boolean
}

const NAME_MOST = 40

/** Changed layers first, by their part, then by their relative change; the order of the graph among equals. */
export function byChange({ layers }: ModelDiff): ModelDiff['layers'] {
  const weight = (layer: ModelDiff['layers'][number]) => [
    layer.status === 'equal' ? 0 : 1,
    layer.part ?? 0,
    layer.difference?.relative.spectral ?? 0,
  ]
  return layers.toSorted((a, b) => {
    const [first, second] = [weight(a), weight(b)]
    const place = first.findIndex((value, i) => value !== second[i])
    return place < 0 ? 0 : second[place] - first[place]
  })
}

function renderLayers(model: ModelDiff, top: number | null, style: Style): string[] {
  if (model.layers.length === 0) return []
  const sorted = byChange(model)
  const shown = sorted.slice(0, top ?? sorted.length)
  // a column that says nothing of any layer is left out
  const used = layerColumns.filter(({ cell }) => shown.some((layer) => !['', '–'].includes(cell(layer))))
  const rows = shown.map((layer) => [nameOf(layer, NAME_MOST), ...used.map(({ cell }) => cell(layer))])
  const head = ['layer', ...used.map((column) => column.head)]
  const columns = head.map((text, i) => ({
    align: i > 0 && used[i - 1].right ? ('right' as const) : ('left' as const),
    width: widest([text, ...rows.map((row) => row[i])]),
  }))
  const rest = sorted.length - shown.length
  return [
    ...drawRows(columns, [head.map(style.strong)]),
    ...drawRows(columns, rows),
    ...(rest > 0 ? [style.faint(`… ${rest} more`)] : []),
  ]
}

function renderModel(model: ModelDiff, { top, quiet }: DiffRenderOptions, style: Style): string[] {
  const names = `${displayName(model.old.path, 200)} → ${displayName(model.new.path, 200)}`
  const gates = model.gates.map((gate) => `${verdictMark(gate.verdict, style)} ${describeOutputGate(gate)}`)
  const [outputs] = describeOutputs(model)
  if (quiet) return [`${names}: ${[describeCounts(model), outputs].filter(Boolean).join('; ')}`, ...gates]
  // what is told of the outputs says so already
  const further = model.findings.filter(({ rule }) => rule !== 'no-output-change')
  const findings = further.map(({ level, message, node }) =>
    displayMessage(`${level}: ${message}${node === undefined ? '' : ` (${node})`}`),
  )
  const summary = [describeCounts(model), describeBounds(model), ...describeOutputs(model)]
  return [style.title(names), '', ...renderLayers(model, top, style), '', ...summary, ...findings, ...gates]
}

/** A comparison for people in a terminal or a log. Everything that comes from a file is escaped. */
export function renderDiffTable(diff: Diff, options: DiffRenderOptions): string {
  const style = makeStyle(options.colour)
  const blocks = diff.models.map((model) => renderModel(model, options, style).join('\n'))
  return `${blocks.join(options.quiet ? '\n' : '\n\n')}\n`
}
