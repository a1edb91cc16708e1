import type { Enclosure } from '../core/enclosure.ts'
import type { Stop, StopReason } from '../core/stop.ts'

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
  /** Why the norm is not enclosed as tightly as was asked, or not at all: there was no more time. */
  readonly unfinished?: StopReason
}

export interface MeasureOptions {
  /** Largest accepted relative width of an enclosure. */
  readonly tolerance: number
  readonly certify: 'deterministic' | 'probabilistic'
  readonly seed: number
  readonly threads: number
  /** Failure probability that all layers of the model share. */
  readonly failureProbability: number
  /** Measurements that are there already, by key. */
  readonly known?: ReadonlyMap<string, LayerMeasurement>
  /** Keys of the layers that are measured at all; all by default. Others count in sharing the failure probability. */
  readonly only?: ReadonlySet<string>
  /** Ends the measuring early: what is not finished then has the bounds of a survey, or none. */
  readonly stop?: Stop
  /** Folder where finished measurements are kept for other runs. */
  readonly cache?: string
  /** Bytes that the weights in memory may take. */
  readonly memory?: number
  /** `share`: how much of the work is done, from 0 to 1, by estimated cost. */
  readonly onProgress?: (done: number, total: number, label: string, share: number) => void
  readonly onWarning?: (message: string) => void
  /** The program of a worker thread; that of the package by default. */
  readonly workerFile?: URL
}
