import Table from 'cli-table3'
import type { Layer, ModelReport } from '../../audit/report-schema.ts'
import { escapeText } from '../escape.ts'
import { layerName } from '../layer-name.ts'
import { formatBound, formatPercent } from '../numbers.ts'
import type { RenderOptions } from '../renderer.ts'
import { sortLayers } from '../sort.ts'
import { count, cutMiddle, widest } from '../text.ts'
import { type Column, type ColumnContext, columns } from './columns.ts'
import type { Style } from './style.ts'

const GAP = '  '
const NAME_LEAST = 14
const NAME_MOST = 60

/** No frame and no vertical lines; a rule under the head and above the total. */
const chars = {
  top: '', 'top-mid': '', 'top-left': '', 'top-right': '',
  bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '',
  left: '', 'left-mid': '', right: '', 'right-mid': '',
  mid: '─', 'mid-mid': '──', middle: GAP,
} // biome-ignore format: one line per side

interface Choice {
  readonly columns: readonly Column[]
  readonly nameWidth: number
}

function totalCell(model: ModelReport, { key }: Column): string {
  const { upper } = model.lipschitz
  if (key === 'gain') return upper.unbounded ? '' : formatBound(upper, 'up', 4)
  if (key === 'share') return model.layers.some(({ share }) => share !== null) ? formatPercent(1) : ''
  return ''
}

/** The least width of names for which a column of this priority is dropped. */
function nameRoom(priority: number): number {
  return NAME_LEAST + Math.max(0, 60 - priority) / 4
}

/** The columns that fit, and the width that is left for names: drops the least important column until all fit. */
function chooseColumns(widths: ReadonlyMap<Column, number>, width: number, nameWanted: number): Choice {
  let kept = columns.filter((column) => column.insteadOf === undefined)
  for (;;) {
    const room = width - kept.reduce((sum, column) => sum + widths.get(column)! + GAP.length, 0)
    const least = kept.reduce((a, b) => (b.priority < a.priority ? b : a))
    if (room >= Math.min(nameWanted, nameRoom(least.priority)) || kept.length === 1) {
      return { columns: kept, nameWidth: Math.max(NAME_LEAST, Math.min(room, nameWanted)) }
    }
    kept = columns.filter(
      (column) => column.insteadOf === least.key || (kept.includes(column) && column !== least),
    )
  }
}

function restCells(rest: readonly Layer[], kept: readonly Column[]): string[] {
  const share = rest.reduce((sum, layer) => sum + (layer.share ?? 0), 0)
  return kept.map((column) => (column.key === 'share' ? formatPercent(share) : ''))
}

/** The ranked layers, `top` of them, with a row for the rest and a total row. */
export function renderLayers(model: ModelReport, options: RenderOptions, style: Style): string[] {
  if (model.layers.length === 0) return ['no layers with constant weights']
  const sorted = sortLayers(model.layers, options.sort)
  const shown = sorted.slice(0, options.top ?? sorted.length)
  const rest = sorted.slice(shown.length)
  const context: ColumnContext = {
    style,
    gate: model.gates.find((gate) => gate.rule === 'max-layer') ?? null,
    largestShare: model.layers.reduce((most, { share }) => Math.max(most, share ?? 0), Number.MIN_VALUE),
  }
  const total = `total of ${count(model.layers.length, 'layer')}`
  const names = shown.map((layer) => escapeText(layerName(layer)))
  const nameWanted = Math.min(NAME_MOST, widest([total, ...names]))
  const widths = new Map(
    columns.map((column) => {
      const cells = [
        column.head,
        totalCell(model, column),
        ...shown.map((layer) => column.cell(layer, context)),
      ]
      return [column, widest(cells)]
    }),
  )
  const choice = chooseColumns(widths, options.width, nameWanted)
  const [first, ...others] = choice.columns

  const table = new Table({
    head: [first.head, 'layer', ...others.map((column) => column.head)].map(style.strong),
    colAligns: [first.align, 'left', ...others.map((column) => column.align)],
    style: { head: [], border: [], compact: false, 'padding-left': 0, 'padding-right': 0 },
    chars,
  })
  const cell = (column: Column, layer: Layer) => {
    const text = column.cell(layer, context)
    return column.paint ? column.paint(text, layer, context) : text
  }
  shown.forEach((layer, i) => {
    const cells = others.map((column) => cell(column, layer))
    table.push([cell(first, layer), cutMiddle(names[i], choice.nameWidth), ...cells])
  })
  if (rest.length > 0) {
    table.push(['', `… ${count(rest.length, 'more layer')}`, ...restCells(rest, others)].map(style.faint))
  }
  table.push(['', total, ...others.map((column) => totalCell(model, column))].map(style.strong))
  return keepRules(table.toString().split('\n'), style)
}

/** cli-table3 draws a rule between all rows: keeps the first and the last. */
function keepRules(lines: readonly string[], style: Style): string[] {
  const isRule = (line: string) => line.startsWith('─')
  const last = lines.findLastIndex(isRule)
  const first = lines.findIndex(isRule)
  return lines
    .filter((line, i) => !isRule(line) || i === first || i === last)
    .map((line) => (isRule(line) ? style.faint(line) : line.trimEnd()))
}
