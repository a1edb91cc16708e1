import { LipschitzError } from '../../src/core/errors.ts'

/** The LipschitzError that a step throws, its facts beside its code and message; any other outcome fails the test. */
export function errorOf(step: () => unknown): { code: string; message: string } & LipschitzError['facts'] {
  try {
    step()
  } catch (error) {
    if (error instanceof LipschitzError) return { code: error.code, message: error.message, ...error.facts }
    throw error
  }
  throw new Error('no error was thrown')
}
