import { execFileSync, spawn } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const root = resolve(import.meta.dirname, '../..')
export const fixtures = join(root, 'fixtures/trained')
const program = join(root, 'bin/lipschitz.js')

function newest(folder: string): number {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return files.reduce((latest, file) => Math.max(latest, statSync(join(folder, file)).mtimeMs), 0)
}

/** Builds where dist/ is absent or older than the source. */
export function buildWhereStale(): void {
  const built = join(root, 'dist/cli.cache')
  if (existsSync(built) && statSync(built).mtimeMs >= newest(join(root, 'src'))) return
  execFileSync(process.execPath, [join(root, 'scripts/build.mjs')], { cwd: root, stdio: 'pipe' })
}

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Launch {
  readonly environment?: Record<string, string>
  readonly cwd?: string
  /** Sends this signal, once, when something appears on standard error. */
  readonly signalOnStderr?: NodeJS.Signals
}

/** Runs the built program as a process of its own, without the colours and limits of the test's environment. */
export function lipschitz(args: readonly string[], launch: Launch = {}): Promise<Outcome> {
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, [program, ...args], {
    cwd: launch.cwd ?? root,
    env: { PATH, HOME, ...launch.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const outcome = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    outcome.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (outcome.stderr === '' && launch.signalOnStderr !== undefined) child.kill(launch.signalOnStderr)
    outcome.stderr += text
  })
  return new Promise((done) => child.on('close', (code) => done({ code, ...outcome })))
}
