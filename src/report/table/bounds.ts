import type { Bound, Lipschitz, ModelReport } from '../../audit/report-schema.ts'
import { describeCertificate, describeObstacle, describeScope, methodName } from '../bound-words.ts'
import { displayName } from '../display-name.ts'
import { formatBound, formatFactor, formatNumber } from '../numbers.ts'
import type { RenderOptions } from '../renderer.ts'
import { count, padEnd, padStart, widest, wrap } from '../text.ts'
import type { Style } from './style.ts'

const OUTPUTS_SHOWN = 12
const SAME_REASON = 'for the same reason'

interface Row {
  readonly name: string
  readonly value: string
  readonly note: string
  readonly isBest?: boolean
}

function ladderRows({ upper, ladder }: Lipschitz): Row[] {
  const rungs = ladder.some((rung) => rung.method === upper.method) ? ladder : [...ladder, upper]
  const rows: Row[] = []
  let previous: Bound | null = null
  for (const rung of rungs) {
    const name = methodName(rung.method)
    if (rung.unbounded) {
      const obstacle = describeObstacle(rung)
      const isKnown = previous?.unbounded === true && describeObstacle(previous) === obstacle
      rows.push({ name, value: 'none', note: isKnown ? SAME_REASON : obstacle })
    } else {
      const tighter = (previous?.log10 ?? Number.NaN) - (rung.log10 ?? Number.NaN)
      const note = tighter > 1e-3 ? `${formatFactor(tighter)} tighter` : ''
      rows.push({ name, value: `≤ ${formatBound(rung)}`, note, isBest: rung.method === upper.method })
    }
    previous = rung
  }
  return rows
}

function lowerRows({ upper, lower }: Lipschitz): Row[] {
  if (lower === null) return []
  const slack = upper.log10 !== null && lower.log10 !== null ? Math.max(0, upper.log10 - lower.log10) : null
  const note = slack === null ? '' : `the upper bound is at most ${formatFactor(slack)} too large`
  return [{ name: `lower (${methodName(lower.method)})`, value: `≥ ${formatBound(lower, 'down')}`, note }]
}

function offsetRows({ offset }: Lipschitz): Row[] {
  if (offset === null || offset === 0) return []
  const note = 'in |f(x) − f(y)| ≤ bound·|x − y| + offset, from quantisation or rounding'
  return [{ name: 'offset', value: `+ ${formatNumber(offset, 'up')}`, note }]
}

/** Each output on its own, where there are several. */
function outputRows(model: ModelReport): Row[] {
  const audited = model.outputs.filter((output) => output.lipschitz !== null)
  if (model.outputs.length < 2 || audited.length === 0) return []
  const known = describeObstacle(model.lipschitz.upper)
  const rows = audited.slice(0, OUTPUTS_SHOWN).map((output): Row => {
    const { upper } = output.lipschitz!
    const name = `output ${displayName(output.name, 30)}`
    if (!upper.unbounded) return { name, value: `≤ ${formatBound(upper)}`, note: '' }
    const obstacle = describeObstacle(upper)
    return { name, value: 'none', note: obstacle === known ? SAME_REASON : obstacle }
  })
  const rest = audited.length - rows.length
  return rest === 0 ? rows : [...rows, { name: `… ${count(rest, 'more output')}`, value: '', note: '' }]
}

function drawRow(row: Row, nameWidth: number, valueWidth: number, width: number, style: Style): string[] {
  const head = `  ${padEnd(row.name, nameWidth)}  ${padStart(row.value, valueWidth)}`
  const indent = ' '.repeat(nameWidth + valueWidth + 6)
  const [note, ...more] = wrap(row.note, Math.max(40, width - indent.length))
  return [
    `${row.isBest ? style.strong(head) : head}${note === '' ? '' : `  ${style.faint(note)}`}`.trimEnd(),
    ...more.map((line) => indent + style.faint(line)),
  ]
}

/** Every bound that was computed, loosest first, then the lower bound, the offset and the bounds per output. */
export function renderBounds(model: ModelReport, options: RenderOptions, style: Style): string[] {
  const { lipschitz } = model
  const rows = [
    ...ladderRows(lipschitz),
    ...lowerRows(lipschitz),
    ...offsetRows(lipschitz),
    ...outputRows(model),
  ]
  const nameWidth = widest(rows.map(({ name }) => name))
  const valueWidth = widest(rows.map(({ value }) => value))
  const trust = lipschitz.upper.unbounded ? [] : [`  ${style.faint(describeCertificate(lipschitz.upper))}`]
  return [
    style.title(`Lipschitz constant (${describeScope(model)})`),
    ...rows.flatMap((row) => drawRow(row, nameWidth, valueWidth, options.width, style)),
    ...trust,
  ]
}
