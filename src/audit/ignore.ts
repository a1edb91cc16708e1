import type { Finding, Gate, Layer } from './report-schema.ts'

/** A gate or a kind of finding that a team knows of and accepts. */
export interface Ignore {
  readonly rule: string
  /** The nodes that are meant; absent: all of them, and gates on the whole network. */
  readonly matchesNode?: (node: string) => boolean
  readonly reason: string
  /** The last day, YYYY-MM-DD. */
  readonly until?: string
  /** Whether that day has passed: the ignore has no effect then. */
  readonly expired?: boolean
}

function mark({ reason, until }: Ignore): Gate['ignored'] {
  return until === undefined ? { reason } : { reason, until }
}

function active(ignores: readonly Ignore[], rule: string): Ignore[] {
  return ignores.filter((ignore) => ignore.rule === rule && !ignore.expired)
}

/** The layers that a gate of layers judges. */
export function judgedLayers(
  layers: readonly Layer[],
  rule: string,
  ignores: readonly Ignore[],
): readonly Layer[] {
  const out = active(ignores, rule).filter(({ matchesNode }) => matchesNode !== undefined)
  return layers.filter((layer) => !out.some(({ matchesNode }) => matchesNode?.(layer.node)))
}

/** Gates that are not met and ignored as a whole say so. */
export function markGate(gate: Gate, ignores: readonly Ignore[]): Gate {
  if (gate.verdict === 'pass') return gate
  const found = active(ignores, gate.rule).find(({ matchesNode }) => matchesNode === undefined)
  return found === undefined ? gate : { ...gate, ignored: mark(found) }
}

export function markFinding(finding: Finding, ignores: readonly Ignore[]): Finding {
  const found = active(ignores, finding.rule).find(
    ({ matchesNode }) =>
      matchesNode === undefined || (finding.node !== undefined && matchesNode(finding.node)),
  )
  return found === undefined ? finding : { ...finding, ignored: mark(found) }
}

const layerGates: readonly string[] = ['max-layer', 'max-layer-increase']

/** What ignoring did that no gate and no finding shows: layers left out, dates passed. */
export function describeIgnores(ignores: readonly Ignore[], layers: readonly Layer[]): Finding[] {
  const expired = ignores
    .filter((ignore) => ignore.expired)
    .map(
      ({ rule, reason, until }): Finding => ({
        rule: 'expired-ignore',
        level: 'warning',
        message: `the ignore of ${rule} has ended on ${until}: ${reason}`,
      }),
    )
  const out = ignores
    .filter(({ rule, matchesNode, expired }) => layerGates.includes(rule) && matchesNode && !expired)
    .flatMap(({ rule, matchesNode, reason }) =>
      layers
        .filter((layer) => matchesNode?.(layer.node))
        .map(
          (layer): Finding => ({
            rule: 'ignored-layers',
            level: 'note',
            message: `${rule} leaves out layers: ${reason}`,
            node: layer.node,
          }),
        ),
    )
  return [...expired, ...out]
}
