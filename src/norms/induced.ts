import type { OtherNorm } from '../core/norm-name.ts'
import { inducedNorm } from '../linalg/induced.ts'
import type { LayerKind, LayerSpec } from '../ops/layer.ts'

/** Kinds whose operator is described by the one that it is the adjoint of. */
const adjoints: ReadonlySet<LayerKind> = new Set(['conv-transpose'])

/** The norm of a layer's operator in ℓ∞ or ℓ1, rounded up; null where a weight is not finite. */
export function inducedNormOf({ operator, kind }: LayerSpec, norm: OtherNorm): number | null {
  const value = inducedNorm(operator, operator.load(), norm, adjoints.has(kind))
  return Number.isFinite(value) ? value : null
}
