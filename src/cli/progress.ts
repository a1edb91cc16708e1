import { escapeText } from '../report/escape.ts'
import { cutMiddle } from '../report/text.ts'
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

/** One line on standard error that is rewritten; it appears when the work takes longer than half a second. */
export function createProgress(surroundings: Surroundings, wanted: boolean): ProgressLine {
  const { stderr, environment } = surroundings
  if (!wanted || !stderr.isTTY || environment.TERM === 'dumb' || isContinuousIntegration(surroundings))
    return silent
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
