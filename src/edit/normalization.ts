import type { Bound, Spectral } from '../audit/report-schema.ts'

/** A layer before and after. */
export interface NormalizedLayer {
  readonly node: string
  readonly role: string
  readonly op: string
  /** The tensor that enters the node. */
  readonly weight: string
  /** The tensor of the file that the layer is scaled by: the weight itself, or its scale. Null where there is none. */
  readonly tensor: string | null
  /** What the weight was multiplied by, before rounding; 1 where it was left alone. */
  readonly factor: number
  /** The nodes behind the layer whose scales are part of its norm. */
  readonly with: readonly string[]
  readonly before: Spectral
  readonly after: Spectral
  /** Why the layer could not have been scaled; null where it could. */
  readonly reason: string | null
}

/** What `normalize` has written, all of it proven of the file that was written. */
export interface Normalization {
  readonly model: string
  readonly output: string
  /** Names of the files written, in the folder of the output: external data first. */
  readonly files: readonly string[]
  /** SHA-256 of the model before and after; equal where nothing had to change. */
  readonly sha256: { readonly before: string; readonly after: string }
  readonly lipschitz: { readonly before: Bound; readonly after: Bound }
  /** Chosen layers in the order of the graph. */
  readonly layers: readonly NormalizedLayer[]
  /** Batch normalisations that could not be folded. */
  readonly notFolded: readonly { readonly node: string; readonly reason: string }[]
}
