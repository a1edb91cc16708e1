import { LipschitzError } from '../core/errors.ts'
import { createStop } from '../core/stop.ts'
import { toolName, toolVersion } from '../core/version.ts'
import { worstVerdict } from './gate.ts'
import { judgeModel } from './judge.ts'
import { auditModel } from './model.ts'
import type { AuditOptions, RunOptions } from './options.ts'
import { isOutOfMemory } from './out-of-memory.ts'
import type { ModelError, ModelReport, Report } from './report-schema.ts'
import { schemaUrl, schemaVersion } from './schema-version.ts'
import { notAudited } from './unfinished.ts'

/**
 * Audits ONNX files: norms of all layers, bounds on the Lipschitz constant, ranking, gates. Every model is audited;
 * one that cannot be read stands under `errors`, with what and where. Equal files and options give an equal
 * report, whatever the number of threads. Rejects with a `LipschitzError` of code `usage` for options that no model
 * could meet.
 */
export async function audit(paths: string | readonly string[], options: AuditOptions = {}): Promise<Report> {
  const list = typeof paths === 'string' ? [paths] : paths
  const { timeLimit } = options
  const run = timeLimit === undefined ? {} : { stop: createStop({ timeLimit: timeLimit * 1000 }) }
  return auditEach(
    list.map((path) => ({ path, options })),
    run,
  )
}

/** A model and what is asked of it. */
export interface Request {
  readonly path: string
  readonly options: AuditOptions
}

/**
 * Like `audit`, each model with options of its own. Of the time that is left a model gets its part among those that
 * are still to come; what it does not need goes to the others.
 */
export async function auditEach(requests: readonly Request[], { stop }: RunOptions = {}): Promise<Report> {
  for (const { options } of requests) checkOptions(options)
  const paths = requests.map(({ path }) => path)
  const models: ModelReport[] = []
  const errors: ModelError[] = []
  for (const [index, { path, options }] of requests.entries()) {
    try {
      const reason = stop?.reason() ?? null
      if (reason !== null) throw notAudited(reason)
      const part = stop?.within(stop.remaining() / (requests.length - index))
      models.push(judgeModel(await auditModel(path, options, { stop: part }), options, paths))
    } catch (error) {
      errors.push(describeError(path, error))
    }
  }
  return joinReport(models, errors)
}

export function joinReport(models: ModelReport[], errors: ModelError[]): Report {
  return {
    $schema: schemaUrl,
    schemaVersion,
    tool: { name: toolName, version: toolVersion },
    verdict: worstVerdict(models.map((model) => model.verdict)),
    models,
    errors,
  }
}

/** What stands in the report for a model that could not be audited. Throws what is a mistake of ours. */
export function describeError(path: string, error: unknown): ModelError {
  const known = isOutOfMemory(error)
    ? new LipschitzError('limit', 'it needs more memory than there is')
    : error
  if (!(known instanceof LipschitzError)) throw error
  const { model: _, ...facts } = known.facts
  return { path, code: known.code, message: known.message, ...facts }
}

function checkOptions({ maxLipschitz, maxLayer, baseline, tolerance, threads }: AuditOptions): void {
  const limits = { maxLipschitz, maxLayer, maxIncrease: baseline?.maxIncrease }
  for (const [name, limit] of Object.entries(limits)) {
    if (limit !== undefined && !(limit >= 0))
      throw refusal(`${name} is ${limit}`, 'give a number of at least 0')
  }
  if (tolerance !== undefined && !(tolerance > 0 && tolerance < 1)) {
    throw refusal(`tolerance is ${tolerance}`, 'give a number between 0 and 1')
  }
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) {
    throw refusal(`threads is ${threads}`, 'give a whole number of at least 1')
  }
}

function refusal(message: string, hint: string): LipschitzError {
  return new LipschitzError('usage', message, { hint })
}
