import { toolName } from '../core/version.ts'
import { makeRequests, type Run, sourcesFor } from './audit-requests.ts'
import { chooseDestinations } from './destinations.ts'
import { watchEnding } from './ending.ts'
import { describeFailure } from './errors.ts'
import { exitCodes } from './exit-code.ts'
import type { OptionName, Settings } from './options.ts'
import { questionOf } from './question.ts'
import { usage } from './readers.ts'
import { writeReport } from './rendering.ts'
import type { Surroundings } from './surroundings.ts'
import { checkWritable } from './write-file.ts'

/** Gates that a shard does not judge: it has not seen everything. */
const gates = ['maxLipschitz', 'maxLayer', 'baseline', 'maxIncrease'] as const satisfies readonly OptionName[]

/** Where the report of a shard goes: it is JSON, whatever is left open. */
export function shardDestinations(settings: Settings) {
  const isOpen = settings.format === undefined && !settings.json
  const destinations = chooseDestinations(isOpen ? { ...settings, json: true } : settings)
  if (destinations.some(({ name }) => name !== 'json'))
    throw usage('a shard is written as json', 'lipschitz merge joins shards and writes any format')
  return destinations
}

/** Does one part of an audit and writes it. Gates are left to `merge`. */
export async function runShard(
  paths: readonly string[],
  run: Run,
  settings: Settings,
  surroundings: Surroundings,
): Promise<number> {
  const choice = settings.shard
  if (choice === undefined) throw new Error('no shard is chosen')
  if (settings.updateBaseline)
    throw usage('a shard has no baseline to write', 'lipschitz merge takes --update-baseline')
  const destinations = shardDestinations(settings)
  for (const { path } of destinations) if (path !== null) await checkWritable(path)
  const ending = watchEnding(settings, surroundings)
  const requests = makeRequests(paths, run).map((request) => ({
    ...request,
    question: questionOf(sourcesFor(run, request.path)),
  }))
  const { auditShard } = await import('../audit/shards/shard.ts')
  try {
    const report = await auditShard(requests, choice, { stop: ending.stop })
    ending.release()
    run.progress.clear()
    await writeReport(report, destinations, settings, surroundings)
    const lines = report.errors.map(({ path, message, code: _, ...facts }) =>
      describeFailure(message, { ...facts, model: path }),
    )
    if (!settings.quiet && gates.some((name) => settings[name] !== undefined))
      lines.push(`${toolName}: shard ${choice.index}/${choice.count}: gates are judged by lipschitz merge`)
    for (const line of lines) surroundings.stderr.write(`${line}\n`)
    return ending.code() ?? (report.errors.length > 0 ? exitCodes.failure : exitCodes.success)
  } finally {
    ending.release()
    run.progress.clear()
  }
}
