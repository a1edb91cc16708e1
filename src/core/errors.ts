/** What went wrong, as scripts and tests tell errors apart. Every code but `interrupted` ends the program with 2. */
export type ErrorCode =
  | 'usage'
  | 'config'
  | 'not-found'
  | 'unreadable'
  | 'not-onnx'
  | 'malformed'
  | 'unsafe'
  | 'limit'
  | 'shape'
  | 'unsupported'
  | 'output'
  | 'internal'
  | 'interrupted'

/** Where it went wrong and what to do about it; all optional, all printed when present. */
export interface ErrorFacts {
  readonly model?: string
  readonly node?: string
  readonly tensor?: string
  readonly hint?: string
}

/** An error that users are expected to meet: one line, no stack. Anything else that is thrown is a bug of ours. */
export class LipschitzError extends Error {
  readonly code: ErrorCode
  readonly facts: ErrorFacts

  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}) {
    super(message)
    this.name = 'LipschitzError'
    this.code = code
    this.facts = facts
  }

  /** The same error with more facts; facts that are already known stay. */
  with(facts: ErrorFacts): LipschitzError {
    return new LipschitzError(this.code, this.message, { ...facts, ...this.facts })
  }
}

/** Runs a step and puts these facts to any LipschitzError that leaves it. */
export function named<Result>(facts: ErrorFacts, step: () => Result): Result {
  try {
    return step()
  } catch (error) {
    throw error instanceof LipschitzError ? error.with(facts) : error
  }
}
