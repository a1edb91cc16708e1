import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { root } from '../cli/built-program.ts'

/** What a run in a process of its own came to, and what it took. */
export interface RunOutside {
  /** Null where a signal ended it. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** Peak resident memory in bytes, as the system counts it; NaN where the process did not live to tell. */
  readonly memory: number
}

/** Against a program that hangs, nothing else: far beyond what any run takes on a busy machine. */
const HANG = 240_000

const tellMemory = `data:text/javascript,${encodeURIComponent(
  "import { writeSync } from 'node:fs'; process.on('exit', () => writeSync(3, String(process.resourceUsage().maxRSS)))",
)}`

/** Runs the built program with a heap of at most 1 GiB. Input is the text on standard input; without it there is none. */
export function runOutside(args: readonly string[], { cwd = root, input = '' } = {}): Promise<RunOutside> {
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(
    process.execPath,
    ['--max-old-space-size=1024', '--import', tellMemory, join(root, 'bin/lipschitz.js'), ...args],
    {
      cwd,
      env: { PATH, HOME },
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      timeout: HANG,
      killSignal: 'SIGKILL',
    },
  )
  const texts = ['', '', '', '']
  for (const [index, stream] of child.stdio.entries())
    if (index > 0) stream?.on('data', (text: Buffer) => (texts[index] += text.toString()))
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  return new Promise((done, fail) => {
    child.on('error', fail)
    child.on('close', (code) => {
      const [, stdout, stderr, memory] = texts
      done({ code, stdout, stderr, memory: memory === '' ? Number.NaN : Number(memory) * 1024 })
    })
  })
}
