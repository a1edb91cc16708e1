import type { Finding, Gate, ModelReport, Report } from '../audit/report-schema.ts'
import { displayMessage, displayName } from './display-name.ts'
import { groupFindings, listSome } from './finding-groups.ts'
import { describeGate } from './gate-words.ts'
import type { RenderOptions } from './renderer.ts'

const PLACES = 4

/** Data of a workflow command: a percent sign or the end of a line would begin something else. */
function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}

interface Annotation {
  readonly level: 'error' | 'warning' | 'notice'
  readonly path: string
  readonly title: string
  readonly message: string
}

function annotate({ level, path, title, message }: Annotation): string {
  const properties = Object.entries({ file: path, line: '1', title })
    .map(([name, value]) => `${name}=${escapeProperty(value)}`)
    .join(',')
  return `::${level} ${properties}::${escapeData(message)}\n`
}

function gateLevel(gate: Gate, inconclusive: RenderOptions['inconclusive']): Annotation['level'] {
  return gate.verdict === 'inconclusive' && inconclusive === 'warn' ? 'warning' : 'error'
}

const findingLevels = { error: 'error', warning: 'warning', note: 'notice' } satisfies Record<
  Finding['level'],
  Annotation['level']
>

function annotations(model: ModelReport, options: RenderOptions): Annotation[] {
  const path = options.locate(model.path)
  const broken = model.gates.filter((gate) => gate.verdict !== 'pass' && gate.ignored === undefined)
  const gates = broken.map((gate): Annotation => {
    const { claim, found, help } = describeGate(gate, model)
    return {
      level: gateLevel(gate, options.inconclusive),
      path,
      title: `${displayName(gate.rule)}: ${claim} is not met`,
      message: [found, ...help].join('\n'),
    }
  })
  const shown = model.findings.filter(({ level, ignored }) => level !== 'note' && ignored === undefined)
  const findings = groupFindings(shown).map(({ finding, places }): Annotation => {
    const where =
      places.length === 0
        ? ''
        : ` (${listSome(
            places.map((place) => displayName(place)),
            PLACES,
          )})`
    return {
      level: findingLevels[finding.level],
      path,
      title: displayName(finding.rule),
      message:
        displayMessage(finding.message) + where + (finding.hint ? `\n${displayMessage(finding.hint)}` : ''),
    }
  })
  return [...gates, ...findings]
}

/** One workflow command for each gate that is not met, each error and each warning; notes are left out. */
export function renderGithub(report: Report, options: RenderOptions): string {
  const failures = report.errors.map(
    ({ path, code, message, hint }): Annotation => ({
      level: 'error',
      path: options.locate(path),
      title: displayName(code),
      message: displayMessage(message) + (hint === undefined ? '' : `\n${displayMessage(hint)}`),
    }),
  )
  const all = [...failures, ...report.models.flatMap((model) => annotations(model, options))]
  return all.map(({ path, ...rest }) => annotate({ ...rest, path: displayName(path, 1000) })).join('')
}
