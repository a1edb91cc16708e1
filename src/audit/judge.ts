import { type Baseline, counterpart } from './baseline.ts'
import { judgeGates, type Limits, worstVerdict } from './gate.ts'
import { describeIgnores, type Ignore, judgedLayers, markFinding, markGate } from './ignore.ts'
import { compare } from './increase.ts'
import { defaults } from './options.ts'
import type { Finding, Gate, ModelReport } from './report-schema.ts'

/** What a team asks of a model. */
export interface Demands extends Limits {
  readonly baseline?: Baseline
  readonly ignores?: readonly Ignore[]
  /** Relative width that enclosures may have; what is within it has not risen. */
  readonly tolerance?: number
}

const levels: Record<Finding['level'], number> = { error: 0, warning: 1, note: 2 }

/** The worst verdict of the gates that count. */
export function verdictOf(gates: readonly Gate[]): ModelReport['verdict'] {
  return worstVerdict(gates.filter(({ ignored }) => ignored === undefined).map(({ verdict }) => verdict))
}

/**
 * Judges an audited model: absolute gates, increases against a baseline, what is ignored. `audited` are the paths
 * of the whole run, by which models of the baseline are told apart.
 */
export function judgeModel(model: ModelReport, demands: Demands, audited: readonly string[]): ModelReport {
  const { baseline, ignores = [] } = demands
  const judged = judgedLayers(model.layers, 'max-layer', ignores)
  const absolute = judgeGates(demands, model.lipschitz, judged)
  const comparison =
    baseline === undefined
      ? { gates: [], findings: [] }
      : compare(
          model,
          counterpart(model.path, baseline.report, audited),
          judgedLayers(model.layers, 'max-layer-increase', ignores),
          { maxIncrease: baseline.maxIncrease ?? 0, tolerance: demands.tolerance ?? defaults.tolerance },
          demands.maxLipschitz !== undefined,
        )
  const gates = [...absolute, ...comparison.gates].map((gate) => markGate(gate, ignores))
  const findings = [...model.findings, ...comparison.findings, ...describeIgnores(ignores, model.layers)]
  return {
    ...model,
    verdict: verdictOf(gates),
    findings: findings
      .map((finding) => markFinding(finding, ignores))
      .sort((a, b) => levels[a.level] - levels[b.level]),
    gates,
  }
}
