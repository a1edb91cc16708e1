import { Script } from 'node:vm'

/** Why work ends before it is done. */
export type StopReason = 'time-limit' | 'interrupted'

/** Tells work when it has to end: at a time limit, or when somebody interrupts it. */
export interface Stop {
  /** Null while work may go on. Cheap enough for every step of an iteration. */
  reason(): StopReason | null
  /** The same as a yes or no, for iterations that can stop at any time with what they have. */
  expired(): boolean
  /** Milliseconds until the time limit; Infinity without one. */
  remaining(): number
  /** Ends the work now. */
  interrupt(): void
  /** Calls back once when the work is interrupted; what is returned takes the listener away. */
  onInterrupt(listener: () => void): () => void
  /** The same work with at most so many milliseconds from now. */
  within(milliseconds: number): Stop
  /** Whether Ctrl-C shall break into steps that this thread is busy with. */
  readonly isBreakable: boolean
}

export interface StopOptions {
  /** Milliseconds from now; Infinity by default. */
  readonly timeLimit?: number
  /** Set where a program of its own handles SIGINT; a library leaves signals to its host. */
  readonly isBreakable?: boolean
  /** A clock in milliseconds. */
  readonly now?: () => number
}

export function createStop(options: StopOptions = {}): Stop {
  const { timeLimit = Infinity, isBreakable = false, now = () => performance.now() } = options
  const listeners = new Set<() => void>()
  let isInterrupted = false

  function endingAt(deadline: number): Stop {
    const remaining = () => Math.max(0, deadline - now())
    const reason = () => (isInterrupted ? 'interrupted' : remaining() === 0 ? 'time-limit' : null)
    return {
      reason,
      remaining,
      isBreakable,
      expired: () => reason() !== null,
      interrupt() {
        if (isInterrupted) return
        isInterrupted = true
        for (const listener of listeners) listener()
      },
      onInterrupt(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
      within: (milliseconds) => endingAt(Math.min(deadline, now() + milliseconds)),
    }
  }

  return endingAt(now() + timeLimit)
}

/** What became of a step that may be broken off. */
export type Attempt<Result> =
  | { readonly reason: null; readonly value: Result }
  | { readonly reason: StopReason }

/** Where the script finds the step: a script shares nothing with its caller but global names. */
const place = Symbol.for('lipschitz: step')
/** Milliseconds within which a signal breaks into a step. */
const SETTLED = 2
/** The longest delay of a timer. */
const LONGEST = 2 ** 31 - 1

let script: Script | null = null

/**
 * Runs a synchronous step to its end, or until it has to stop: also in the middle of a loop of a kernel or of a wait
 * for another thread, which see neither clock nor signals. V8 then unwinds the step without running its `finally`
 * blocks: what it left half done must not be used.
 *
 * Costs 0.1 ms where there is something to watch for, and a few milliseconds behind a long step. One that is known to
 * be short (`isLong` false) is not watched for signals: they reach the program right behind it.
 */
export async function attempt<Result>(
  stop: Stop | undefined,
  step: () => Result,
  { isLong = true }: { readonly isLong?: boolean } = {},
): Promise<Attempt<Result>> {
  const breakOnSigint = isLong && stop?.isBreakable === true
  // a signal that came before is told now: watching for signals anew would lose it
  if (stop?.isBreakable) await new Promise(setImmediate)
  const before = stop?.reason() ?? null
  if (before !== null) return { reason: before }
  const timeout = stop?.remaining() ?? Infinity
  if (stop === undefined || (timeout === Infinity && !breakOnSigint)) return { reason: null, value: step() }
  const shared = globalThis as { [place]?: () => void }
  const outer = shared[place]
  let result: Attempt<Result> = { reason: 'interrupted' }
  shared[place] = () => {
    const begun = performance.now()
    result = { reason: null, value: step() }
    // a signal of just now takes effect here, or never
    if (breakOnSigint && performance.now() - begun > 10 * SETTLED)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SETTLED)
  }
  try {
    script ??= new Script("globalThis[Symbol.for('lipschitz: step')]()")
    script.runInThisContext({
      displayErrors: false,
      breakOnSigint,
      ...(timeout === Infinity ? {} : { timeout: Math.min(LONGEST, Math.max(1, Math.ceil(timeout))) }),
    })
    return result
  } catch (error) {
    const code = (error as { code?: unknown } | null)?.code
    if (code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return { reason: 'time-limit' }
    if (code !== 'ERR_SCRIPT_EXECUTION_INTERRUPTED') throw error
    stop.interrupt()
    return { reason: 'interrupted' }
  } finally {
    shared[place] = outer
  }
}
