import type {
  Answer,
  CertifiedRadius,
  Distribution,
  ProbedLower,
  ProbeResult,
} from '../../audit/probe/probe-result.ts'
import { displayMessage, displayName } from '../display-name.ts'
import { formatNumber } from '../numbers.ts'
import { makeStyle, type Style } from '../table/style.ts'
import { count } from '../text.ts'

export interface ProbeRenderOptions {
  readonly colour: boolean
  readonly quiet: boolean
}

/** Classes that are listed; the nearest decide. */
const listed = 5

function hasReason<T>(answer: Answer<T>): answer is Extract<Answer<T>, { reason: string }> {
  return typeof answer === 'object' && answer !== null && 'reason' in answer
}

/** 'no: LSTM_1: …' */
function reasonOf({ reason, node }: { readonly reason: string; readonly node?: string }): string {
  return node === undefined ? displayMessage(reason) : `${displayName(node)}: ${displayMessage(reason)}`
}

const row = (label: string, text: string) => `  ${label.padEnd(22)}${text}`

function domainWords({ domain }: ProbeResult): string {
  if (domain.kind === 'global') return 'all inputs'
  if (domain.kind === 'box')
    return (domain.ranges ?? [])
      .map(({ input, lo, hi }) => `${displayName(input)} in [${lo}, ${hi}]`)
      .join(', ')
  const { around, radius, radiusNorm } = domain as { around?: string; radius?: number; radiusNorm?: string }
  return `within ${radius} (${radiusNorm === 'linf' ? 'ℓ∞' : 'ℓ2'}) of ${displayName(String(around))}`
}

function proofWords({ unproven }: ProbedLower): string {
  return unproven === null
    ? 'proven by two inputs'
    : `of two inputs, evaluated but not proven: ${reasonOf(unproven)}`
}

function describe({ min, quartiles, max, mean }: Distribution): string {
  const [q1, median, q3] = quartiles.map((value) => formatNumber(value))
  return `mean ${formatNumber(mean)}, median ${median}, half in ${q1} – ${q3}, all in ${formatNumber(min)} – ${formatNumber(max)}`
}

function radiusLines(radius: Answer<CertifiedRadius>, style: Style): string[] {
  if (hasReason(radius)) return [row('certified radius', `none: ${reasonOf(radius)}`)]
  const end = radius.endsAtDomain ? ' (where the domain ends)' : ''
  const lines = [
    row(
      'certified radius',
      `${style.strong(formatNumber(radius.radius, 'down'))}${end}: class ${radius.class} of ${displayName(radius.output)} stays, whatever moves the input less in ℓ2`,
    ),
  ]
  for (const { class: other, margin, lipschitz, radius: own } of radius.classes.slice(0, listed)) {
    const constant = lipschitz === null ? 'no bound' : `constant ${formatNumber(lipschitz, 'up')}`
    lines.push(
      row(
        '',
        `against class ${other}: margin ${formatNumber(margin, 'down')}, ${constant}, radius ${formatNumber(own, 'down')}`,
      ),
    )
  }
  const doubtful = radius.classes.filter(({ margin, float32Doubt }) => margin <= float32Doubt)
  if (doubtful.length > 0)
    lines.push(
      row(
        '',
        `a runtime in float32 may decide otherwise: its roundings may add up to about ${formatNumber(doubtful[0].float32Doubt, 'up')}`,
      ),
    )
  const rest = radius.classes.length - listed
  return rest > 0
    ? [...lines, row('', style.faint(`… ${count(rest, 'class', 'classes')} further away`))]
    : lines
}

/** What a probe found, for eyes; one line where it is to be quiet. */
export function renderProbeTable(result: ProbeResult, { colour, quiet }: ProbeRenderOptions): string {
  const style = makeStyle(colour)
  const { lower, point, gradient, model } = result
  const best = hasReason(lower) ? `none: ${reasonOf(lower)}` : style.strong(formatNumber(lower.value, 'down'))
  const name = displayName(model.path, 200)
  const isProven = hasReason(lower) || lower.unproven === null
  if (quiet) return `${name}: lower bound ${best}${isProven ? '' : ' (not proven)'}\n`
  const lines = [style.strong(name), row('domain', domainWords(result))]
  lines.push(
    row(
      'lower bound',
      hasReason(lower) ? best : `${best}  ${proofWords(lower)}; ${count(lower.looks, 'Jacobian')} looked at`,
    ),
  )
  if (point !== null) {
    if (hasReason(point)) lines.push(row('at the point', `nothing: ${reasonOf(point)}`))
    else {
      lines.push(row(`‖J‖ at ${displayName(point.around, 40)}`, formatNumber(point.jacobian)))
      if (point.outputs.length > 1)
        for (const { name, jacobian } of point.outputs)
          lines.push(row('', `${displayName(name)}: ${formatNumber(jacobian)}`))
      lines.push(...radiusLines(point.certifiedRadius, style))
    }
  }
  if (hasReason(gradient)) lines.push(row('gradients', `nothing: ${reasonOf(gradient)}`))
  else {
    const source = gradient.source === 'file' ? 'of the file' : 'seeded'
    lines.push(row(`‖J‖ at samples`, `${describe(gradient.norm)} (${gradient.samples} ${source})`))
    lines.push(row('penalty (‖J‖ − 1)²', describe(gradient.penalty)))
  }
  return `${lines.join('\n')}\n`
}
