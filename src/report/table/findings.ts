import type { Finding, ModelReport } from '../../audit/report-schema.ts'
import { displayMessage, displayName } from '../display-name.ts'
import { groupFindings, listSome } from '../finding-groups.ts'
import type { RenderOptions } from '../renderer.ts'
import { padEnd, widest, wrap } from '../text.ts'
import type { Style } from './style.ts'

const NAMED = 4
const paints = { error: 'bad', warning: 'doubt', note: 'faint' } satisfies Record<
  Finding['level'],
  keyof Style
>

function describePlaces(places: readonly string[], all: boolean): string {
  if (places.length === 0) return ''
  const names = places.map((place) => displayName(place))
  return ` (${listSome(names, all ? names.length : NAMED)})`
}

/** What could not be proven, and why, and what else a reader should know of the file. */
export function renderFindings(model: ModelReport, options: RenderOptions, style: Style): string[] {
  const groups = groupFindings(model.findings)
  if (groups.length === 0) return []
  const ruleWidth = widest(groups.map(({ finding }) => displayName(finding.rule, 40)))
  const indent = 2 + 'warning'.length + 2 + ruleWidth + 2
  const lines = groups.flatMap(({ finding, places }) => {
    const hint = finding.hint ? ` – ${displayMessage(finding.hint)}` : ''
    const ignored = finding.ignored ? ` – ignored: ${displayMessage(finding.ignored.reason)}` : ''
    const text =
      displayMessage(finding.message) +
      describePlaces(places, options.verbosity === 'verbose') +
      hint +
      ignored
    const [first, ...more] = wrap(text, Math.max(30, options.width - indent))
    const level = style[paints[finding.level]](padEnd(finding.level, 'warning'.length))
    return [
      `  ${level}  ${style.faint(padEnd(displayName(finding.rule, 40), ruleWidth))}  ${first}`,
      ...more.map((line) => ' '.repeat(indent) + line),
    ]
  })
  return [style.title('Findings'), ...lines]
}
