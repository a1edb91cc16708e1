import { createStop, type Stop } from '../core/stop.ts'
import { type EndingSignal, endingSignals } from './interrupts.ts'
import type { Settings } from './options.ts'
import type { Surroundings } from './surroundings.ts'

/** When an audit has to end, and what the program exits with if that was before it was done. */
export interface Ending {
  readonly stop: Stop
  /** The exit code of a run that was interrupted; null for all others. */
  code(): number | null
  /** From here on a signal ends the program at once. */
  release(): void
}

/** A time limit, and the first signal: an audit then prints what it has. */
export function watchEnding(settings: Settings, { interrupts }: Surroundings): Ending {
  const { timeLimit } = settings
  const stop = createStop({
    isBreakable: interrupts !== undefined,
    ...(timeLimit === undefined ? {} : { timeLimit: timeLimit * 1000 }),
  })
  let signalled: EndingSignal = 'SIGINT'
  const release =
    interrupts?.onFirst((signal) => {
      signalled = signal
      stop.interrupt()
    }) ?? (() => {})
  // a signal that broke into a step was the first one, too
  stop.onInterrupt(release)
  return { stop, release, code: () => (stop.reason() === 'interrupted' ? endingSignals[signalled] : null) }
}
