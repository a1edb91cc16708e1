import type { ModelReport, Verdict } from '../../audit/report-schema.ts'
import { describeGate } from '../gate-words.ts'
import { element, escapeHtml, textElement } from './markup.ts'

const words = {
  pass: '✓ pass',
  fail: '✗ fail',
  inconclusive: '? inconclusive',
  none: 'no gate',
} satisfies Record<Verdict, string>

export function badge(verdict: Verdict): string {
  return textElement('span', { class: `badge ${verdict}` }, words[verdict])
}

/** Every gate with its mark, what was found, and what would help where it is not met. */
export function renderGates(model: ModelReport): string {
  if (model.gates.length === 0) {
    return '<p class="faint">No gate was set. <code>--max-lipschitz</code> and <code>--max-layer</code> set one.</p>'
  }
  const items = model.gates.map((gate) => {
    const { claim, found, help } = describeGate(gate, model)
    const advice = help.map((line) => textElement('li', {}, line)).join('')
    return element(
      'li',
      {},
      badge(gate.verdict),
      element(
        'div',
        {},
        `<strong>${escapeHtml(claim)}</strong> <span>${escapeHtml(found)}</span>`,
        advice === '' ? '' : `<ul>${advice}</ul>`,
      ),
    )
  })
  return element('ul', { class: 'gates', 'aria-label': 'Gates' }, ...items)
}
