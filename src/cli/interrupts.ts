import { exitCodes } from './exit-code.ts'

/** Signals that ask a program to end, and the exit code that says so. */
export const endingSignals = { SIGINT: exitCodes.interrupted, SIGTERM: exitCodes.terminated } as const

export type EndingSignal = keyof typeof endingSignals

/** What happens when somebody wants the program to end. */
export interface Interrupts {
  /** Asks for the first signal, to print what there is; the next one ends the program at once. Gives it back. */
  onFirst(listener: (signal: EndingSignal) => void): () => void
}

export interface SignalledInterrupts extends Interrupts {
  /** A signal has come. */
  raise(signal: EndingSignal): void
}

/** @param end ends the program at once */
export function createInterrupts(end: (code: number) => void): SignalledInterrupts {
  let first: ((signal: EndingSignal) => void) | null = null
  return {
    onFirst(listener) {
      first = listener
      return () => {
        if (first === listener) first = null
      }
    },
    raise(signal) {
      const listener = first
      first = null
      if (listener === null) end(endingSignals[signal])
      else listener(signal)
    },
  }
}
