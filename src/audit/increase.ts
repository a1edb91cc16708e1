import { identity, isUnchanged, question } from './baseline.ts'
import { judge, nameOf, worstVerdict } from './gate.ts'
import type { Finding, Gate, Layer, ModelReport } from './report-schema.ts'

/** Below this, values are as good as zero: no increase of a norm matters. */
const ABSOLUTE = 1e-9

/** What a model was found to be against its baseline. */
export interface Comparison {
  readonly gates: readonly Gate[]
  readonly findings: readonly Finding[]
}

/** How much a value may differ without having risen: the width that enclosures have. */
interface Slack {
  readonly maxIncrease: number
  readonly tolerance: number
}

function limitFor(before: number, { maxIncrease, tolerance }: Slack): number {
  return Math.min(Number.MAX_VALUE, before * (1 + maxIncrease / 100) * (1 + tolerance) + ABSOLUTE)
}

function incomparable({ lipschitz: { upper, lower } }: ModelReport, reason: string): Gate {
  return {
    rule: 'max-increase',
    limit: null,
    baseline: null,
    lower: lower?.value ?? null,
    upper: upper.value,
    verdict: 'inconclusive',
    reason,
  }
}

function networkGate({ lipschitz: { upper, lower } }: ModelReport, before: ModelReport, slack: Slack): Gate {
  const old = before.lipschitz.upper
  const known = old.value !== null
  const limit = known ? limitFor(old.value!, slack) : null
  // beyond float64 both may have logarithms; a bound where there was none is no increase
  const logLimit =
    old.log10 === null ? null : old.log10 + Math.log10((1 + slack.maxIncrease / 100) * (1 + slack.tolerance))
  const byLogarithm =
    upper.log10 !== null && (old.unbounded === true || (logLimit !== null && upper.log10 <= logLimit))
  const verdict =
    limit !== null ? judge(lower?.value ?? null, upper.value, limit) : byLogarithm ? 'pass' : 'inconclusive'
  return {
    rule: 'max-increase',
    limit,
    baseline: old.value,
    lower: lower?.value ?? null,
    upper: upper.value,
    verdict,
    ...(upper.unbounded ? { unbounded: true, reason: upper.reason ?? 'no certificate' } : {}),
  }
}

interface Judged {
  readonly layer: Layer
  readonly before: number | null
  readonly limit: number | null
  readonly verdict: Gate['verdict']
}

function judgeLayer(layer: Layer, before: Layer, slack: Slack): Judged {
  const old = before.spectral.upper
  const limit = old === null ? null : limitFor(old, slack)
  const { lower, upper } = layer.spectral
  const unchanged = isUnchanged(layer, before)
  const verdict =
    unchanged || (limit === null && upper !== null)
      ? 'pass'
      : limit === null
        ? 'inconclusive'
        : judge(lower, upper, limit)
  return { layer, before: old, limit, verdict }
}

/** How far beyond its limit; layers without an enclosure are beyond all others. */
function excess({ layer, limit }: Judged): number {
  return layer.spectral.upper === null ? Infinity : layer.spectral.upper / (limit ?? Infinity)
}

const severity = { pass: 0, inconclusive: 1, fail: 2 } satisfies Record<Gate['verdict'], number>

function layersGate(pairs: readonly (readonly [Layer, Layer])[], slack: Slack): Gate | null {
  const judged = pairs
    .map(([layer, before]) => judgeLayer(layer, before, slack))
    .sort((a, b) => severity[b.verdict] - severity[a.verdict] || excess(b) - excess(a))
  if (judged.length === 0) return null
  const [{ layer, before, limit }] = judged
  const risen = judged.filter(({ verdict }) => verdict !== 'pass')
  const verdict = worstVerdict(judged.map((each) => each.verdict)) as Gate['verdict']
  return {
    rule: 'max-layer-increase',
    limit,
    baseline: before,
    lower: layer.spectral.lower,
    upper: layer.spectral.upper,
    verdict,
    node: nameOf(layer),
    ...(layer.spectral.unbounded
      ? { unbounded: true, reason: layer.spectral.reason ?? 'no certificate' }
      : {}),
    ...(risen.length > 0 ? { layers: risen.map((each) => nameOf(each.layer)) } : {}),
  }
}

function describe({ lipschitz: { upper } }: ModelReport): string {
  return upper.value === null ? `10^${upper.log10?.toFixed(3)}` : String(Number(upper.value.toPrecision(5)))
}

function improvement(now: ModelReport, before: ModelReport, { tolerance }: Slack): Finding[] {
  const [log10, old] = [now.lipschitz.upper.log10, before.lipschitz.upper.log10]
  const fell =
    log10 !== null &&
    (old === null ? before.lipschitz.upper.unbounded : log10 < old - Math.log10(1 + tolerance))
  if (!fell) return []
  const was = old === null ? 'there was none' : `it was ${describe(before)}`
  return [
    {
      rule: 'improved-bound',
      level: 'note',
      message: `the bound is ${describe(now)}, in the baseline ${was}`,
      hint: '--update-baseline holds later runs to it',
    },
  ]
}

/** Layers of the one that the other does not have, each as a finding. */
function only(
  layers: readonly Layer[],
  others: ReadonlySet<string>,
  rule: string,
  message: string,
): Finding[] {
  return layers
    .filter((layer) => !others.has(identity(layer)))
    .map((layer): Finding => ({ rule, level: 'note', message, node: nameOf(layer), op: layer.op }))
}

/**
 * Holds a model against the baseline. `layers` are those that are judged; `absolute` tells whether a gate on the
 * network's constant is set: what the baseline does not hold, that gate judges, and without it nothing would.
 */
export function compare(
  model: ModelReport,
  before: ModelReport | null,
  layers: readonly Layer[],
  slack: Slack,
  absolute: boolean,
): Comparison {
  if (before === null) {
    const reason = 'the baseline does not hold this model'
    const hint = '--update-baseline adds it'
    const finding: Finding = { rule: 'not-in-baseline', level: 'warning', message: reason, hint }
    return { gates: absolute ? [] : [incomparable(model, reason)], findings: [finding] }
  }
  if (question(model) !== question(before)) {
    const reason = 'the baseline holds it for another norm, domain, inputs or outputs'
    return { gates: [incomparable(model, reason)], findings: [] }
  }
  const old = new Map(before.layers.map((layer) => [identity(layer), layer]))
  const pairs = layers.flatMap((layer) => {
    const match = old.get(identity(layer))
    return match === undefined ? [] : [[layer, match] as const]
  })
  const gate = layersGate(pairs, slack)
  const now = new Set(model.layers.map(identity))
  return {
    gates: [networkGate(model, before, slack), ...(gate === null ? [] : [gate])],
    findings: [
      ...only(model.layers, new Set(old.keys()), 'new-layers', 'the baseline does not hold these layers'),
      ...only(before.layers, now, 'vanished-layers', 'layers of the baseline are gone'),
      ...improvement(model, before, slack),
    ],
  }
}
