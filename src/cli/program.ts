import { Command, CommanderError, Option } from 'commander'
import { toolName, toolVersion } from '../core/version.ts'
import { declareDiff } from './diff-declaration.ts'
import { auditExamples, completionHelp, exitCodes, formatTable, inspectFields, limitTable } from './help.ts'
import type { Invocation } from './invocation.ts'
import { declareMerge } from './merge-declaration.ts'
import { declareNormalize } from './normalize-declaration.ts'
import { auditOptions, type OptionName, type Source } from './options.ts'
import { declareProbe } from './probe-declaration.ts'
import { usage } from './readers.ts'
import { suggest } from './suggest.ts'

export const commandNames = [
  'audit',
  'inspect',
  'diff',
  'probe',
  'normalize',
  'merge',
  'report',
  'explain',
  'schema',
  'completion',
  'help',
] as const

const inspectOptions = [
  'inputShape',
  'inputRange',
  'input',
  'norm',
  'limit',
  'external',
  'hardLinks',
  'tolerance',
  'certify',
  'seed',
  'threads',
  'quiet',
  'debug',
  'progress',
] as const satisfies readonly OptionName[]

const reportOptions = [
  'format',
  'output',
  'json',
  'top',
  'sort',
  'inconclusive',
  'quiet',
  'verbose',
  'debug',
  'color',
] as const satisfies readonly OptionName[]

/** The help shows '--[no-]color' once; commander wants both flags. */
function toOptions(name: OptionName): Option[] {
  const { flags, group, text, kind } = auditOptions[name]
  if (!flags.includes('[no-]')) {
    const option = new Option(flags, text).helpGroup(`${group}:`)
    if (kind === 'list') option.argParser((value: string, previous: string[] = []) => [...previous, value])
    return [option]
  }
  const positive = new Option(flags.replace('[no-]', ''), text).helpGroup(`${group}:`)
  const negative = new Option(`--no-${positive.long?.slice(2)}`, text).hideHelp()
  return [positive, negative]
}

function optionTerm(option: Option): string {
  const declared = auditOptions[option.attributeName() as OptionName]
  return declared?.flags.includes('[no-]') ? declared.flags : option.flags
}

/** The options given on the command line, as texts. */
function flagSource(command: Command): Source {
  return {
    label: (name) => auditOptions[name].flags.replace('[no-]', '').match(/--[\w-]+/)![0],
    texts: (name) => {
      if (command.getOptionValueSource(name) !== 'cli') return undefined
      const value: unknown = command.getOptionValue(name)
      if (value === false && auditOptions[name].kind === 'value') return ['']
      return Array.isArray(value) ? value : [String(value)]
    },
  }
}

/** The commands and their options. Texts that commander would print are collected in `printed`. */
export function makeProgram(printed: string[], choose: (invocation: Invocation) => void): Command {
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
    .argument('[model...]', 'ONNX files')
    .usage('[options] <model...>')
    .addHelpText('after', `\n${formatTable()}\n\n${limitTable()}\n\n${auditExamples}\n\n${exitCodes}`)
    .action((models: string[]) => choose({ command: 'audit', models, flags: flagSource(audit) }))
  for (const name of Object.keys(auditOptions) as OptionName[]) {
    for (const option of toOptions(name)) audit.addOption(option)
  }

  const inspect = program
    .command('inspect')
    .summary('the graph as read, with the bound of every value, one line per node')
    .description(
      'Prints the graph as read and how the bound grows along it, one line each for inputs, nodes and outputs.',
    )
    .argument('<model>', 'ONNX file')
    .addOption(new Option('--json', 'one JSON document instead of lines').helpGroup('Output:'))
    .addOption(
      new Option('--no-norms', 'measure no layers: the graph without bounds').helpGroup('What is audited:'),
    )
    .addHelpText('after', `\n${inspectFields}\n\n${limitTable()}`)
    .action((model: string, { norms }: { norms: boolean }) =>
      choose({ command: 'inspect', model, norms, flags: flagSource(inspect) }),
    )
  for (const name of inspectOptions) for (const option of toOptions(name)) inspect.addOption(option)

  const tools = {
    flagSource,
    addShared: (command: Command, names: readonly OptionName[]) => {
      for (const name of names) for (const option of toOptions(name)) command.addOption(option)
    },
  }
  declareDiff(program, choose, tools)
  declareProbe(program, choose, tools)
  declareNormalize(program, choose, tools)
  declareMerge(program, choose, tools)

  const report = program
    .command('report')
    .summary('a stored report in any format')
    .description('Renders what `-f json` wrote, in any format; computes and judges nothing.')
    .argument('<report.json>', 'stored report; - for standard input')
    .addHelpText('after', `\n${formatTable()}`)
    .action((path: string) => choose({ command: 'report', path, flags: flagSource(report) }))
  for (const name of reportOptions) for (const option of toOptions(name)) report.addOption(option)

  program
    .command('explain')
    .summary('what a gate or a finding means')
    .description('Prints the documentation of a gate or a kind of finding; without one, the list of all.')
    .argument('[rule]', 'max-lipschitz, unbounded-op, …')
    .action((rule: string | undefined) => choose({ command: 'explain', rule }))
  program
    .command('schema')
    .summary('the JSON Schema of the report or of the configuration')
    .description(
      'Prints a JSON Schema (draft 2020-12): of what `-f json` writes, or of a configuration file.',
    )
    .argument('<name>', 'report or config')
    .action((name: string) => choose({ command: 'schema', name }))
  program
    .command('completion')
    .summary('completion for bash, zsh or fish')
    .description('Prints a script that completes commands, options and their values.')
    .argument('<shell>', 'bash, zsh or fish')
    .addHelpText('after', `\n${completionHelp}`)
    .action((shell: string) => choose({ command: 'completion', shell }))
  return program
}

/** One line from commander's message: 'unknown option '--x' (did you mean --y?)'. */
function toUsageError(error: CommanderError): Error {
  if (error.code === 'commander.missingArgument' && error.message.includes("'model'")) {
    return usage('no model is given', `${toolName} inspect <model>, or ${toolName} --help`)
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
