import type { NetworkBounds } from '../bounds/network-bounds.ts'
import { LipschitzError } from '../core/errors.ts'
import type { StopReason } from '../core/stop.ts'
import type { MeasuredLayer } from './measured-layer.ts'
import type { Finding } from './report-schema.ts'

/** 'within the time limit' */
export function untilWhen(reason: StopReason): string {
  return reason === 'time-limit' ? 'within the time limit' : 'before the audit was interrupted'
}

/** The error for a model of which nothing is known. */
export function notAudited(reason: StopReason): LipschitzError {
  return reason === 'time-limit'
    ? new LipschitzError('limit', 'not audited within the time limit', {
        hint: 'give it more with --time-limit',
      })
    : new LipschitzError('interrupted', 'not audited before the run was interrupted')
}

const hints: Record<StopReason, string> = {
  'time-limit': 'give it more time with --time-limit, or keep what is finished with --cache',
  interrupted: 'run it again; with --cache it goes on where it was',
}

/**
 * What an audit that ended early left open, layer by layer: every number that is shown is proven all the same, but
 * looser than was asked for.
 */
export function describeUnfinished(
  layers: readonly MeasuredLayer[],
  bounds: NetworkBounds,
  unfinished: StopReason | null,
): Finding[] {
  const findings = layers.flatMap(
    ({ placed: { node }, measurement: { unfinished: reason, spectral } }): Finding[] => {
      if (reason === undefined) return []
      const message =
        spectral === null
          ? `the norm was not measured ${untilWhen(reason)}: there is no certificate`
          : `the norm was not measured ${untilWhen(reason)}: it has the bounds of a survey`
      return [{ rule: reason, level: 'warning', message, node: node.name, hint: hints[reason] }]
    },
  )
  if (unfinished === null || bounds.ladder.length === 0) return findings
  const message = `some bounds of the network were left out or not refined ${untilWhen(unfinished)}`
  return [...findings, { rule: unfinished, level: 'warning', message, hint: hints[unfinished] }]
}
