import type { Request } from '../audit/audit.ts'
import type { Baseline } from '../audit/baseline.ts'
import type { AuditOptions, BallOption } from '../audit/options.ts'
import type { Report } from '../audit/report-schema.ts'
import type { ReadOptions } from '../onnx/read-options.ts'
import type { Config } from './config/config.ts'
import { readSettings, type Settings, type Source } from './options.ts'
import { readPoint } from './points/point.ts'
import type { ProgressLine } from './progress.ts'
import { type InputShape, usage } from './readers.ts'

export function shapesByName(shapes: readonly InputShape[] = []): Map<string, InputShape['dims']> {
  const byName = new Map<string, InputShape['dims']>()
  for (const { name, dims } of shapes) {
    if (byName.has(name)) throw usage(`--input-shape is given twice for ${name}`)
    byName.set(name, dims)
  }
  return byName
}

/** What a file may cost, and what it may reach. */
export function toReadOptions({ limit = [], external, hardLinks }: Settings): ReadOptions {
  return {
    externalData: external,
    hardLinks,
    limits: Object.fromEntries(limit.map(({ name, value }) => [name, value])),
  }
}

/** The ball that is the domain. Throws `usage` for a point without a radius, or a radius without a point. */
function toBall({ around, radius, radiusNorm }: Settings): BallOption | undefined {
  if (around === undefined && radius === undefined) return undefined
  if (around === undefined) throw usage('--radius needs a point', 'give it with --around')
  if (radius === undefined) throw usage('--around needs a distance', 'give it with --radius')
  const read: BallOption['read'] = (audited, held) => readPoint(around, audited, held)
  return { name: around, read, radius, norm: radiusNorm ?? 'l2' }
}

/** What a run brings to every model. */
export interface Run {
  /** Sources that overrule the blocks of the configuration. */
  readonly stronger: readonly Source[]
  readonly config: Config | null
  /** The report that nothing may rise against; null where increases are not judged. */
  readonly baseline: Report | null
  readonly progress: ProgressLine
}

/** What decides the settings of one model, or of the run as a whole where it is null; the strongest first. */
export function sourcesFor(
  { stronger, config }: Pick<Run, 'stronger' | 'config'>,
  model: string | null,
): readonly Source[] {
  if (config === null) return stronger
  return [...stronger, ...(model === null ? [] : config.sourcesFor(model)), config.source]
}

/** The settings of one model, or of the run as a whole where it is null. */
export function settingsFor(run: Pick<Run, 'stronger' | 'config'>, model: string | null): Settings {
  return readSettings(sourcesFor(run, model))
}

function baselineOf({ baseline }: Run, { maxIncrease }: Settings): Baseline | undefined {
  if (baseline === null) return undefined
  return maxIncrease === undefined ? { report: baseline } : { report: baseline, maxIncrease }
}

/** What is asked of a model, and how it is judged. Throws `usage` and `config`. */
export function toAuditOptions(
  path: string,
  run: Run,
  settings: Settings = settingsFor(run, path),
): AuditOptions {
  const {
    inputShape,
    inputRange,
    input,
    outputName,
    maxLipschitz,
    maxLayer,
    norm,
    tolerance,
    certify,
    bound,
    effort,
    seed,
    threads,
    cache,
    memoryLimit,
  } = settings
  return {
    ...toReadOptions(settings),
    inputShapes: shapesByName(inputShape),
    inputRanges: inputRange,
    ball: toBall(settings),
    inputs: input,
    outputs: outputName,
    maxLipschitz,
    maxLayer,
    norm,
    tolerance,
    certify,
    bound,
    effort,
    seed,
    threads,
    cache,
    memoryLimit,
    onProgress: run.progress.update,
    onWarning: run.progress.warn,
    baseline: baselineOf(run, settings),
    ignores: run.config?.ignoresFor(path) ?? [],
  }
}

/** Every model with what is asked of it. Throws `usage` and `config`. */
export function makeRequests(paths: readonly string[], run: Run): Request[] {
  return paths.map((path) => ({ path, options: toAuditOptions(path, run) }))
}
