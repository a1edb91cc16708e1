export { audit } from './audit/audit.ts'
export type { Baseline } from './audit/baseline.ts'
export { type DiffOptions, diff } from './audit/diff/diff.ts'
export type { Diff, LayerDiff, ModelDiff, OutputChange, WeightDifference } from './audit/diff/diff-schema.ts'
export type { Ignore } from './audit/ignore.ts'
export type { AuditOptions, Progress } from './audit/options.ts'
export type {
  Bound,
  Finding,
  Gate,
  Layer,
  Lipschitz,
  ModelError,
  ModelReport,
  Report,
  Verdict,
} from './audit/report-schema.ts'
export { type LayerVectors, type ShapedVector, singularVectors } from './audit/vectors.ts'
export { LipschitzError } from './core/errors.ts'
export type { Normalization, NormalizedLayer } from './edit/normalization.ts'
export { normalize } from './edit/normalize.ts'
export type { LayerChoice, NormalizeOptions, Spread } from './edit/options.ts'
