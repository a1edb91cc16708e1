import { LipschitzError } from '../../core/errors.ts'
import { toolName, toolVersion } from '../../core/version.ts'
import { judge, worstVerdict } from '../gate.ts'
import type { AuditOptions } from '../options.ts'
import type { Gate, ModelReport, Report } from '../report-schema.ts'
import { compareModels } from './compare-models.ts'
import { describeLayers } from './diff-layers.ts'
import type { Diff, ModelDiff, OutputChange } from './diff-schema.ts'
import { diffSchemaUrl, diffSchemaVersion } from './diff-schema-version.ts'
import { describeSide } from './diff-side.ts'
import { matchLayers } from './match-layers.ts'

/** What a comparison may be told; proofs, shapes and domain as in an audit. */
export interface DiffOptions
  extends Omit<AuditOptions, 'maxLipschitz' | 'maxLayer' | 'baseline' | 'ignores' | 'timeLimit' | 'cache'> {
  /** Gate: the largest accepted difference of the outputs, over the domain. */
  readonly maxOutputChange?: number
}

/**
 * Compares two ONNX files, or two reports that audits have given: layers matched by their place in the graph, how far
 * their weights are apart as matrices and as operators, how norms, ranks and bounds have moved. Two files whose graphs
 * are one but for quantisation get a proven bound on the difference of their outputs over the domain, and each
 * layer's part in it. Rejects with a `LipschitzError` where a file cannot be read.
 */
export async function diff(
  old: string | Report,
  fresh: string | Report,
  options: DiffOptions = {},
): Promise<Diff> {
  const { maxOutputChange } = options
  if (maxOutputChange !== undefined && !(maxOutputChange >= 0))
    throw new LipschitzError('usage', `maxOutputChange is ${maxOutputChange}`, {
      hint: 'give a number of at least 0',
    })
  const models: ModelDiff[] = []
  if (typeof old === 'string' && typeof fresh === 'string') {
    models.push(judged(await compareModels(old, fresh, options), maxOutputChange))
  } else if (typeof old !== 'string' && typeof fresh !== 'string') {
    for (const [before, after] of counterparts(old.models, fresh.models))
      models.push(judged(compareReports(before, after), maxOutputChange))
  } else {
    throw new LipschitzError('usage', 'a model cannot be compared with a report', {
      hint: 'give two models, or two reports',
    })
  }
  return {
    $schema: diffSchemaUrl,
    schemaVersion: diffSchemaVersion,
    tool: { name: toolName, version: toolVersion },
    verdict: worstVerdict(models.map(({ verdict }) => verdict)),
    models,
  }
}

/** Models of one path; two reports of one model each are compared whatever their paths are. */
function counterparts(
  old: readonly ModelReport[],
  fresh: readonly ModelReport[],
): [ModelReport, ModelReport][] {
  if (old.length === 1 && fresh.length === 1) return [[old[0], fresh[0]]]
  const pairs = fresh.flatMap((after): [ModelReport, ModelReport][] => {
    const before = old.find(({ path }) => path === after.path)
    return before === undefined ? [] : [[before, after]]
  })
  if (pairs.length > 0) return pairs
  throw new LipschitzError('usage', 'the reports have no model in common', {
    hint: 'models of reports are matched by their paths',
  })
}

const byOrder = ({ layers }: ModelReport) => layers.toSorted((a, b) => a.order - b.order)

function compareReports(old: ModelReport, fresh: ModelReport): Omit<ModelDiff, 'verdict' | 'gates'> {
  const [before, after] = [byOrder(old), byOrder(fresh)]
  const matches = matchLayers(before, after)
  return {
    old: describeSide(old),
    new: describeSide(fresh),
    layers: describeLayers(before, after, matches, { difference: () => null, part: () => null }),
    outputChange: null,
    findings: [],
  }
}

function judged(compared: Omit<ModelDiff, 'verdict' | 'gates'>, limit: number | undefined): ModelDiff {
  const { outputChange, ...rest } = compared
  const gates = limit === undefined ? [] : [outputGate(limit, outputChange)]
  return { ...rest, outputChange, gates, verdict: worstVerdict(gates.map(({ verdict }) => verdict)) }
}

function outputGate(limit: number, change: OutputChange | null): Gate {
  const [lower, upper] = [change?.lower?.value ?? null, change?.upper.value ?? null]
  const reason =
    change === null ? 'reports do not tell how outputs differ; compare the models' : change.upper.reason
  return {
    rule: 'max-output-change',
    limit,
    lower,
    upper,
    verdict: judge(lower, upper, limit),
    ...(upper === null ? { unbounded: true as const, reason: reason ?? 'no certificate' } : {}),
  }
}
