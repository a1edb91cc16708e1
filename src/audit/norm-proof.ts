import type { BoundOptions } from '../bounds/network-bounds.ts'
import { boundInNorm } from '../bounds/norm-bounds.ts'
import { LipschitzError } from '../core/errors.ts'
import type { OtherNorm } from '../core/norm-name.ts'
import type { TypedGraph } from '../infer/typed-graph.ts'
import { inducedNormOf } from '../norms/induced.ts'
import type { MeasuredLayer } from './measured-layer.ts'
import type { AuditOptions } from './options.ts'
import type { Proof } from './proof.ts'

/**
 * Bounds the network in ℓ∞ or ℓ1, with the layers' norms in that norm: sums of absolute values, taken here. Throws `usage` for
 * methods that know ℓ2 alone.
 */
export function proveInNorm(
  typed: TypedGraph,
  norm: OtherNorm,
  measured: readonly MeasuredLayer[],
  options: BoundOptions,
  choice: AuditOptions['bound'] = 'best',
): Pick<Proof, 'measured' | 'bounds'> {
  if (choice === 'mean-slope' || choice === 'sdp' || choice === 'exact') {
    throw new LipschitzError('usage', `the bound ${choice} is one in l2, not in ${norm}`, {
      hint: 'leave --bound or --norm out',
    })
  }
  const layers = measured.map((layer) => ({ ...layer, induced: inducedNormOf(layer.placed.spec, norm) }))
  const byKey = new Map(layers.map(({ placed, induced }) => [placed.key, { placed, induced }]))
  const normOf = (key: string) => {
    const layer = byKey.get(key)
    if (layer === undefined) return 'has no norm'
    return layer.induced ?? `has a weight that is not finite ('${layer.placed.spec.weightName}')`
  }
  const bounds = boundInNorm(typed, norm, normOf, options)
  const product = bounds.ladder[0]
  return {
    measured: layers,
    bounds: choice === 'product' ? { ...bounds, ladder: [product], best: product } : bounds,
  }
}
