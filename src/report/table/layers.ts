import type { Layer, ModelReport } from '../../audit/report-schema.ts'
import { escapeText } from '../escape.ts'
import { layerName } from '../layer-name.ts'
import { formatBound, formatPercent } from '../numbers.ts'
import type { RenderOptions } from '../renderer.ts'
import { sortLayers } from '../sort.ts'
import { count, cutMiddle, widest } from '../text.ts'
import { type Column, type ColumnContext, columns } from './columns.ts'
import { fitColumns } from './fit.ts'
import { drawRows, type GridColumn, widthOfGrid } from './grid.ts'
import type { Style } from './style.ts'

const NAME_MOST = 60

function totalCell(model: ModelReport, { key }: Column): string {
  const { upper } = model.lipschitz
  if (key === 'gain') return upper.unbounded ? '' : formatBound(upper)
  if (key === 'share') return model.layers.some(({ share }) => share !== null) ? formatPercent(1) : ''
  return ''
}

function restCell(rest: readonly Layer[], { key }: Column): string {
  return key === 'share' ? formatPercent(rest.reduce((sum, { share }) => sum + (share ?? 0), 0)) : ''
}

function paintCell(column: Column, layer: Layer, context: ColumnContext): string {
  const text = column.cell(layer, context)
  return column.paint ? column.paint(text, layer, context) : text
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
  const used = columns.filter(({ isUsed }) => isUsed?.(model.layers) ?? true)
  const widths = new Map(
    used.map((column) => {
      const cells = shown.map((layer) => column.cell(layer, context))
      return [column, widest([column.head, totalCell(model, column), ...cells])]
    }),
  )
  const fit = fitColumns(widths, options.width, Math.min(NAME_MOST, widest([total, ...names])))
  const grid: GridColumn[] = fit.columns.map((column) => ({
    align: column.align,
    width: widths.get(column)!,
  }))
  grid.splice(1, 0, { align: 'left', width: fit.nameWidth })

  const row = (name: string, cell: (column: Column) => string) => {
    const [first, ...others] = fit.columns.map(cell)
    return [first, cutMiddle(name, fit.nameWidth), ...others]
  }
  const head = row('layer', (column) => column.head).map(style.strong)
  const body = shown.map((layer, i) => row(names[i], (column) => paintCell(column, layer, context)))
  if (rest.length > 0) {
    body.push(
      row(`… ${count(rest.length, 'more layer')}`, (column) => restCell(rest, column)).map(style.faint),
    )
  }
  const foot = row(total, (column) => totalCell(model, column)).map(style.strong)
  const rule = style.faint('─'.repeat(widthOfGrid(grid)))
  return [...drawRows(grid, [head]), rule, ...drawRows(grid, body), rule, ...drawRows(grid, [foot])]
}
