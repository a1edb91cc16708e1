import { Command, CommanderError, Option } from 'commander'
import { toolName, toolVersion } from '../core/version.ts'
import { auditExamples, exitCodes, formatTable, inspectFields } from './help.ts'
import { auditOptions, type OptionName, type Source } from './options.ts'
import { usage } from './readers.ts'
import { suggest } from './suggest.ts'

/** What the command line asks for. */
export type Invocation =
  | { readonly command: 'audit'; readonly models: readonly string[]; readonly flags: Source }
  | { readonly command: 'inspect'; readonly model: string; readonly flags: Source }
  | { readonly command: 'schema'; readonly name: string }
  | { readonly command: 'print'; readonly text: string }

export const commandNames = ['audit', 'inspect', 'schema', 'help'] as const

const inspectOptions = ['inputShape', 'debug'] as const satisfies readonly OptionName[]

/** The help shows '--[no-]color' once; commander wants both flags. */
function toOptions(name: OptionName): Option[] {
  const { flags, group, text, kind } = auditOptions[name]
  if (!flags.includes('[no-]')) {
    const option = new Option(flags, text).helpGroup(`${group}:`)
    if (kind === 'list') option.argParser((value: string, previous: string[] = []) => [...previous, value])
    return [option]
  }
  const positive = new Option(flags.replace('[no-]', ''), text).helpGroup(`${group}:`)
  const negative = new Option(flags.replace('[no-]', 'no-'), text).hideHelp()
  return [positive, negative]
}

function optionTerm(option: Option): string {
  const declared = auditOptions[option.attributeName() as OptionName]
  return declared?.flags.includes('[no-]') ? declared.flags : option.flags
}

/** The options given on the command line, as texts. */
function flagSource(command: Command): Source {
  return {
    label: (name) => auditOptions[name].flags.match(/--[\w[\]-]+/)![0],
    texts: (name) => {
      if (command.getOptionValueSource(name) !== 'cli') return undefined
      const value: unknown = command.getOptionValue(name)
      return Array.isArray(value) ? value : [String(value)]
    },
  }
}

function makeProgram(printed: string[], choose: (invocation: Invocation) => void): Command {
  const program = new Command(toolName)
    .description(
      'Audits neural networks in ONNX files: operator norms of layers, proven Lipschitz bounds, gates for CI',
    )
    .version(toolVersion, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .exitOverride()
    .configureOutput({ writeOut: (text) => printed.push(text), writeErr: () => {}, outputError: () => {} })
    .configureHelp({ optionTerm, helpWidth: 100 })
    .addHelpText(
      'after',
      `\n${auditExamples}\n\n${exitCodes}\n\n\`${toolName} audit --help\` lists the options of an audit.`,
    )

  const audit = program
    .command('audit', { isDefault: true })
    .summary('layers, norms, bounds, ranking and gates of models (the default command)')
    .description(
      'Finds every layer with constant weights, encloses the norm of its linear map, proves an upper bound of ' +
        "the network's Lipschitz constant, ranks the layers by their part in it, and judges the gates.",
    )
    .argument('<model...>', 'ONNX files')
    .addHelpText('after', `\n${formatTable()}\n\n${auditExamples}\n\n${exitCodes}`)
    .action((models: string[]) => choose({ command: 'audit', models, flags: flagSource(audit) }))
  for (const name of Object.keys(auditOptions) as OptionName[]) {
    for (const option of toOptions(name)) audit.addOption(option)
  }

  const inspect = program
    .command('inspect')
    .summary('the graph as read, one line per node')
    .description('Prints the graph as read, one line each for inputs, nodes and outputs.')
    .argument('<model>', 'ONNX file')
    .addHelpText('after', `\n${inspectFields}`)
    .action((model: string) => choose({ command: 'inspect', model, flags: flagSource(inspect) }))
  for (const name of inspectOptions) for (const option of toOptions(name)) inspect.addOption(option)

  program
    .command('schema')
    .summary('the JSON Schema of the report')
    .description('Prints the JSON Schema (draft 2020-12) of what `-f json` writes.')
    .argument('<name>', 'report')
    .action((name: string) => choose({ command: 'schema', name }))
  return program
}

/** One line from commander's message: 'unknown option '--x' (did you mean --y?)'. */
function toUsageError(error: CommanderError): Error {
  if (error.code === 'commander.missingArgument' && error.message.includes("'model'")) {
    return usage('no model is given', `${toolName} audit <model...>, or ${toolName} --help`)
  }
  const text = error.message
    .replace(/^error: /, '')
    .replace(/\n\(Did/g, ' (did')
    .replace(/\s*\n\s*/g, ' ')
  return usage(text, `${toolName} --help lists commands and options`)
}

/**
 * Reads the command line (without node and script). Throws `usage` errors.
 */
export function parseArguments(argv: readonly string[]): Invocation {
  const printed: string[] = []
  let chosen: Invocation | null = null
  const program = makeProgram(printed, (invocation) => {
    chosen = invocation
  })
  try {
    program.parse(argv, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode !== 0) throw toUsageError(error)
  }
  return chosen ?? { command: 'print', text: printed.join('') }
}

/** A command that the first operand, not being a file, may have been meant as. */
export function suggestCommand(operand: string): string | null {
  return suggest(operand, commandNames)
}
