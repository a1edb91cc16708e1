import type { Bound, ModelReport } from '../../audit/report-schema.ts'
import { escapeText } from '../escape.ts'
import { formatBound, formatFactor, formatNumber, formatProbability } from '../numbers.ts'
import { padEnd, padStart, widest } from '../text.ts'
import { normName } from './header.ts'
import type { Style } from './style.ts'

/** A bound's method in words; others are shown as they are named. */
const methodNames = new Map([
  ['frobenius-product', 'Frobenius product'],
  ['spectral-product', 'spectral product'],
  ['graph', 'graph'],
  ['mean-slope', 'mean slope'],
  ['sdp', 'SDP'],
  ['jacobian', 'Jacobian'],
])

export function methodName(method: string): string {
  return methodNames.get(method) ?? escapeText(method)
}

/** How far the bound may be trusted, in words. */
export function describeCertificate(bound: Pick<Bound, 'certificate' | 'failureProbability'>): string {
  if (bound.certificate === null) return 'no certificate'
  if (bound.certificate === 'deterministic') return 'proven, rounding errors accounted for'
  return `proven, except with probability ${formatProbability(bound.failureProbability ?? 0)} over the seeded start`
}

/** Why there is no finite bound, and the first node without one. */
export function describeObstacle(bound: Bound): string {
  const place =
    bound.node === undefined
      ? ''
      : ` at ${escapeText(bound.node)}${bound.op ? ` (${escapeText(bound.op)})` : ''}`
  const reason = bound.reason ? `: ${escapeText(bound.reason)}` : ''
  return `no certificate${place}${reason}`
}

function domainName(model: ModelReport): string {
  return { global: 'over all inputs', box: 'over a box of inputs', ball: 'over a ball of inputs' }[
    model.domain.kind
  ]
}

/** Every bound that was computed, loosest first, then the lower bound, the offset and the bounds per output. */
export function renderBounds(model: ModelReport, style: Style): string[] {
  const { upper, lower, offset, ladder } = model.lipschitz
  const rungs = ladder.some((rung) => rung.method === upper.method) ? ladder : [...ladder, upper]
  const rows: [name: string, value: string, note: string][] = []
  let previous: number | null = null
  for (const rung of rungs) {
    if (rung.unbounded) {
      rows.push([methodName(rung.method), 'none', describeObstacle(rung)])
      continue
    }
    const gain =
      previous !== null && rung.log10 !== null && previous - rung.log10 > 1e-3 ? previous - rung.log10 : null
    const note = gain === null ? '' : `${formatFactor(gain)} tighter`
    rows.push([methodName(rung.method), `≤ ${formatBound(rung)}`, note])
    previous = rung.log10 ?? previous
  }
  if (lower !== null) {
    const slack = upper.log10 !== null && lower.log10 !== null ? Math.max(0, upper.log10 - lower.log10) : null
    const note = slack === null ? '' : `the upper bound is at most ${formatFactor(slack)} too large`
    rows.push([`lower (${methodName(lower.method)})`, `≥ ${formatBound(lower, 'down')}`, note])
  }
  if (offset !== null && offset > 0) {
    rows.push([
      'offset',
      `+ ${formatNumber(offset, 'up')}`,
      'in |f(x) − f(y)| ≤ bound·|x − y| + offset, from quantisation or rounding operators',
    ])
  }
  const nameWidth = widest(rows.map(([name]) => name))
  const valueWidth = widest(rows.map(([, value]) => value))
  const lines = rows.map(([name, value, note]) => {
    const best = !upper.unbounded && name === methodName(upper.method)
    const text = `  ${padEnd(name, nameWidth)}  ${padStart(value, valueWidth)}`
    return `${best ? style.strong(text) : text}${note === '' ? '' : `  ${style.faint(note)}`}`.trimEnd()
  })
  const title = `Lipschitz constant (${normName(model)}, ${domainName(model)})`
  if (!upper.unbounded) lines.push(`  ${style.faint(describeCertificate(upper))}`)
  return [style.title(title), ...lines, ...renderOutputs(model, style)]
}

/** Each output on its own, where there are several. */
function renderOutputs(model: ModelReport, style: Style): string[] {
  const audited = model.outputs.filter((output) => output.lipschitz !== null)
  if (model.outputs.length < 2 || audited.length === 0) return []
  const shown = audited.slice(0, 12)
  const nameWidth = widest(shown.map((output) => escapeText(output.name)))
  const lines = shown.map((output) => {
    const { upper } = output.lipschitz!
    const value = upper.unbounded ? style.faint(describeObstacle(upper)) : `≤ ${formatBound(upper)}`
    return `    ${padEnd(escapeText(output.name), nameWidth)}  ${value}`
  })
  const rest = audited.length - shown.length
  return ['  per output', ...lines, ...(rest > 0 ? [style.faint(`    … ${rest} more outputs`)] : [])]
}
