import type { PlacedLayer } from '../infer/layers.ts'
import type { LayerMeasurement } from '../norms/measurement.ts'

/** A layer with what was measured of it. */
export interface MeasuredLayer {
  readonly placed: PlacedLayer
  readonly measurement: LayerMeasurement
  /** The operator's norm in the norm that is audited, where that is not ℓ2; null where it has none. */
  readonly induced?: number | null
}
