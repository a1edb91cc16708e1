import type { ModelReport } from '../../audit/report-schema.ts'
import { methodName } from '../bound-words.ts'
import { displayName } from '../display-name.ts'
import { formatBound, formatFactor } from '../numbers.ts'
import { element, percent, shape, textElement } from './markup.ts'
import { formatPower, type LogScale, logScale } from './scale.ts'

const OUTPUTS_SHOWN = 12

interface Rung {
  readonly name: string
  readonly value: string
  readonly log10: number
  readonly note: string
  readonly kind: 'upper' | 'best' | 'lower' | 'output'
}

function upperRungs({ lipschitz: { ladder, upper } }: ModelReport): Rung[] {
  let previous: number | null = null
  return ladder.flatMap((rung) => {
    if (rung.log10 === null) return []
    const tighter: number = previous === null ? 0 : previous - rung.log10
    previous = rung.log10
    return {
      name: methodName(rung.method),
      value: `≤ ${formatBound(rung)}`,
      log10: rung.log10,
      note: tighter > 1e-3 ? `${formatFactor(tighter)} tighter` : '',
      kind: rung.method === upper.method ? ('best' as const) : ('upper' as const),
    }
  })
}

function lowerRungs({ lipschitz: { lower } }: ModelReport): Rung[] {
  if (lower === null || lower.log10 === null) return []
  const { log10, method } = lower
  return [
    {
      name: `lower: ${methodName(method)}`,
      value: `≥ ${formatBound(lower, 'down')}`,
      log10,
      note: '',
      kind: 'lower',
    },
  ]
}

/** Each output on its own, where there are several. */
function outputRungs({ outputs }: ModelReport): Rung[] {
  if (outputs.length < 2) return []
  return outputs.slice(0, OUTPUTS_SHOWN).flatMap(({ name, lipschitz }) => {
    const upper = lipschitz?.upper
    if (upper == null || upper.log10 === null) return []
    return {
      name: `output ${displayName(name, 24)}`,
      value: `≤ ${formatBound(upper)}`,
      log10: upper.log10,
      note: '',
      kind: 'output' as const,
    }
  })
}

/** A dot on the axis, behind it the range in which the constant lies. */
function drawRung({ log10, kind }: Rung, scale: LogScale, range: readonly [number, number] | null): string {
  const lines = scale.ticks.map((tick) =>
    shape('line', {
      class: 'grid',
      x1: percent(scale.place(tick)),
      x2: percent(scale.place(tick)),
      y1: '0',
      y2: '100%',
    }),
  )
  const band =
    range === null
      ? ''
      : shape('rect', {
          class: 'truth',
          x: percent(scale.place(range[0])),
          width: percent(Math.max(0.002, scale.place(range[1]) - scale.place(range[0]))),
          y: '0',
          height: '100%',
        })
  const dot = shape('circle', { class: `dot ${kind}`, cx: percent(scale.place(log10)), cy: '50%', r: 5 })
  return element('svg', { class: 'rung', 'aria-hidden': 'true' }, ...lines, band, dot)
}

function drawAxis(scale: LogScale): string {
  const labels = scale.ticks.map((tick) =>
    shape('text', { x: percent(scale.place(tick)), y: 13, 'text-anchor': 'middle' }, formatPower(tick)),
  )
  return element('svg', { class: 'rung axis', 'aria-hidden': 'true' }, ...labels)
}

/** Every proven bound on one logarithmic axis, loosest first, and the lower bound; a table that reads without it. */
export function renderLadder(model: ModelReport): string {
  const lower = lowerRungs(model)
  const rungs = [...upperRungs(model), ...lower, ...outputRungs(model)]
  if (rungs.length === 0) return '<p class="faint">No bound is proven, so there is no ladder of bounds.</p>'
  const scale = logScale(rungs.map(({ log10 }) => log10))
  const best = model.lipschitz.upper.log10
  const range = lower.length > 0 && best !== null ? ([lower[0].log10, best] as const) : null
  const rows = rungs.map((rung) =>
    element(
      'tr',
      { class: rung.kind === 'best' ? 'best' : null },
      textElement('th', { scope: 'row' }, rung.name),
      element('td', { class: 'plot' }, drawRung(rung, scale, range)),
      textElement('td', { class: 'number' }, rung.value),
      textElement('td', { class: 'faint' }, rung.note),
    ),
  )
  const axis = element(
    'tr',
    { 'aria-hidden': 'true' },
    '<td></td>',
    element('td', { class: 'plot' }, drawAxis(scale)),
    '<td></td><td></td>',
  )
  const caption =
    range === null
      ? 'Proven bounds, loosest first (logarithmic).'
      : 'Proven bounds, loosest first (logarithmic). The constant lies in the shaded range.'
  return element('table', { class: 'ladder' }, textElement('caption', {}, caption), ...rows, axis)
}
