import { decideRun, judgeAndPublish } from './audit-command.ts'
import { sourcesFor, toAuditOptions } from './audit-requests.ts'
import { readSettings, type Source } from './options.ts'
import { questionSource, withoutQuestion } from './question.ts'
import { usage } from './readers.ts'
import { readReport } from './stored-report.ts'
import type { Surroundings } from './surroundings.ts'

/**
 * Joins the reports of all shards of a run into the report that a run without shards gives, and judges its gates. What
 * was asked of the models is what the shards say; how the report is judged and written is what is said here.
 */
export async function runMerge(
  paths: readonly string[],
  flags: Source,
  surroundings: Surroundings,
): Promise<number> {
  const decided = await decideRun(flags, surroundings)
  if (decided.settings.shard !== undefined) throw usage('a merge has no shards of its own')
  const { checkShards, mergeShards } = await import('../audit/shards/merge.ts')
  const reports = []
  for (const path of paths) reports.push({ path, report: await readReport(path) })
  const shards = checkShards(reports)
  const { models } = shards[0].shard
  return judgeAndPublish(decided, models.length, surroundings, (run, { stop }) => {
    const requests = models.map(({ path, question }) => {
      const judging = sourcesFor(run, path).map(withoutQuestion)
      const settings = readSettings([questionSource(question), ...judging])
      return { path, options: toAuditOptions(path, run, settings) }
    })
    return mergeShards(shards, requests, { stop })
  })
}
