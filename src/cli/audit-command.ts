import { resolve } from 'node:path'
import type { AuditOptions } from '../audit/options.ts'
import type { Report } from '../audit/report-schema.ts'
import type { Stop } from '../core/stop.ts'
import { toolName } from '../core/version.ts'
import { makeRequests, type Run, settingsFor } from './audit-requests.ts'
import { openBaseline, settleBaseline } from './baseline-file.ts'
import { type Config, loadConfig } from './config/config.ts'
import { printConfig } from './config/print.ts'
import { describeUnused } from './config/unused.ts'
import { chooseDestinations } from './destinations.ts'
import { watchEnding } from './ending.ts'
import { exitCodeOf, exitCodes } from './exit-code.ts'
import { decide, environmentSource, type Settings, type Source } from './options.ts'
import { createProgress } from './progress.ts'
import { usage } from './readers.ts'
import { toRenderOptions, writeReport } from './rendering.ts'
import { appendStepSummary } from './step-summary.ts'
import { type Surroundings, writeAll } from './surroundings.ts'
import { describeInterruption, describeTroubles } from './troubles.ts'
import { checkWritable, prepareFolder } from './write-file.ts'

/** The configuration that the flags and the environment ask for; an empty path asks for none. */
function openConfig(stronger: readonly Source[], surroundings: Surroundings): Promise<Config | null> {
  const asked = decide(stronger)
    .find(({ name }) => name === 'config')
    ?.texts.at(-1)
  const today = new Date().toISOString().slice(0, 10)
  return asked === '' ? Promise.resolve(null) : loadConfig(asked, surroundings, today)
}

/** Writes the report everywhere it is asked for. */
async function publish(report: Report, settings: Settings, surroundings: Surroundings): Promise<void> {
  // without a model there is no result for standard output; files say which models failed
  const destinations = chooseDestinations(settings).filter(
    ({ name, path }) => report.models.length > 0 || (path !== null && name !== 'table'),
  )
  await writeReport(report, destinations, settings, surroundings)
  if (settings.stepSummary !== false) {
    await appendStepSummary(report, toRenderOptions(settings, null, surroundings), surroundings)
  }
}

/** Makes the report of a run. */
type Make = (run: Run, options: { readonly stop: Stop }) => Promise<Report>

/** What decides a run. */
export interface Decided {
  readonly stronger: readonly Source[]
  readonly config: Config | null
  readonly settings: Settings
}

/** Options from flags, environment and configuration. */
export async function decideRun(flags: Source, surroundings: Surroundings): Promise<Decided> {
  const stronger = [flags, environmentSource(surroundings.environment)]
  const config = await openConfig(stronger, surroundings)
  return { stronger, config, settings: settingsFor({ stronger, config }, null) }
}

/**
 * Makes a report, writes every format, says on standard error what went wrong, and gives the exit code. Whether results
 * can be written is found out first. `models`: how many the report is about.
 */
export async function judgeAndPublish(
  { stronger, config, settings }: Decided,
  models: number,
  surroundings: Surroundings,
  make: Make,
): Promise<number> {
  const destinations = chooseDestinations(settings)
  for (const { path } of destinations) if (path !== null) await checkWritable(path)
  const file = await openBaseline(settings, surroundings)
  const isWritten = destinations.some(
    ({ path }) => path !== null && resolve(surroundings.directory, path) === file?.path,
  )
  if (isWritten)
    throw usage('a format would overwrite the baseline', 'write the baseline with --update-baseline')
  const { stop, release, code } = watchEnding(settings, surroundings)
  const progress = createProgress(surroundings, settings, models)
  const baseline = file === null || file.isUpdated ? null : file.report
  const report = await make({ stronger, config, baseline, progress }, { stop }).finally(() => {
    release()
    progress.clear()
  })
  await publish(report, settings, surroundings)
  const tableIsShown = destinations.some(({ name, path }) => name === 'table' && path === null)
  const lines = describeTroubles(report, tableIsShown, settings)
  if (file !== null) lines.push(...(await settleBaseline(file, report, settings, surroundings)))
  if (config !== null && !settings.quiet) {
    lines.push(...describeUnused(config, report).map((line) => `${toolName}: ${line}`))
  }
  if (code() !== null) lines.push(describeInterruption(report, models))
  for (const line of lines) surroundings.stderr.write(`${line}\n`)
  return code() ?? exitCodeOf(report, settings)
}

/** What writes the singular vectors of the one model, once it is known that they can be written. */
async function openVectors(
  path: string,
  models: readonly string[],
): Promise<(options: AuditOptions) => Promise<void>> {
  const { checkVectors, writeVectors } = await import('./vectors-file.ts')
  checkVectors(path, models)
  await checkWritable(path)
  return async (options) => {
    const { singularVectors } = await import('../audit/vectors.ts')
    await writeVectors(path, await singularVectors(models[0], options))
  }
}

/** Audits every model, or one shard's part of the work. */
export async function runAudit(
  paths: readonly string[],
  flags: Source,
  surroundings: Surroundings,
): Promise<number> {
  const decided = await decideRun(flags, surroundings)
  const { stronger, config, settings } = decided
  if (settings.printConfig) {
    await writeAll(surroundings.stdout, printConfig(config, stronger, paths))
    return exitCodes.success
  }
  if (paths.length === 0) throw usage('no model is given', 'lipschitz audit <model...>, or lipschitz --help')
  if (settings.cache !== undefined) await prepareFolder(settings.cache)
  if (settings.shard !== undefined) {
    const progress = createProgress(surroundings, settings, paths.length)
    const { runShard } = await import('./shard-command.ts')
    return runShard(paths, { stronger, config, baseline: null, progress }, settings, surroundings)
  }
  const vectors = settings.vectors === undefined ? null : await openVectors(settings.vectors, paths)
  return judgeAndPublish(decided, paths.length, surroundings, async (run, { stop }) => {
    const requests = makeRequests(paths, run)
    const { auditEach } = await import('../audit/audit.ts')
    const report = await auditEach(requests, { stop })
    if (report.models.length > 0) await vectors?.(requests[0].options)
    return report
  })
}
