import { describeError } from './errors.ts'
import { exitCodes } from './exit-code.ts'
import { environmentSource, readSettings, type Source } from './options.ts'
import { parseArguments } from './program.ts'
import { type Surroundings, writeAll } from './surroundings.ts'

async function run(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const invocation = parseArguments(argv)
  const settingsOf = (flags: Source) => readSettings([flags, environmentSource(surroundings.environment)])
  switch (invocation.command) {
    case 'print':
      await writeAll(surroundings.stdout, invocation.text)
      return exitCodes.success
    case 'schema':
      return (await import('./schema-command.ts')).runSchema(invocation.name, surroundings)
    case 'inspect':
      return (await import('./inspect-command.ts')).runInspect(
        invocation.model,
        settingsOf(invocation.flags),
        surroundings,
      )
    case 'audit':
      return (await import('./audit-command.ts')).runAudit(
        invocation.models,
        settingsOf(invocation.flags),
        surroundings,
      )
  }
}

/**
 * Runs one command line (without node and script) and gives its exit code. Never throws: errors become one line
 * on standard error.
 */
export async function main(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  try {
    return await run(argv, surroundings)
  } catch (error) {
    const debug = argv.includes('--debug') || environmentDebug(surroundings)
    surroundings.stderr.write(`${describeError(error, debug)}\n`)
    return exitCodes.failure
  }
}

function environmentDebug({ environment }: Surroundings): boolean {
  return !['', '0', 'false', 'no', 'off', undefined].includes(environment.LIPSCHITZ_DEBUG)
}
