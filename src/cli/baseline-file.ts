import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ModelReport, Report } from '../audit/report-schema.ts'
import { toolName } from '../core/version.ts'
import { displayName } from '../report/display-name.ts'
import { renderJson } from '../report/json.ts'
import { count } from '../report/text.ts'
import { exitCodeOf, exitCodes } from './exit-code.ts'
import type { Settings } from './options.ts'
import { usage } from './readers.ts'
import { readReport } from './stored-report.ts'
import type { Surroundings } from './surroundings.ts'
import { writeWhole } from './write-file.ts'

/** Findings of an audit that was not done: no bound to hold later ones against. */
const partialRules = { 'time-limit': true, interrupted: true }

/** The file of `--baseline`, and what it holds; `report` null: it is yet to be written. */
export interface BaselineFile {
  readonly path: string
  readonly report: Report | null
  readonly isUpdated: boolean
}

/** Reads the baseline, where one is asked for. Throws `usage` and `unreadable`. */
export async function openBaseline(
  settings: Settings,
  { directory }: Surroundings,
): Promise<BaselineFile | null> {
  const { baseline: path, maxIncrease, updateBaseline = false } = settings
  if (path === undefined) {
    if (updateBaseline) throw usage('--update-baseline needs --baseline <report.json>')
    if (maxIncrease !== undefined) throw usage('--max-increase needs --baseline <report.json>')
    return null
  }
  const place = resolve(directory, path)
  if (existsSync(place)) return { path: place, report: await readReport(place), isUpdated: updateBaseline }
  if (updateBaseline) return { path: place, report: null, isUpdated: true }
  throw usage(`there is no baseline ${path}`, 'write it with --update-baseline')
}

/** Models of the baseline whose files are gone. */
function staleModels({ report }: BaselineFile, audited: readonly string[], directory: string): ModelReport[] {
  return (report?.models ?? []).filter(
    ({ path }) => !audited.includes(path) && !existsSync(resolve(directory, path)),
  )
}

/** The new report's models in the order of the old one, then the others; what is stale is left out. */
function merge(file: BaselineFile, report: Report, directory: string): Report {
  const audited = new Map(report.models.map((model) => [model.path, model]))
  const stale = new Set(staleModels(file, [...audited.keys()], directory))
  const kept = (file.report?.models ?? []).filter((model) => !stale.has(model))
  const known = new Set(kept.map(({ path }) => path))
  const models = [
    ...kept.map((model) => audited.get(model.path) ?? model),
    ...[...audited.values()].filter(({ path }) => !known.has(path)),
  ]
  return { ...report, models }
}

/**
 * After an audit: writes the baseline anew where that was asked for and every gate is met, else says what in it is
 * stale. Lines are for standard error.
 */
export async function settleBaseline(
  file: BaselineFile,
  report: Report,
  settings: Settings,
  { directory }: Surroundings,
): Promise<string[]> {
  const name = displayName(file.path, 1000)
  if (!file.isUpdated) {
    const stale = staleModels(
      file,
      report.models.map(({ path }) => path),
      directory,
    )
    return stale.map(
      ({ path }) =>
        `${toolName}: ${name} holds ${displayName(path)}, which is gone: --update-baseline drops it`,
    )
  }
  const isPartial = report.models.some(({ findings }) => findings.some(({ rule }) => rule in partialRules))
  if (isPartial) return [`${toolName}: ${name} is left as it is: the audit ended early`]
  if (exitCodeOf(report, { ...settings, exitCode: true }) !== exitCodes.success) {
    return [`${toolName}: ${name} is left as it is: not every gate is met`]
  }
  const merged = merge(file, report, directory)
  await writeWhole(file.path, renderJson(merged))
  return settings.quiet ? [] : [`${toolName}: ${name} now holds ${count(merged.models.length, 'model')}`]
}
