export { audit } from './audit/audit.ts'
export type { Baseline } from './audit/baseline.ts'
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
export { LipschitzError } from './core/errors.ts'
