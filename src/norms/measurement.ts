import type { Enclosure } from '../core/enclosure.ts'

/** The measured norms of one layer. */
export interface LayerMeasurement {
  /** Of the stored tensor (‖W‖_F), and of the linear map on one batch element at its real size. `operator`
   * is null where the size is not known. */
  readonly frobenius: { readonly weight: number; readonly operator: number | null }
  /** Null where a weight is not finite. */
  readonly spectral: Enclosure | null
  /** SHA-256 of the weight as stored, or, for folded weights, of its folded float data. */
  readonly weightSha256: string
  /** Set where the weight holds NaN or ±Infinity: index of the first such element, and its value as text. */
  readonly nonFinite: { readonly index: number; readonly value: string } | null
}

export interface MeasureOptions {
  /** Largest accepted relative width of an enclosure. */
  readonly tolerance: number
  readonly certify: 'deterministic' | 'probabilistic'
  readonly seed: number
  readonly threads: number
  /** Failure probability that all layers of the model share. */
  readonly failureProbability: number
  readonly onProgress?: (done: number, total: number, label: string) => void
}
