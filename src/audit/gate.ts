import type { Gate, Layer, Lipschitz, Verdict } from './report-schema.ts'

/** The limits that a team has set; undefined: no such gate. */
export interface Limits {
  readonly maxLipschitz?: number
  readonly maxLayer?: number
}

/**
 * Three verdicts, because a bound is not a value: `pass` when the proven upper bound is within the limit, `fail`
 * when a proven lower bound is beyond it, else `inconclusive`. Unknown never passes.
 */
export function judge(lower: number | null, upper: number | null, limit: number): Gate['verdict'] {
  if (upper !== null && upper <= limit) return 'pass'
  return lower !== null && lower > limit ? 'fail' : 'inconclusive'
}

const severity: Record<Verdict, number> = { none: 0, pass: 1, inconclusive: 2, fail: 3 }

export function worstVerdict(verdicts: readonly Verdict[]): Verdict {
  return verdicts.reduce((worst, verdict) => (severity[verdict] > severity[worst] ? verdict : worst), 'none')
}

/** Every gate that has a limit, judged. `layers` are by rank. */
export function judgeGates(limits: Limits, lipschitz: Lipschitz, layers: readonly Layer[]): Gate[] {
  const gates: Gate[] = []
  if (limits.maxLipschitz !== undefined) gates.push(networkGate(limits.maxLipschitz, lipschitz, layers))
  if (limits.maxLayer !== undefined) gates.push(layerGate(limits.maxLayer, layers))
  return gates
}

function networkGate(limit: number, { upper, lower }: Lipschitz, layers: readonly Layer[]): Gate {
  const verdict = judge(lower?.value ?? null, upper.value, limit)
  return {
    rule: 'max-lipschitz',
    limit,
    lower: lower?.value ?? null,
    upper: upper.value,
    verdict,
    ...(upper.unbounded ? { unbounded: true, reason: upper.reason ?? 'no certificate' } : {}),
    ...(verdict === 'pass' ? {} : { layers: layers.filter((layer) => (layer.share ?? 1) > 0).map(nameOf) }),
  }
}

/** The layer that is furthest beyond the limit decides; a layer without an enclosure is beyond any limit. */
function layerGate(limit: number, layers: readonly Layer[]): Gate {
  const judged = layers.filter((layer) => layer.kind !== 'embedding')
  const byNorm = [...judged].sort((a, b) => (b.spectral.upper ?? Infinity) - (a.spectral.upper ?? Infinity))
  const verdicts = byNorm.map(({ spectral }) => judge(spectral.lower, spectral.upper, limit))
  const verdict = worstVerdict(verdicts)
  const decides = byNorm[Math.max(verdicts.indexOf(verdict as Gate['verdict']), 0)]
  const beyond = byNorm.filter((_, i) => verdicts[i] !== 'pass')
  return {
    rule: 'max-layer',
    limit,
    lower: decides?.spectral.lower ?? (decides ? null : 0),
    upper: decides?.spectral.upper ?? (decides ? null : 0),
    verdict: verdict === 'none' ? 'pass' : verdict,
    ...(decides?.spectral.unbounded
      ? { unbounded: true, reason: decides.spectral.reason ?? 'no certificate' }
      : {}),
    ...(decides ? { node: nameOf(decides) } : {}),
    ...(beyond.length > 0 ? { layers: beyond.map(nameOf) } : {}),
  }
}

/** The node, with the role where a node has several layers. */
export function nameOf(layer: Pick<Layer, 'node' | 'role'>): string {
  return layer.role === '' ? layer.node : `${layer.node}[${layer.role}]`
}
