import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** How far two inputs of a model are apart, how far its outputs, and how large these are; null for what is no number. */
export interface Stretch {
  readonly input: number
  readonly output: number | null
  readonly size: number | null
}

/** What ONNX Runtime makes of a file. */
export type Verdict =
  | { readonly kind: 'refused'; readonly reason: string }
  /** The session was made; nothing was run where inputs or outputs are no floats, or where running failed. */
  | { readonly kind: 'accepted'; readonly pairs: readonly Stretch[]; readonly failure: string | null }
  /** The process ended, or did not come back, while the file was loaded. */
  | { readonly kind: 'gone' }

/** Long for a model of a few nodes: what takes longer does not end by itself. */
const HANG = 10_000

interface Answer {
  readonly loaded?: true
  readonly refused?: string
  readonly failed?: string
  readonly pairs?: readonly Stretch[]
}

/** Asks ONNX Runtime of each file in turn, in a process that is started anew where a file has ended it. */
export async function askRuntime(paths: readonly string[]): Promise<Map<string, Verdict>> {
  const verdicts = new Map<string, Verdict>()
  let child: ChildProcess | null = null
  let lines: AsyncIterator<string> | null = null
  const end = () => {
    child?.kill('SIGKILL')
    child = null
  }
  for (const path of paths) {
    if (child === null || lines === null) {
      child = spawn(process.execPath, [join(import.meta.dirname, 'runtime-child.mjs')], {
        stdio: ['pipe', 'pipe', 'ignore'],
      })
      child.stdin?.on('error', () => {})
      lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
    }
    child.stdin?.write(`${path}\n`)
    let isLoaded = false
    let verdict: Verdict | null = null
    while (verdict === null) {
      const answer = await nextAnswer(lines)
      if (answer === null) {
        verdict = isLoaded ? { kind: 'accepted', pairs: [], failure: 'did not end' } : { kind: 'gone' }
        end()
      } else if (answer.loaded) isLoaded = true
      else if (answer.refused !== undefined) verdict = { kind: 'refused', reason: answer.refused }
      else verdict = { kind: 'accepted', pairs: answer.pairs ?? [], failure: answer.failed ?? null }
    }
    verdicts.set(path, verdict)
  }
  end()
  return verdicts
}

/** Null where there is none, or none in time. */
async function nextAnswer(lines: AsyncIterator<string>): Promise<Answer | null> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<null>((done) => {
    timer = setTimeout(() => done(null), HANG)
  })
  const line = await Promise.race([lines.next().then(({ value, done }) => (done ? null : value)), late])
  clearTimeout(timer)
  return line === null ? null : JSON.parse(line)
}
