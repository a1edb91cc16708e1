import { LipschitzError } from '../../core/errors.ts'
import { toolVersion } from '../../core/version.ts'
import type { LayerMeasurement } from '../../norms/measurement.ts'
import { describeError, joinReport, type Request } from '../audit.ts'
import { judgeModel } from '../judge.ts'
import { concludeModel, openModel } from '../model.ts'
import type { RunOptions } from '../options.ts'
import { chooseLayers, proveBounds } from '../proof.ts'
import type { ModelError, ModelReport, Report, ShardRecord } from '../report-schema.ts'
import { checkWeights } from './check-weights.ts'
import { decodeMeasurement, type ShardReport } from './record.ts'

/** A report as it was read, and from which file. */
export interface NamedReport {
  readonly path: string
  readonly report: Report
}

function refusal(message: string, hint?: string): LipschitzError {
  return new LipschitzError('usage', message, hint === undefined ? {} : { hint })
}

/**
 * Makes sure that the reports are those of all shards of one run of this version, each once, and gives them in order.
 * @throws LipschitzError usage
 */
export function checkShards(reports: readonly NamedReport[]): ShardReport[] {
  if (reports.length === 0) throw refusal('no report is given', 'lipschitz merge <report.json...>')
  const found = reports.map(({ path, report }) => {
    const { shard, tool } = report
    if (shard === undefined)
      throw refusal(`${path} is no report of a shard`, 'shards come from audit --shard i/n')
    if (tool.version !== toolVersion)
      throw refusal(
        `${path} was made by version ${tool.version}, this is ${toolVersion}`,
        'merge with the version that made the shards',
      )
    return { path, report: { ...report, shard } }
  })
  const [first] = found
  for (const other of found) checkSame(first, other)
  const { count } = first.report.shard
  const byIndex = new Map<number, { path: string; report: ShardReport }>()
  for (const one of found) {
    const { index, complete } = one.report.shard
    if (!(index >= 1 && index <= count)) throw refusal(`${one.path} is shard ${index} of ${count}`)
    const twin = byIndex.get(index)
    if (twin !== undefined)
      throw refusal(
        `shard ${index}/${count} is there twice, as ${twin.path} and as ${one.path}`,
        'leave one out',
      )
    if (!complete)
      throw refusal(
        `${one.path}: shard ${index}/${count} was interrupted`,
        'run it again; with --cache it goes on',
      )
    byIndex.set(index, one)
  }
  const missing = Array.from({ length: count }, (_, i) => i + 1).filter((index) => !byIndex.has(index))
  if (missing.length > 0) {
    const which = missing.map((index) => `${index}/${count}`).join(', ')
    throw refusal(`${missing.length === 1 ? 'shard' : 'shards'} ${which} missing`, 'run them, and merge all')
  }
  return Array.from(byIndex)
    .sort(([a], [b]) => a - b)
    .map(([, { report }]) => report)
}

interface NamedShard {
  readonly path: string
  readonly report: ShardReport
}

/** Says in what two shards differ that belong to different runs. */
function checkSame(first: NamedShard, other: NamedShard): void {
  const [a, b] = [first.report.shard, other.report.shard]
  const both = `${first.path} and ${other.path}`
  if (a.count !== b.count) throw refusal(`${both} are of ${a.count} and of ${b.count} shards`)
  const paths = ({ models }: ShardRecord) => models.map(({ path }) => path)
  if (JSON.stringify(paths(a)) !== JSON.stringify(paths(b)))
    throw refusal(`${both} are of different models: ${paths(a).join(' ')} and ${paths(b).join(' ')}`)
  for (const [index, one] of a.models.entries()) {
    const two = b.models[index]
    if (one.sha256 !== two.sha256) throw refusal(`${both} read different files as ${one.path}`)
    for (const name of new Set([...Object.keys(one.question), ...Object.keys(two.question)])) {
      const [here, there] = [one.question[name], two.question[name]].map(
        (texts) => texts?.join(' ') ?? 'nothing',
      )
      if (here !== there)
        throw refusal(
          `${both} differ in a setting of ${one.path}: ${name} is ${here} in one, ${there} in the other`,
        )
    }
  }
  if (a.plan !== b.plan) throw refusal(`${both} part the work in different ways`, 'run all shards anew')
}

/**
 * The report of the whole run, byte for byte that of a run without shards. Models that were parted are read again: their
 * graphs for the bounds, their weights where bounds need them; their norms are those of the shards.
 * @param requests in the order of the shards' models
 */
export async function mergeShards(
  shards: readonly ShardReport[],
  requests: readonly Request[],
  run: RunOptions = {},
): Promise<Report> {
  const paths = requests.map(({ path }) => path)
  const models: ModelReport[] = []
  const errors: ModelError[] = []
  const { models: told } = shards[0].shard
  for (const [model, { path, options }] of requests.entries()) {
    const measurements = measurementsOf(shards, model)
    try {
      const outcome =
        wholeOf(shards, path) ?? (await boundParted(requests[model], told[model].sha256, measurements, run))
      if ('code' in outcome) errors.push(outcome)
      else models.push(judgeModel(outcome, options, paths))
    } catch (error) {
      errors.push(describeError(path, error))
    }
  }
  return joinReport(models, errors)
}

function measurementsOf(shards: readonly ShardReport[], model: number): Map<string, LayerMeasurement> {
  const parts = shards.flatMap(({ shard }) => shard.parts.filter((part) => part.model === model))
  return new Map(
    parts.flatMap(({ layers }) =>
      layers.map(({ key, measurement }): [string, LayerMeasurement] => {
        const decoded = decodeMeasurement(measurement)
        if (decoded === null) throw refusal(`what a shard says of the layer ${key} is no measurement`)
        return [key, decoded]
      }),
    ),
  )
}

/** What the one shard that had the model says of it, or the first that could not do its part of it. */
function wholeOf(shards: readonly ShardReport[], path: string): ModelReport | ModelError | undefined {
  const found = shards.flatMap(({ models, errors }): (ModelReport | ModelError)[] => [...errors, ...models])
  return found.find((outcome) => outcome.path === path)
}

async function boundParted(
  { path, options }: Request,
  sha256: string | null,
  measurements: ReadonlyMap<string, LayerMeasurement>,
  run: RunOptions,
): Promise<ModelReport> {
  const typed = await openModel(path, options, run)
  if (typed.model.sha256 !== sha256)
    throw new LipschitzError('malformed', 'the file is not the one that the shards have read', {
      hint: 'merge where the shards ran, or run them anew',
    })
  const { placed, candidates } = await chooseLayers(typed, options, run)
  const missing = [...placed, ...candidates].find(({ key }) => !measurements.has(key))
  if (missing !== undefined)
    throw new LipschitzError('malformed', `no shard has measured the layer ${missing.key}`)
  checkWeights(typed, [...placed, ...candidates], measurements)
  return concludeModel(path, typed, await proveBounds(typed, options, { ...run, measurements }), options, run)
}
