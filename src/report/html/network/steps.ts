import { displayName } from '../../display-name.ts'
import { formatBound, formatCount } from '../../numbers.ts'
import { formatGain } from '../gain.ts'
import { element, textElement } from '../markup.ts'
import type { Block } from './blocks.ts'
import { describeOps } from './graph.ts'

/** What the curve and the graph show, as a table: for readers who cannot see them, and for copying. */
export function renderSteps(blocks: readonly Block[]): string {
  const rows = blocks.map((block) =>
    element(
      'tr',
      {},
      textElement('th', { scope: 'row' }, displayName(block.node, 60)),
      textElement('td', {}, describeOps(block)),
      textElement('td', { class: 'number' }, block.ops.length === 0 ? '' : formatGain(block.gain)),
      textElement(
        'td',
        { class: 'number' },
        block.unbounded ? '∞' : block.log10 === null ? '0' : formatBound({ value: null, log10: block.log10 }),
      ),
    ),
  )
  const head =
    '<thead><tr><th scope="col">Node</th><th scope="col">Operators</th><th scope="col" class="number">Gain</th>' +
    '<th scope="col" class="number">Bound behind it</th></tr></thead>'
  return element(
    'details',
    {},
    `<summary>The ${formatCount(blocks.length)} steps as a table</summary>`,
    element(
      'div',
      { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Steps' },
      element('table', { class: 'steps' }, head, '<tbody>', ...rows, '</tbody>'),
    ),
  )
}
