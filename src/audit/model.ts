import { statSync } from 'node:fs'
import type { LowerBound } from '../bounds/lower/lower-bound.ts'
import { attempt } from '../core/stop.ts'
import type { Value } from '../graph/graph.ts'
import { readModel } from '../graph/read-model.ts'
import { inferModel } from '../infer/infer.ts'
import type { TypedGraph } from '../infer/typed-graph.ts'
import { describeDomain } from './domain.ts'
import { collectFindings } from './findings.ts'
import { rankLayers, regularized, regularizers } from './layers.ts'
import { describeLipschitz, describeTrace, trustIn } from './lipschitz.ts'
import { boundBelow } from './lower.ts'
import { type AuditOptions, defaults, type RunOptions } from './options.ts'
import { type Proof, proveBounds } from './proof.ts'
import type { ModelReport } from './report-schema.ts'
import { sensitivitiesOf } from './sensitivity.ts'
import { notAudited } from './unfinished.ts'

/** Bytes of a model that takes a noticeable time to read. */
const LARGE = 2 ** 18

/** What is wrong with a path is told by whoever reads the file. */
function isLarge(path: string): boolean {
  try {
    return statSync(path).size >= LARGE
  } catch {
    return false
  }
}

/** Audits one model, from the file to its report, no gate judged yet. Throws `LipschitzError` for files that cannot be audited. */
export async function auditModel(
  path: string,
  options: AuditOptions,
  run: RunOptions = {},
): Promise<ModelReport> {
  const typed = await openModel(path, options, run)
  return concludeModel(path, typed, await proveBounds(typed, options, run), options, run)
}

/** Reads a model, without its weights. Throws `LipschitzError` for files that cannot be audited. */
export async function openModel(
  path: string,
  options: AuditOptions,
  { stop }: RunOptions,
): Promise<TypedGraph> {
  const open = () => inferModel(readModel(path, options), { inputShapes: options.inputShapes })
  const opened = await attempt(stop, open, { isLong: isLarge(path) })
  if (opened.reason !== null) throw notAudited(opened.reason)
  return opened.value
}

/** The report on a model whose bounds are proven from above, with what proves one from below. */
export async function concludeModel(
  path: string,
  typed: TypedGraph,
  proof: Proof,
  options: AuditOptions,
  run: RunOptions,
): Promise<ModelReport> {
  const lower = await boundBelow(typed, proof, options, run)
  const unfinished = proof.unfinished ?? run.stop?.reason() ?? null
  return describeModel(path, typed, { ...proof, unfinished }, options, lower)
}

/** What is proven of a model, as its report. */
export function describeModel(
  path: string,
  typed: TypedGraph,
  proof: Proof,
  options: AuditOptions,
  lower: LowerBound | null = null,
): ModelReport {
  const { box, measured, layers, bounds, unfinished } = proof
  const trust = trustIn(measured)
  const lipschitz = describeLipschitz(bounds, trust, null, lower)
  const { norm = 'l2' } = options
  const sensitivities = norm === 'l2' ? sensitivitiesOf(typed, proof) : new Map<string, number>()
  const rows = regularized(rankLayers(layers, bounds.elasticities, sensitivities))
  const { model, graph } = typed
  const { inputs, outputs } = bounds.selected
  return {
    path,
    verdict: 'none',
    sha256: model.sha256,
    bytes: model.bytes,
    irVersion: model.irVersion,
    opsets: Object.fromEntries(model.opsets),
    producer: model.producer,
    parameters: model.parameters,
    inputs: graph.inputs.map((input) => ({
      ...describeValue(typed, input),
      audited: inputs.includes(input),
    })),
    outputs: graph.outputs.map((output) => ({
      ...describeValue(typed, output),
      lipschitz: outputs.includes(output)
        ? describeLipschitz(bounds, trust, outputs.indexOf(output), lower)
        : null,
    })),
    norm,
    domain: describeDomain(box, options.ball),
    lipschitz,
    regularizers: regularizers(rows),
    layers: rows,
    findings: collectFindings({
      typed,
      layers,
      bounds,
      box,
      ball: options.ball,
      unfinished,
      tolerance: options.tolerance ?? defaults.tolerance,
    }),
    gates: [],
    trace: describeTrace(bounds),
  }
}

function describeValue(typed: TypedGraph, value: Value) {
  const { type, shape } = typed.operand(value)
  return { name: value.name, shape: shape === null ? null : [...shape], dtype: type }
}
