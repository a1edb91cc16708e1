import type { Ignore } from '../../audit/ignore.ts'
import type { ModelReport, Report } from '../../audit/report-schema.ts'
import { displayMessage, displayName } from '../../report/display-name.ts'
import type { Config } from './config.ts'

function isUsed({ rule, reason }: Ignore, { gates, findings }: ModelReport): boolean {
  const isMeant = (said: { rule: string; ignored?: { reason: string } }) =>
    said.rule === rule && said.ignored?.reason === reason
  const leavesOut = `${rule} leaves out layers: ${reason}`
  return gates.some(isMeant) || findings.some((finding) => isMeant(finding) || finding.message === leavesOut)
}

/** A line for each ignore that is in force for a model of this run and meets nothing in any of them. */
export function describeUnused(config: Config, report: Report): string[] {
  const used = new Map<Ignore, boolean>()
  for (const model of report.models) {
    for (const ignore of config.ignoresFor(model.path)) {
      if (!ignore.expired) used.set(ignore, used.get(ignore) || isUsed(ignore, model))
    }
  }
  return [...used]
    .filter(([, isNeeded]) => !isNeeded)
    .map(
      ([{ rule, reason }]) =>
        `${displayName(config.path)}: the ignore of ${rule} is not needed any more (${displayMessage(reason)})`,
    )
}
