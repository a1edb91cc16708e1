import type { ModelError, Report } from '../../audit/report-schema.ts'
import { displayMessage, displayName } from '../display-name.ts'
import type { RenderOptions } from '../renderer.ts'
import { helpUrl, pageOf, ruleOf } from '../rules.ts'
import { describeLocation } from './location.ts'
import { describeResults } from './results.ts'

const levels = { gate: 'error', error: 'error', warning: 'warning', note: 'note' } as const

function describeRule(name: string) {
  const rule = ruleOf(name)
  const summary = rule?.summary ?? displayName(name)
  return {
    id: displayName(name),
    shortDescription: { text: summary },
    fullDescription: { text: summary },
    help: { text: rule === null ? summary : `${summary}. lipschitz explain ${pageOf(name)} says more.` },
    helpUri: helpUrl(name),
    defaultConfiguration: { level: levels[rule?.level ?? 'warning'] },
  }
}

/** A model that could not be audited: the run failed there, it found nothing. */
function describeFailure({ path, code, message, node, tensor }: ModelError, { locate }: RenderOptions) {
  return {
    level: 'error',
    message: { text: `${displayName(code)}: ${displayMessage(message)}` },
    locations: [describeLocation(locate(path), node ?? tensor)],
  }
}

/**
 * SARIF 2.1.0 in the shape that GitHub code scanning accepts: a relative URI and line 1 for each result, rules with
 * help, fingerprints that stay over runs. Bounds are results where a gate is not met.
 */
export function renderSarif(report: Report, options: RenderOptions): string {
  const names: string[] = []
  const ruleIndex = (rule: string) => {
    if (!names.includes(rule)) names.push(rule)
    return names.indexOf(rule)
  }
  const results = report.models.flatMap((model) => describeResults(model, options, ruleIndex))
  const log = {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: report.tool.name,
            semanticVersion: report.tool.version,
            informationUri: 'https://www.npmjs.com/package/lipschitz',
            rules: names.map(describeRule),
          },
        },
        automationDetails: { id: 'lipschitz/audit/' },
        invocations: [
          {
            executionSuccessful: report.errors.length === 0,
            toolExecutionNotifications: report.errors.map((error) => describeFailure(error, options)),
          },
        ],
        columnKind: 'utf16CodeUnits',
        results,
      },
    ],
  }
  return `${JSON.stringify(log, null, 2)}\n`
}
