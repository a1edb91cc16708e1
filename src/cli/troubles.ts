import type { Gate, Report } from '../audit/report-schema.ts'
import { toolName } from '../core/version.ts'
import { displayName } from '../report/display-name.ts'
import { formatNumber } from '../report/numbers.ts'
import { count } from '../report/text.ts'
import { describeFailure } from './errors.ts'
import type { Settings } from './options.ts'
import { suggestCommand } from './program.ts'

function describeGate(path: string, { rule, limit, lower, upper, verdict }: Gate): string {
  const found = `lower bound ${formatNumber(lower, 'down')}, upper bound ${formatNumber(upper, 'up')}`
  return `${toolName}: ${displayName(path, 1000)}: gate ${rule}${limit === null ? '' : ` ${formatNumber(limit)}`}: ${verdict} (${found})`
}

/** 'lipschitz adit net.onnx' audits a model of the name adit; what was meant may be a command. */
function commandHint(path: string): string | undefined {
  const command = suggestCommand(path)
  return command === null ? undefined : `for a command, did you mean ${command}?`
}

/** The last line of a run that was interrupted. */
export function describeInterruption(report: Report, asked: number): string {
  const open = report.errors.filter(({ code }) => code === 'interrupted').length
  return `${toolName}: interrupted${open === 0 ? '' : `: ${open} of ${count(asked, 'model')} not audited`}`
}

/** What standard error says of a finished audit: models without a report, gates that no table shows. */
export function describeTroubles(report: Report, tableIsShown: boolean, settings: Settings): string[] {
  const failed = report.errors.filter(({ code }) => code !== 'interrupted')
  const failures = failed.map(({ path, code, message, ...facts }) => {
    const hint = facts.hint ?? (code === 'not-found' ? commandHint(path) : undefined)
    return describeFailure(message, { ...facts, model: path, hint })
  })
  const broken = report.models.flatMap((model) =>
    model.gates
      .filter(({ verdict, ignored }) => verdict !== 'pass' && ignored === undefined)
      .map((gate) => describeGate(model.path, gate)),
  )
  return tableIsShown || settings.quiet ? failures : [...failures, ...broken]
}
