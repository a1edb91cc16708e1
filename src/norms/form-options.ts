import type { NormOptions } from '../linalg/norm-options.ts'
import type { ProductTeam } from '../linalg/slabs.ts'
import type { Recall } from './outside.ts'

/** How to measure an operator. */
export interface FormOptions {
  /** How often the operator acts on one batch element; null: not known. */
  readonly copies: number | null
  /** How to enclose the norm once the checksum of the weights is known. */
  readonly optionsFor: (sha256: string) => NormOptions
  readonly recall: Recall
  /** Bytes that weights in memory may take: larger matrices are read by blocks. */
  readonly memory: number
  readonly team?: ProductTeam
}
