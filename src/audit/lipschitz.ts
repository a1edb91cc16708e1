import type { LowerBound } from '../bounds/lower/lower-bound.ts'
import type { NetworkBounds, Rung } from '../bounds/network-bounds.ts'
import * as mag from '../core/magnitude.ts'
import type { TensorBound } from '../ops/bound.ts'
import type { MeasuredLayer } from './measured-layer.ts'
import type { Bound, Lipschitz, TracePoint } from './report-schema.ts'

/** How far the norms that a bound is made of may be trusted together. */
export interface Trust {
  readonly certificate: 'deterministic' | 'probabilistic'
  readonly failureProbability: number
}

/** Norms are certified one by one; a bound holds when all of them do (union bound). */
export function trustIn(layers: readonly MeasuredLayer[]): Trust {
  const failureProbability = layers.reduce(
    (sum, { measurement }) => sum + (measurement.spectral?.failureProbability ?? 0),
    0,
  )
  return { certificate: failureProbability > 0 ? 'probabilistic' : 'deterministic', failureProbability }
}

/**
 * The bound for all outputs together (`output` null) or for one of the selected outputs. The ladder holds the rungs
 * that are proven; why another is absent is a finding.
 */
export function describeLipschitz(
  bounds: NetworkBounds,
  trust: Trust,
  output: number | null,
  lower: LowerBound | null = null,
): Lipschitz {
  const boundOn = (rung: Rung) => (output === null ? rung.joint : rung.outputs[output])
  const ladder = bounds.ladder
    .map((rung) => describeBound(rung, boundOn(rung), trust))
    .filter((bound) => !bound.unbounded)
  const { offset, refusal } = boundOn(bounds.best)
  return {
    upper: describeBound(bounds.best, boundOn(bounds.best), trust),
    lower: describeLower(lower, output),
    offset: refusal === null ? finite(mag.toNumber(offset.value)) : null,
    ladder,
  }
}

/** Of two points whose quotient is proven; others are no bound that a limit may be held against. */
function describeLower(lower: LowerBound | null, output: number | null): Lipschitz['lower'] {
  if (lower === null || lower.certificate === null) return null
  const { certificate } = lower
  const value = output === null ? lower.value : (lower.outputs[output] ?? 0)
  if (value === 0) return null
  return { value, log10: Math.log10(value), method: 'jacobian', certificate }
}

function describeBound(rung: Rung, { lipschitz, refusal }: TensorBound, trust: Trust): Bound {
  const { method } = rung
  if (refusal !== null || !mag.isBounded(lipschitz.value)) {
    const { reason, ...place } = refusal ?? { reason: 'no finite bound' }
    const where = 'node' in place && place.node !== '' ? { node: place.node, op: place.op } : {}
    return {
      value: null,
      log10: null,
      method,
      certificate: null,
      failureProbability: null,
      unbounded: true,
      reason,
      ...where,
    }
  }
  const log10 = finite(mag.log10(lipschitz.value))
  const { certificate, failureProbability } = trustOf(rung, trust)
  return { value: finite(mag.toNumber(lipschitz.value)), log10, method, certificate, failureProbability }
}

/** Frobenius norms are computed, not enclosed with a probability; norms beside those of the layers add their own. */
function trustOf({ restsOn, failureProbability: own }: Rung, layers: Trust): Trust {
  const failureProbability = own + (restsOn === 'spectral' ? layers.failureProbability : 0)
  return { certificate: failureProbability > 0 ? 'probabilistic' : 'deterministic', failureProbability }
}

/** How the bound grows along the graph. */
export function describeTrace({ trace }: NetworkBounds): TracePoint[] {
  return trace.map(({ node, op, from, lipschitz: { value } }) => ({
    node,
    op,
    from: [...from],
    log10: finite(mag.log10(value)),
    ...(mag.isBounded(value) ? {} : { unbounded: true as const }),
  }))
}

/** JSON holds no NaN and no Infinity. */
function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null
}
