import { Chalk } from 'chalk'
import type { ModelReport } from '../../audit/report-schema.ts'

type Paint = (text: string) => string

/** Colours by what they mean; each of them goes with a mark or a word that says the same. */
export interface Style {
  readonly title: Paint
  readonly strong: Paint
  readonly faint: Paint
  readonly good: Paint
  readonly bad: Paint
  readonly doubt: Paint
  readonly bar: Paint
}

export function makeStyle(colour: boolean): Style {
  const chalk = new Chalk({ level: colour ? 1 : 0 })
  return {
    title: (text) => chalk.bold(text),
    strong: (text) => chalk.bold(text),
    faint: (text) => chalk.dim(text),
    good: (text) => chalk.green(text),
    bad: (text) => chalk.red.bold(text),
    doubt: (text) => chalk.yellow(text),
    bar: (text) => chalk.cyan(text),
  }
}

type Verdict = ModelReport['verdict']

const marks = {
  pass: { text: 'ok', paint: 'good' },
  fail: { text: 'FAIL', paint: 'bad' },
  inconclusive: { text: '?', paint: 'doubt' },
  none: { text: '–', paint: 'faint' },
} satisfies Record<Verdict, { text: string; paint: keyof Style }>

/** 'ok', 'FAIL', '?' or '–', four columns wide. */
export function verdictMark(verdict: Verdict, style: Style): string {
  const { text, paint } = marks[verdict]
  return style[paint](text.padEnd(4))
}
