import type { ErrorFacts } from '../core/errors.ts'
import { LipschitzError } from '../core/errors.ts'

/** Refuses a file that contradicts itself or the format. */
export function malformed(message: string, facts: ErrorFacts = {}): LipschitzError {
  return new LipschitzError('malformed', message, facts)
}
