import type { ModelReport } from '../report-schema.ts'
import type { DiffSide } from './diff-schema.ts'

/** One of the two models, as a whole. */
export function describeSide({
  path,
  sha256,
  bytes,
  parameters,
  lipschitz,
  regularizers,
}: ModelReport): DiffSide {
  return { path, sha256, bytes, parameters, lipschitz: lipschitz.upper, regularizers }
}
