import type { ModelReport, Report } from '../../audit/report-schema.ts'
import { describeObstacle, methodName } from '../bound-words.ts'
import { displayName } from '../display-name.ts'
import { formatBound, formatNumber } from '../numbers.ts'
import type { RenderOptions } from '../renderer.ts'
import { count, padEnd, widest } from '../text.ts'
import { renderBounds } from './bounds.ts'
import { renderFindings } from './findings.ts'
import { renderGates } from './gates.ts'
import { renderHeader } from './header.ts'
import { renderLayers } from './layers.ts'
import { makeStyle, type Style, verdictMark } from './style.ts'

const PATH_MOST = 60

/** What the symbols in the table stand for, with their sums over all layers. */
function renderLegend({ layers, regularizers }: ModelReport, style: Style): string[] {
  if (layers.length === 0) return []
  const l2 = formatNumber(regularizers.l2)
  const spectral = formatNumber(regularizers.spectral)
  return [
    style.faint(`W: stored weights, Σ ‖W‖F² = ${l2} · A: the layer's linear map, Σ ‖A‖₂² = ${spectral}`),
  ]
}

function renderModel(model: ModelReport, options: RenderOptions, style: Style): string[] {
  const sections = [
    renderHeader(model, options, style),
    [...renderLayers(model, options, style), ...renderLegend(model, style)],
    renderBounds(model, options, style),
    renderGates(model, options, style),
    renderFindings(model, options, style),
  ]
  return sections.filter((section) => section.length > 0).flatMap((section) => [...section, ''])
}

/** One line per model: its verdict and its bound. */
function renderSummary(report: Report, style: Style): string[] {
  const paths = report.models.map((model) => displayName(model.path, PATH_MOST))
  const width = widest(paths)
  return report.models.map((model, i) => {
    const { upper } = model.lipschitz
    const bound = upper.unbounded
      ? `no certificate: ${describeObstacle(upper)}`
      : `≤ ${formatBound(upper)} (${methodName(upper.method)})`
    return `${verdictMark(model.verdict, style)} ${padEnd(paths[i], width)}  ${bound}`
  })
}

/** A report for people in a terminal or a log. Everything that comes from a file is escaped. */
export function renderTable(report: Report, options: RenderOptions): string {
  const style = makeStyle(options.colour)
  const lines =
    options.verbosity === 'quiet' ? [] : report.models.flatMap((model) => renderModel(model, options, style))
  if (options.verbosity === 'quiet') {
    lines.push(...renderSummary(report, style))
  } else if (report.models.length > 1) {
    lines.push(style.title(count(report.models.length, 'model')), ...renderSummary(report, style), '')
  }
  while (lines.at(-1) === '') lines.pop()
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}
