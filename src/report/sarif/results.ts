import { createHash } from 'node:crypto'
import type { Finding, Gate, ModelReport } from '../../audit/report-schema.ts'
import { displayMessage, displayName } from '../display-name.ts'
import { describeGate } from '../gate-words.ts'
import type { RenderOptions } from '../renderer.ts'
import { describeLocation } from './location.ts'

type Level = Finding['level']

interface Alert {
  readonly rule: string
  readonly level: Level
  readonly text: string
  readonly node: string | undefined
  /** What tells it from other alerts of this rule and place, in any later run. */
  readonly identity: string
  readonly ignored: Finding['ignored']
  readonly properties: Readonly<Record<string, number | string | null>>
}

/** A result of a SARIF log. */
export interface Result {
  readonly ruleId: string
  readonly level: Level
  readonly [key: string]: unknown
}

function gateAlert(gate: Gate, model: ModelReport, { inconclusive }: RenderOptions): Alert {
  const { claim, found, help } = describeGate(gate, model)
  return {
    rule: gate.rule,
    level: gate.verdict === 'inconclusive' && inconclusive === 'warn' ? 'warning' : 'error',
    text: [`${claim}: ${found}`, ...help].join('\n'),
    node: gate.node ?? gate.layers?.[0],
    identity: '',
    ignored: gate.ignored,
    properties: { verdict: gate.verdict, limit: gate.limit, lower: gate.lower, upper: gate.upper },
  }
}

function findingAlert(finding: Finding): Alert {
  const { rule, level, message, node, tensor, hint, ignored } = finding
  return {
    rule,
    level,
    text: [message, hint]
      .filter((part) => part !== undefined)
      .map(displayMessage)
      .join('\n'),
    node: node ?? tensor,
    identity: node ?? tensor ?? message,
    ignored,
    properties: {},
  }
}

/** Equal for the same rule at the same place of the same file, whatever the numbers say. */
function fingerprint(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}

function toResult(alert: Alert, path: string, ruleIndex: (rule: string) => number): Result {
  const identity = fingerprint([alert.rule, path, alert.identity])
  return {
    ruleId: displayName(alert.rule),
    ruleIndex: ruleIndex(alert.rule),
    level: alert.level,
    message: { text: alert.text },
    locations: [describeLocation(path, alert.node)],
    partialFingerprints: { primaryLocationLineHash: `${identity.slice(0, 16)}:1`, 'lipschitz/v1': identity },
    ...(alert.ignored === undefined
      ? {}
      : { suppressions: [{ kind: 'external', justification: displayMessage(alert.ignored.reason) }] }),
    ...(Object.keys(alert.properties).length === 0 ? {} : { properties: alert.properties }),
  }
}

/** One result for every gate that is not met and every finding. */
export function describeResults(
  model: ModelReport,
  options: RenderOptions,
  ruleIndex: (rule: string) => number,
): Result[] {
  const broken = model.gates.filter((gate) => gate.verdict !== 'pass')
  const alerts = [
    ...broken.map((gate) => gateAlert(gate, model, options)),
    ...model.findings.map(findingAlert),
  ]
  const path = options.locate(model.path)
  return alerts.map((alert) => toResult(alert, path, ruleIndex))
}
