import type { Finding, ModelReport, Report } from '../../audit/report-schema.ts'
import { describeCertificate, describeObstacle, describeScope, methodName } from '../bound-words.ts'
import { displayMessage, displayName } from '../display-name.ts'
import { groupFindings, listSome } from '../finding-groups.ts'
import { describeGate } from '../gate-words.ts'
import { layerName } from '../layer-name.ts'
import { modelName } from '../model-names.ts'
import { formatBound, formatCount, formatEnclosure, formatNumber, formatPercent } from '../numbers.ts'
import type { RenderOptions } from '../renderer.ts'
import { sortLayers } from '../sort.ts'
import { count } from '../text.ts'
import { code, escapeMarkdown, table } from './escape.ts'

const LAYERS = 20
const PLACES = 4

type Verdict = ModelReport['verdict']

/** A sign for eyes, with the word that says the same. */
const marks = {
  pass: '✅ pass',
  fail: '❌ fail',
  inconclusive: '❔ inconclusive',
  none: '–',
} satisfies Record<Verdict, string>

const titles = {
  pass: 'every gate is met',
  fail: 'a gate is not met',
  inconclusive: 'a gate is inconclusive',
  none: 'no gate',
} satisfies Record<Verdict, string>

function describeBound({ lipschitz: { upper } }: ModelReport): string {
  return upper.unbounded
    ? `no certificate: ${escapeMarkdown(describeObstacle(upper))}`
    : `≤ ${formatBound(upper)} (${escapeMarkdown(methodName(upper.method))})`
}

function summary(report: Report, options: RenderOptions): string[] {
  const rows = report.models.map((model) => [
    code(modelName(model.path, options)),
    marks[model.verdict],
    describeBound(model),
    formatCount(model.parameters),
    String(model.layers.length),
  ])
  const failed = report.errors.map(({ path, message }) => [
    code(modelName(path, options)),
    '❌ error',
    escapeMarkdown(displayMessage(message)),
    '',
    '',
  ])
  return table(
    ['model', 'verdict', 'Lipschitz constant', 'parameters', 'layers'],
    [...rows, ...failed],
    [3, 4],
  )
}

function gates(model: ModelReport): string[] {
  return model.gates.flatMap((gate) => {
    const { claim, found, help } = describeGate(gate, model)
    const lines = [`- ${marks[gate.verdict]}: **${escapeMarkdown(claim)}**, ${escapeMarkdown(found)}`]
    return [...lines, ...help.map((line) => `  - ${escapeMarkdown(line)}`)]
  })
}

function layers(model: ModelReport, { top, sort }: RenderOptions): string[] {
  if (model.layers.length === 0) return ['No layer with constant weights was found.']
  const shown = sortLayers(model.layers, sort).slice(0, top ?? LAYERS)
  const rest = model.layers.length - shown.length
  const rows = shown.map((layer) => [
    String(layer.rank),
    code(displayName(layerName(layer))),
    escapeMarkdown(displayName(layer.op)),
    formatEnclosure(layer.spectral.lower, layer.spectral.upper),
    formatNumber(layer.gain, 'up', 4),
    formatNumber(layer.elasticity, 'nearest', 4),
    formatPercent(layer.share),
  ])
  return [
    ...table(['#', 'layer', 'op', '‖A‖₂', 'gain', 'elasticity', 'share'], rows, [0, 3, 4, 5, 6]),
    ...(rest > 0 ? ['', `and ${count(rest, 'more layer')}`] : []),
  ]
}

function bounds(model: ModelReport): string[] {
  const { ladder, upper, lower } = model.lipschitz
  if (upper.unbounded) return [`No certificate: ${escapeMarkdown(describeObstacle(upper))}.`]
  const rows = ladder.map((rung) => [escapeMarkdown(methodName(rung.method)), `≤ ${formatBound(rung)}`])
  if (lower !== null)
    rows.push([`lower (${escapeMarkdown(methodName(lower.method))})`, `≥ ${formatBound(lower, 'down')}`])
  return [
    ...table([`bound (${describeScope(model)})`, 'value'], rows, [1]),
    '',
    `${describeCertificate(upper)}.`,
  ]
}

const levels = { error: '**error**', warning: 'warning', note: 'note' } satisfies Record<
  Finding['level'],
  string
>

function findings(model: ModelReport): string[] {
  return groupFindings(model.findings).map(({ finding, places }) => {
    const where =
      places.length === 0
        ? ''
        : ` (${listSome(
            places.map((place) => code(displayName(place))),
            PLACES,
          )})`
    const ignored = finding.ignored === undefined ? '' : ` – ignored: ${finding.ignored.reason}`
    const hint = finding.hint === undefined ? '' : ` – ${finding.hint}`
    const rest = escapeMarkdown(displayMessage(hint + ignored))
    return `- ${levels[finding.level]} ${code(displayName(finding.rule))}: ${escapeMarkdown(displayMessage(finding.message))}${where}${rest}`
  })
}

function fold(title: string, lines: readonly string[]): string[] {
  return lines.length === 0
    ? []
    : ['<details>', `<summary>${title}</summary>`, '', ...lines, '', '</details>', '']
}

function section(model: ModelReport, options: RenderOptions): string[] {
  const judged = gates(model)
  return [
    `### ${code(modelName(model.path, options))}`,
    '',
    ...(judged.length === 0 ? [] : [...judged, '']),
    ...layers(model, options),
    '',
    ...fold('Bounds', bounds(model)),
    ...fold(count(model.findings.length, 'finding'), findings(model)),
  ]
}

/** The verdict, a table of the models, and for each model its gates, its layers and, folded, bounds and findings. */
export function renderMarkdown(report: Report, options: RenderOptions): string {
  const verdict = report.errors.length > 0 ? 'a model could not be audited' : titles[report.verdict]
  const lines = [
    `## Lipschitz audit: ${verdict}`,
    '',
    ...summary(report, options),
    '',
    ...report.models.flatMap((model) => section(model, options)),
  ]
  while (lines.at(-1) === '') lines.pop()
  return `${lines.join('\n')}\n`
}
