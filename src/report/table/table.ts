import type { ModelReport, Report } from '../../audit/report-schema.ts'
import { escapeText } from '../escape.ts'
import { formatBound, formatNumber } from '../numbers.ts'
import type { RenderOptions } from '../renderer.ts'
import { count, cutMiddle, padEnd } from '../text.ts'
import { describeObstacle, methodName, renderBounds } from './bounds.ts'
import { renderFindings } from './findings.ts'
import { renderGates } from './gates.ts'
import { renderHeader } from './header.ts'
import { renderLayers } from './layers.ts'
import { makeStyle, type Style, verdictMark } from './style.ts'

const PATH_MOST = 60

function renderRegularizers({ regularizers }: ModelReport, style: Style): string[] {
  if (regularizers.l2 === null || regularizers.spectral === null) return []
  const l2 = formatNumber(regularizers.l2)
  return [
    style.faint(`Σ ‖W‖F² = ${l2} (weights), Σ ‖A‖₂² = ${formatNumber(regularizers.spectral)} (operators)`),
  ]
}

function renderModel(model: ModelReport, options: RenderOptions, style: Style): string[] {
  const sections = [
    renderHeader(model, style),
    [...renderLayers(model, options, style), ...renderRegularizers(model, style)],
    renderBounds(model, style),
    renderGates(model, style),
    renderFindings(model, options, style),
  ]
  return sections.filter((section) => section.length > 0).flatMap((section) => [...section, ''])
}

/** One line per model: its verdict and its bound. */
function renderSummary(report: Report, style: Style): string[] {
  const paths = report.models.map((model) => cutMiddle(escapeText(model.path), PATH_MOST))
  const width = Math.max(0, ...paths.map((path) => path.length))
  return report.models.map((model, i) => {
    const { upper } = model.lipschitz
    const bound = upper.unbounded
      ? describeObstacle(upper)
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
