import type { LoadWeights } from '../linalg/linear-operator.ts'
import type { StoredTensor } from '../onnx/stored-tensor.ts'
import type { Geometry } from './geometry.ts'
import type { MeasureOptions } from './measurement.ts'
import type { WeightSource } from './source.ts'

/** Weights that are folded only when they are measured, on the main thread: there are too many to keep. */
export interface LateSource {
  readonly kind: 'late'
  readonly load: LoadWeights
  readonly stored: StoredTensor | null
  readonly key: string
}

/** One measurement. But for late sources it is in a form that one thread can tell another. */
export interface LayerTask {
  readonly geometry: Geometry
  readonly copies: number | null
  readonly source: WeightSource | LateSource
  readonly tolerance: number
  readonly certify: MeasureOptions['certify']
  readonly seed: number
  readonly failureProbability: number
  /** A survey in one pass will do. */
  readonly isQuick?: true
}
