import { describeError } from './errors.ts'
import { exitCodes } from './exit-code.ts'
import type { Invocation } from './invocation.ts'
import { environmentSource, readSettings, type Settings, type Source } from './options.ts'
import { parseArguments } from './program.ts'
import { type Surroundings, writeAll } from './surroundings.ts'

type Runner<Name extends Invocation['command']> = (
  invocation: Extract<Invocation, { command: Name }>,
  surroundings: Surroundings,
) => Promise<number>

/** Flags over the environment; only audits read a configuration file. */
function settingsOf(flags: Source, { environment }: Surroundings): Settings {
  return readSettings([flags, environmentSource(environment)])
}

/** A command's code is loaded only when it runs. */
const runners: { readonly [Name in Invocation['command']]: Runner<Name> } = {
  print: async ({ text }, { stdout }) => {
    await writeAll(stdout, text)
    return exitCodes.success
  },
  audit: async ({ models, flags }, surroundings) =>
    (await import('./audit-command.ts')).runAudit(models, flags, surroundings),
  inspect: async ({ model, norms, flags }, surroundings) =>
    (await import('./inspect-command.ts')).runInspect(
      model,
      norms,
      settingsOf(flags, surroundings),
      surroundings,
    ),
  diff: async ({ old, fresh, own, flags }, surroundings) =>
    (await import('./diff-command.ts')).runDiff(
      old,
      fresh,
      own,
      settingsOf(flags, surroundings),
      surroundings,
    ),
  probe: async ({ model, own, flags }, surroundings) =>
    (await import('./probe-command.ts')).runProbe(model, own, settingsOf(flags, surroundings), surroundings),
  normalize: async ({ model, own, flags }, surroundings) =>
    (await import('./normalize-command.ts')).runNormalize(
      model,
      own,
      settingsOf(flags, surroundings),
      surroundings,
    ),
  report: async ({ path, flags }, surroundings) =>
    (await import('./report-command.ts')).runReport(path, settingsOf(flags, surroundings), surroundings),
  merge: async ({ paths, flags }, surroundings) =>
    (await import('./merge-command.ts')).runMerge(paths, flags, surroundings),
  schema: async ({ name }, surroundings) =>
    (await import('./schema-command.ts')).runSchema(name, surroundings),
  explain: async ({ rule }, surroundings) =>
    (await import('./explain-command.ts')).runExplain(rule, surroundings),
  completion: async ({ shell }, surroundings) =>
    (await import('./completion/completion-command.ts')).runCompletion(shell, surroundings),
}

/**
 * Runs one command line (without node and script) and gives its exit code. Never throws: errors become one line
 * on standard error.
 */
export async function main(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  try {
    const invocation = parseArguments(argv)
    const run = runners[invocation.command] as Runner<Invocation['command']>
    return await run(invocation, surroundings)
  } catch (error) {
    const debug = argv.includes('--debug') || environmentDebug(surroundings)
    surroundings.stderr.write(`${describeError(error, debug)}\n`)
    return exitCodes.failure
  }
}

function environmentDebug({ environment }: Surroundings): boolean {
  return !['', '0', 'false', 'no', 'off', undefined].includes(environment.LIPSCHITZ_DEBUG)
}
