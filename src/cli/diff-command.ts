import type { Report } from '../audit/report-schema.ts'
import type { DiffRenderOptions } from '../report/diff/table.ts'
import { shapesByName, toReadOptions } from './audit-requests.ts'
import type { diffOptions } from './diff-options.ts'
import { exitCodes } from './exit-code.ts'
import type { Settings } from './options.ts'
import type { OwnSettings } from './own-options.ts'
import { createProgress } from './progress.ts'
import { isStandardOutput } from './readers.ts'
import { readReport } from './stored-report.ts'
import { type Surroundings, writeAll } from './surroundings.ts'
import { usesColour } from './terminal.ts'
import { checkWritable, writeWhole } from './write-file.ts'

type Own = OwnSettings<typeof diffOptions>
type Format = 'table' | 'json' | 'markdown'

const renderers: {
  readonly [Name in Format]: () => Promise<(diff: never, options: DiffRenderOptions) => string>
} = {
  table: async () => (await import('../report/diff/table.ts')).renderDiffTable,
  json: async () => (await import('../report/json.ts')).renderValue,
  markdown: async () => (await import('../report/diff/markdown.ts')).renderDiffMarkdown,
}

/** A report where the name says so, else the path of a model. */
async function open(path: string): Promise<string | Report> {
  return path === '-' || /\.json$/i.test(path) ? ((await readReport(path)) as Report) : path
}

/** Compares, writes, and tells by the exit code whether the gate is met. */
export async function runDiff(
  old: string,
  fresh: string,
  own: Own,
  settings: Settings,
  surroundings: Surroundings,
): Promise<number> {
  const path = own.output === undefined || isStandardOutput(own.output) ? null : own.output
  if (path !== null) await checkWritable(path)
  const { inputShape, inputRange, input, outputName, tolerance, certify, bound, effort, seed, threads } =
    settings
  const progress = createProgress(surroundings, settings)
  const { diff } = await import('../audit/diff/diff.ts')
  const sides = [await open(old), await open(fresh)] as const
  const result = await diff(...sides, {
    ...toReadOptions(settings),
    inputShapes: shapesByName(inputShape),
    inputRanges: inputRange,
    inputs: input,
    outputs: outputName,
    ...{ tolerance, certify, bound, effort, seed, threads },
    maxOutputChange: own.maxOutputChange,
    onProgress: progress.update,
  }).finally(progress.clear)
  const format: Format = own.format ?? (settings.json ? 'json' : 'table')
  const render = await renderers[format]()
  const text = render(result as never, {
    colour: path === null && usesColour(surroundings.stdout, settings.color, surroundings),
    top: settings.top ?? null,
    quiet: settings.quiet ?? false,
  })
  if (path === null) await writeAll(surroundings.stdout, text)
  else await writeWhole(path, text)
  return exitCodeOf(
    result.models.flatMap(({ gates }) => gates.map(({ verdict }) => verdict)),
    settings,
  )
}

function exitCodeOf(verdicts: readonly string[], { exitCode, inconclusive }: Settings): number {
  if (exitCode === false) return exitCodes.success
  const broken = verdicts.includes('fail') || (inconclusive !== 'warn' && verdicts.includes('inconclusive'))
  return broken ? exitCodes.gate : exitCodes.success
}
