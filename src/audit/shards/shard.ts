import { createHash } from 'node:crypto'
import { LipschitzError } from '../../core/errors.ts'
import { describeError, joinReport, type Request } from '../audit.ts'
import { auditModel, openModel } from '../model.ts'
import type { RunOptions } from '../options.ts'
import { chooseLayers, measureChosen } from '../proof.ts'
import type { ModelError, ModelReport, ShardRecord } from '../report-schema.ts'
import { costOf } from './cost.ts'
import { type ModelCost, planShards } from './plan.ts'
import { encodeMeasurement, type ShardReport } from './record.ts'

/** A model and what is asked of it, also as texts: how others are told. */
export interface ShardRequest extends Request {
  readonly question: Readonly<Record<string, readonly string[]>>
}

/** Which part of the work is to be done: `index` of `count`, from 1. */
export interface ShardChoice {
  readonly index: number
  readonly count: number
}

/**
 * Does one shard's part of an audit: audits some models whole, measures some layers of others. No gate is judged.
 * Every shard reads the graphs of all models, to know what all parts are; weights are read by whoever measures them.
 */
export async function auditShard(
  requests: readonly ShardRequest[],
  { index, count }: ShardChoice,
  run: RunOptions = {},
): Promise<ShardReport> {
  const seen = await surveyModels(requests, run)
  const plan = planShards(
    seen.map(({ cost }) => cost),
    count,
  )
  const models: ModelReport[] = []
  const errors: ModelError[] = []
  const parts: ShardRecord['parts'] = []
  const mine = requests.map((_, model) =>
    plan.wholes[model] === index ? null : [...plan.parts[model]].filter(([, shard]) => shard === index),
  )
  const busy = mine.flatMap((keys, model) => (keys === null || keys.length > 0 ? [model] : []))
  for (const [done, model] of busy.entries()) {
    const { path, options } = requests[model]
    const { stop } = run
    const part = { stop: stop?.within(stop.remaining() / (busy.length - done)) }
    const keys = mine[model]
    try {
      if (keys === null) models.push(await auditModel(path, options, part))
      else
        parts.push({
          model,
          layers: await measurePart(requests[model], new Set(keys.map(([key]) => key)), part),
        })
    } catch (error) {
      errors.push(describeError(path, error))
    }
  }
  const told = seen.map(({ sha256 }, model) => ({
    path: requests[model].path,
    sha256,
    question: Object.fromEntries(
      Object.entries(requests[model].question).map(([name, texts]) => [name, [...texts]]),
    ),
  }))
  return {
    ...joinReport(models, errors),
    shard: {
      index,
      count,
      plan: digestOf([told, plan.wholes, plan.parts.map((part) => [...part])]),
      complete: run.stop?.reason() !== 'interrupted',
      models: told,
      parts,
    },
  }
}

const digestOf = (value: unknown) => createHash('sha256').update(JSON.stringify(value)).digest('hex')

interface SeenModel {
  /** Null for a model that cannot be read: whoever has it will say why. */
  readonly sha256: string | null
  readonly cost: ModelCost
}

async function surveyModels(requests: readonly ShardRequest[], run: RunOptions): Promise<SeenModel[]> {
  const seen: SeenModel[] = []
  for (const { path, options } of requests) {
    try {
      const typed = await openModel(path, options, run)
      const { placed, candidates } = await chooseLayers(typed, options, run)
      seen.push({ sha256: typed.model.sha256, cost: costOf(typed, [...placed, ...candidates]) })
    } catch (error) {
      // without all models there is no plan
      if (run.stop?.expired() === true || !(error instanceof LipschitzError)) throw error
      seen.push({ sha256: null, cost: { groups: [], overhead: 0 } })
    }
  }
  return seen
}

async function measurePart(
  { path, options }: ShardRequest,
  keys: ReadonlySet<string>,
  run: RunOptions,
): Promise<ShardRecord['parts'][number]['layers']> {
  const typed = await openModel(path, options, run)
  const { placed, candidates } = await chooseLayers(typed, options, run)
  const measured = await measureChosen(typed, [...placed, ...candidates], options, { ...run, only: keys })
  return Array.from(measured, ([key, measurement]) => ({ key, measurement: encodeMeasurement(measurement) }))
}
