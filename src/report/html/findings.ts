import type { Finding, ModelReport } from '../../audit/report-schema.ts'
import { displayMessage, displayName } from '../display-name.ts'
import { explanationOf } from '../explanations.ts'
import { groupFindings, listSome } from '../finding-groups.ts'
import { renderMarkdown } from './markdown.ts'
import { element, escapeHtml, textElement } from './markup.ts'

const PLACES_SHOWN = 12

const marks = { error: '✗ error', warning: '! warning', note: 'note' } satisfies Record<
  Finding['level'],
  string
>

/** What could not be proven and what a reader should know, worst first; each opens to an explanation. */
export function renderFindings(model: ModelReport): string {
  const groups = groupFindings(model.findings)
  if (groups.length === 0) return '<p class="faint">Nothing to say besides the numbers.</p>'
  const items = groups.map(({ finding, places }) => {
    const { level, rule, message, hint } = finding
    const where = listSome(
      [...new Set(places)].map((place) => displayName(place, 60)),
      PLACES_SHOWN,
    )
    const explanation = explanationOf(rule)
    const head = [
      textElement('span', { class: `badge ${level}` }, marks[level]),
      ` ${escapeHtml(displayMessage(message))} `,
      textElement('code', {}, displayName(rule, 60)),
    ].join('')
    const body = [
      where === '' ? '' : textElement('p', {}, `At ${where}.`),
      hint === undefined ? '' : textElement('p', {}, displayMessage(hint)),
      explanation === null ? '' : renderMarkdown(explanation),
    ].join('')
    return element('li', {}, body === '' ? head : element('details', {}, element('summary', {}, head), body))
  })
  return element('ul', { class: 'findings' }, ...items)
}
