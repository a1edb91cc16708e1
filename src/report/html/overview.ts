import type { Report } from '../../audit/report-schema.ts'
import { displayMessage, displayName } from '../display-name.ts'
import { layerName } from '../layer-name.ts'
import { formatBound, formatCount } from '../numbers.ts'
import { identifiers } from './identifiers.ts'
import { element, textElement } from './markup.ts'
import { tellingName } from './telling-name.ts'
import { badge } from './verdict.ts'

/** Where a report has several models: each with its verdict and bound, as a way to its part of the page. */
export function renderOverview({ models }: Report): string {
  if (models.length < 2) return ''
  const hasLower = models.some(({ lipschitz }) => lipschitz.lower !== null)
  const rows = models.map((model, index) => {
    const { upper, lower } = model.lipschitz
    const [first] = model.layers
    return element(
      'tr',
      {},
      element(
        'th',
        { scope: 'row' },
        textElement('a', { href: `#${identifiers(index).model}` }, displayName(model.path, 80)),
      ),
      element('td', {}, badge(model.verdict)),
      hasLower
        ? textElement('td', { class: 'number' }, lower === null ? '–' : `≥ ${formatBound(lower, 'down')}`)
        : '',
      textElement('td', { class: 'number' }, upper.unbounded ? 'no bound' : `≤ ${formatBound(upper)}`),
      textElement('td', { class: 'number' }, formatCount(model.layers.length)),
      textElement('td', {}, first === undefined ? '–' : tellingName(layerName(first), first.op, 40)),
    )
  })
  const head = [
    'Model',
    'Verdict',
    ...(hasLower ? ['Lower'] : []),
    'Upper',
    'Layers',
    'Most sensitive layer',
  ].map((title) =>
    textElement('th', { scope: 'col', class: /Lower|Upper|Layers/.test(title) ? 'number' : null }, title),
  )
  const table = element(
    'table',
    { class: 'overview' },
    element('thead', {}, element('tr', {}, ...head)),
    element('tbody', {}, ...rows),
  )
  return element(
    'nav',
    { 'aria-label': 'Models' },
    element('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Models' }, table),
  )
}

/** Models of the call that have no report. */
export function renderErrors({ errors }: Report): string {
  if (errors.length === 0) return ''
  const items = errors.map(({ path, message, node, tensor, hint }) => {
    const place = node ?? tensor
    const where = place === undefined ? '' : ` (${displayName(place, 80)})`
    const help = hint === undefined ? '' : `; ${displayMessage(hint)}`
    return element(
      'li',
      {},
      textElement('strong', {}, displayName(path)),
      textElement('span', {}, `: ${displayMessage(message)}${where}${help}`),
    )
  })
  return element('section', {}, '<h2>Models that could not be audited</h2>', element('ul', {}, ...items))
}
