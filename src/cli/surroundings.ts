import { LipschitzError } from '../core/errors.ts'
import type { Interrupts } from './interrupts.ts'

/** A stream of the terminal as the command line needs it: process.stdout, process.stderr, or a test's own. */
export interface OutputStream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string, done?: (error?: Error | null) => void): boolean
}

/** What a run reads of the world and writes to it, besides files. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The working directory, absolute. */
  readonly directory: string
  readonly stdout: OutputStream
  readonly stderr: OutputStream
  /** Where there are signals to be told of. */
  readonly interrupts?: Interrupts
}

/** Writes all of it, and returns when the stream has taken it. A closed pipe (`| head`) has seen enough: no error.
 * Throws `output` for any other failure.
 */
export function writeAll(stream: OutputStream, text: string): Promise<void> {
  if (text === '') return Promise.resolve()
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      const closed = (error as NodeJS.ErrnoException | null | undefined)?.code === 'EPIPE'
      if (error && !closed)
        reject(new LipschitzError('output', `cannot write to standard output: ${error.message}`))
      else resolve()
    })
  })
}

/** Whether a continuous integration system runs us. */
export function isContinuousIntegration({ environment }: Surroundings): boolean {
  const value = environment.CI
  return value !== undefined && value !== '' && value !== 'false' && value !== '0'
}
