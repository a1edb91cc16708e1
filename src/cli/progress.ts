import { toolName } from '../core/version.ts'
import { escapeText } from '../report/escape.ts'
import { count, cutMiddle } from '../report/text.ts'
import type { Settings } from './options.ts'
import { isContinuousIntegration, type Surroundings } from './surroundings.ts'
import { widthOf } from './terminal.ts'

const DELAY = 500
const INTERVAL = 80
const ERASE = '\r\x1b[2K'
/** Milliseconds and part of the work after which an estimate says something. */
const EARLIEST = 3000
const LEAST_SHARE = 0.02

interface Step {
  readonly model: string
  readonly done: number
  readonly total: number
  readonly label: string
  /** How much of the work on this model is done, from 0 to 1. */
  readonly share: number
}

export interface ProgressLine {
  update(step: Step): void
  /** A line that stays, whatever is shown. */
  warn(message: string): void
  /** Leaves the line empty, for whatever is written next. */
  clear(): void
}

/** '40 s', '12 min', '3.5 h': as exact as an estimate is. */
export function describeDuration(milliseconds: number): string {
  const seconds = milliseconds / 1000
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`
  return `${(seconds / 3600).toFixed(1)} h`
}

/** What is left of the work on a model, from what is done of it and the time that took; null: too early to say. */
export function estimateRemaining(elapsed: number, share: number): number | null {
  if (elapsed < EARLIEST || share < LEAST_SHARE) return null
  return (elapsed * (1 - Math.min(1, share))) / share
}

/**
 * One line on standard error that is rewritten; it appears when the work takes longer than half a second, and says
 * how long the model at hand will take from a few seconds on. Where no line can be rewritten, nothing, or one plain
 * line per model when verbose. Warnings are lines of their own in any case, but for --quiet.
 */
export function createProgress(surroundings: Surroundings, settings: Settings, models = 1): ProgressLine {
  const { stderr, environment } = surroundings
  const say = (message: string) => {
    if (!settings.quiet) stderr.write(`${toolName}: ${escapeText(message)}\n`)
  }
  const isHidden = settings.progress === false || settings.quiet
  if (isHidden || !stderr.isTTY || environment.TERM === 'dumb' || isContinuousIntegration(surroundings)) {
    const isLogged = !isHidden && settings.verbose
    return { ...(isLogged ? createLog(surroundings) : silent), warn: say }
  }
  let due = performance.now() + DELAY
  let shown = false
  let seen = performance.now()
  let current = { place: 0, begun: seen, done: Infinity }
  const clear = () => {
    if (shown) stderr.write(ERASE)
    shown = false
  }
  return {
    update({ model, done, total, label, share }) {
      const now = performance.now()
      // a model begins where the last one ended
      current = done <= current.done ? { place: current.place + 1, begun: seen, done } : { ...current, done }
      seen = now
      if (now < due) return
      due = now + INTERVAL
      shown = true
      const left = estimateRemaining(now - current.begun, share)
      const parts = [
        models > 1 ? `[${current.place}/${models}]` : '',
        escapeText(model),
        `${done}/${total}`,
        left === null ? '' : `about ${describeDuration(left)} left`,
        escapeText(label),
      ]
      const line = parts.filter((part) => part !== '').join('  ')
      stderr.write(ERASE + cutMiddle(line, widthOf(stderr, surroundings) - 1))
    },
    warn(message) {
      clear()
      say(message)
    },
    clear,
  }
}

/** Shows nothing, for pipes, dumb terminals and continuous integration. */
const silent: Omit<ProgressLine, 'warn'> = { update: () => {}, clear: () => {} }

/** A plain line for each model as its layers begin, for logs. */
function createLog({ stderr }: Surroundings): Omit<ProgressLine, 'warn'> {
  let last: string | null = null
  return {
    update({ model, total }) {
      if (model !== last) stderr.write(`${escapeText(model)}: ${count(total, 'layer')}\n`)
      last = model
    },
    clear: () => {},
  }
}
