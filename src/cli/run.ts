import { describeError } from './errors.ts'
import { exitCodes } from './exit-code.ts'
import { createInterrupts, type EndingSignal, endingSignals } from './interrupts.ts'
import { main } from './main.ts'

/** Runs the command line of this process. Sets the exit code and lets pending output drain. */
export async function run(): Promise<void> {
  const { stdout, stderr, env, argv } = process
  // Whoever writes is told by the callback of its write; without a listener the event would end the process.
  for (const stream of [stdout, stderr]) stream.on('error', () => {})
  const interrupts = createInterrupts((code) => {
    stderr.write(`${stderr.isTTY ? '\r\x1b[2K' : ''}lipschitz: interrupted\n`)
    process.exit(code)
  })
  for (const signal of Object.keys(endingSignals) as EndingSignal[]) {
    process.on(signal, () => interrupts.raise(signal))
  }
  process.on('uncaughtException', (error) => {
    stderr.write(`${describeError(error, argv.includes('--debug'))}\n`)
    process.exit(exitCodes.failure)
  })
  process.exitCode = await main(argv.slice(2), {
    environment: env,
    directory: process.cwd(),
    stdout,
    stderr,
    interrupts,
  })
}
