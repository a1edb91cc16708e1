import type { Limits } from '../core/limits.ts'

/** What reading a model may cost, and what it may reach. */
export interface ReadOptions {
  /** Reads tensors that stand in other files (the default); otherwise such a tensor is an error. */
  readonly externalData?: boolean
  /** Accepts external data files with more than one hard link; not by default. */
  readonly hardLinks?: boolean
  /** Limits that differ from the standard ones. */
  readonly limits?: Partial<Limits>
}
