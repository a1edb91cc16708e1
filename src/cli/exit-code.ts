import type { Report } from '../audit/report-schema.ts'
import type { Settings } from './options.ts'

export const exitCodes = { success: 0, gate: 1, failure: 2, interrupted: 130, terminated: 143 } as const

/** The worst of all models: 2 where one could not be audited, 1 where a gate is not met, else 0. */
export function exitCodeOf(
  report: Report,
  { exitCode, inconclusive }: Pick<Settings, 'exitCode' | 'inconclusive'>,
): number {
  if (report.errors.length > 0) return exitCodes.failure
  if (exitCode === false) return exitCodes.success
  const gates = report.models.flatMap((model) => model.gates)
  const verdicts = gates.filter(({ ignored }) => ignored === undefined).map(({ verdict }) => verdict)
  const broken = verdicts.includes('fail') || (inconclusive !== 'warn' && verdicts.includes('inconclusive'))
  return broken ? exitCodes.gate : exitCodes.success
}
