import { escapeText } from '../report/escape.ts'
import { count, cutMiddle } from '../report/text.ts'
import type { Settings } from './options.ts'
import { isContinuousIntegration, type Surroundings } from './surroundings.ts'
import { widthOf } from './terminal.ts'

const DELAY = 500
const INTERVAL = 80
const ERASE = '\r\x1b[2K'

interface Step {
  readonly model: string
  readonly done: number
  readonly total: number
  readonly label: string
}

export interface ProgressLine {
  update(step: Step): void
  /** Leaves the line empty, for whatever is written next. */
  clear(): void
}

/** Shows nothing, for pipes, dumb terminals and continuous integration. */
const silent: ProgressLine = { update: () => {}, clear: () => {} }

/** A plain line for each model as its layers begin, for logs. */
function createLog({ stderr }: Surroundings): ProgressLine {
  let last: string | null = null
  return {
    update({ model, total }) {
      if (model !== last) stderr.write(`${escapeText(model)}: ${count(total, 'layer')}\n`)
      last = model
    },
    clear: () => {},
  }
}

/**
 * One line on standard error that is rewritten; it appears when the work takes longer than half a second. Where
 * no line can be rewritten, nothing, or one plain line per model when verbose.
 */
export function createProgress(surroundings: Surroundings, settings: Settings): ProgressLine {
  const { stderr, environment } = surroundings
  if (settings.progress === false || settings.quiet) return silent
  if (!stderr.isTTY || environment.TERM === 'dumb' || isContinuousIntegration(surroundings)) {
    return settings.verbose ? createLog(surroundings) : silent
  }
  let due = performance.now() + DELAY
  let shown = false
  return {
    update({ model, done, total, label }) {
      const now = performance.now()
      if (now < due) return
      due = now + INTERVAL
      shown = true
      const line = `${escapeText(model)}  ${done}/${total}  ${escapeText(label)}`
      stderr.write(ERASE + cutMiddle(line, widthOf(stderr, surroundings) - 1))
    },
    clear() {
      if (shown) stderr.write(ERASE)
      shown = false
    },
  }
}
