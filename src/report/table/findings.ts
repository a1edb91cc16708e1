import type { Finding, ModelReport } from '../../audit/report-schema.ts'
import { escapeText } from '../escape.ts'
import type { RenderOptions } from '../renderer.ts'
import { padEnd, widest, wrap } from '../text.ts'
import type { Style } from './style.ts'

const NAMED = 4
const LEVELS = ['error', 'warning', 'note'] as const
const paints = { error: 'bad', warning: 'doubt', note: 'faint' } satisfies Record<
  Finding['level'],
  keyof Style
>

interface Group {
  readonly finding: Finding
  readonly places: string[]
}

/** Findings that say the same of several nodes become one, the worst level first, else in their order. */
function group(findings: readonly Finding[]): Group[] {
  const groups = new Map<string, Group>()
  for (const finding of findings) {
    const key = JSON.stringify([finding.level, finding.rule, finding.message, finding.hint])
    const known = groups.get(key) ?? { finding, places: [] }
    groups.set(key, known)
    const place = finding.node ?? finding.tensor
    if (place !== undefined) known.places.push(escapeText(place))
  }
  return LEVELS.flatMap((level) => [...groups.values()].filter(({ finding }) => finding.level === level))
}

function describePlaces(places: readonly string[], all: boolean): string {
  if (places.length === 0) return ''
  const shown = all ? places : places.slice(0, NAMED)
  const rest = places.length - shown.length
  return ` (${shown.join(', ')}${rest > 0 ? ` and ${rest} more` : ''})`
}

/** What could not be proven, and why, and what else a reader should know of the file. */
export function renderFindings(model: ModelReport, options: RenderOptions, style: Style): string[] {
  const groups = group(model.findings)
  if (groups.length === 0) return []
  const ruleWidth = widest(groups.map(({ finding }) => escapeText(finding.rule)))
  const indent = 2 + 'warning'.length + 2 + ruleWidth + 2
  const lines = groups.flatMap(({ finding, places }) => {
    const hint = finding.hint ? ` – ${escapeText(finding.hint)}` : ''
    const text = escapeText(finding.message) + describePlaces(places, options.verbosity === 'verbose') + hint
    const [first, ...more] = wrap(text, Math.max(30, options.width - indent))
    const level = style[paints[finding.level]](padEnd(finding.level, 'warning'.length))
    return [
      `  ${level}  ${style.faint(padEnd(escapeText(finding.rule), ruleWidth))}  ${first}`,
      ...more.map((line) => ' '.repeat(indent) + line),
    ]
  })
  return [style.title('Findings'), ...lines]
}
