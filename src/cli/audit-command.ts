import type { AuditOptions } from '../audit/options.ts'
import type { Gate, Report } from '../audit/report-schema.ts'
import { toolName } from '../core/version.ts'
import { escapeText } from '../report/escape.ts'
import { formatNumber } from '../report/numbers.ts'
import { chooseDestinations } from './destinations.ts'
import { describeFailure } from './errors.ts'
import { exitCodeOf } from './exit-code.ts'
import type { Settings } from './options.ts'
import { suggestCommand } from './program.ts'
import { createProgress, type ProgressLine } from './progress.ts'
import { type InputShape, usage } from './readers.ts'
import { toRenderOptions, writeReport } from './rendering.ts'
import { appendStepSummary } from './step-summary.ts'
import type { Surroundings } from './surroundings.ts'
import { checkWritable } from './write-file.ts'

export function shapesByName(shapes: readonly InputShape[] = []): Map<string, InputShape['dims']> {
  const byName = new Map<string, InputShape['dims']>()
  for (const { name, dims } of shapes) {
    if (byName.has(name)) throw usage(`--input-shape is given twice for ${name}`)
    byName.set(name, dims)
  }
  return byName
}

function toAuditOptions(settings: Settings, progress: ProgressLine): AuditOptions {
  const {
    inputShape,
    inputRange,
    input,
    outputName,
    maxLipschitz,
    maxLayer,
    tolerance,
    certify,
    seed,
    threads,
  } = settings
  return {
    inputShapes: shapesByName(inputShape),
    inputRanges: inputRange,
    inputs: input,
    outputs: outputName,
    maxLipschitz,
    maxLayer,
    tolerance,
    certify,
    seed,
    threads,
    onProgress: progress.update,
  }
}

function describeGate(path: string, { rule, limit, lower, upper, verdict }: Gate): string {
  const found = `lower bound ${formatNumber(lower, 'down')}, upper bound ${formatNumber(upper, 'up')}`
  return `${toolName}: ${escapeText(path)}: gate ${rule} ${formatNumber(limit)}: ${verdict} (${found})`
}

/** 'lipschitz adit net.onnx' audits a model of the name adit; what was meant may be a command. */
function commandHint(path: string): string | undefined {
  const command = suggestCommand(path)
  return command === null ? undefined : `for a command, did you mean ${command}?`
}

/** What standard error says of a finished audit: models without a report, gates that no table shows. */
function describeTroubles(report: Report, tableIsShown: boolean, settings: Settings): string[] {
  const failures = report.errors.map(({ path, code, message, ...facts }) => {
    const hint = facts.hint ?? (code === 'not-found' ? commandHint(path) : undefined)
    return describeFailure(message, { ...facts, model: path, hint })
  })
  const broken = report.models.flatMap((model) =>
    model.gates.filter((gate) => gate.verdict !== 'pass').map((gate) => describeGate(model.path, gate)),
  )
  return tableIsShown || settings.quiet ? failures : [...failures, ...broken]
}

/** Audits every model, writes every format, says on standard error what went wrong, and gives the exit code. */
export async function runAudit(
  paths: readonly string[],
  settings: Settings,
  surroundings: Surroundings,
): Promise<number> {
  const destinations = chooseDestinations(settings)
  for (const { path } of destinations) if (path !== null) await checkWritable(path)
  const progress = createProgress(surroundings, settings)
  const { audit } = await import('../audit/audit.ts')
  let report: Report
  try {
    report = await audit(paths, toAuditOptions(settings, progress))
  } finally {
    progress.clear()
  }
  if (report.models.length > 0) {
    await writeReport(report, destinations, settings, surroundings)
  }
  if (settings.stepSummary !== false) {
    await appendStepSummary(report, toRenderOptions(settings, null, surroundings), surroundings)
  }
  const tableIsShown = destinations.some(({ name, path }) => name === 'table' && path === null)
  for (const line of describeTroubles(report, tableIsShown, settings)) surroundings.stderr.write(`${line}\n`)
  return exitCodeOf(report, settings)
}
