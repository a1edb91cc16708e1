import { type CommandWords, type OptionWords, quote, type Values } from './describe.ts'

function values(given: Values | null): string {
  if (given === null) return ''
  if (given === 'path') return ' -r -F'
  return given === 'any' ? ' -x' : ` -r -f -a ${quote(given.join(' '))}`
}

function optionLine(condition: string, { names, summary, values: given }: OptionWords): string {
  const flags = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`))
  return `complete -c lipschitz -n ${quote(condition)} ${flags.join(' ')} -d ${quote(summary)}${values(given)}`
}

function commandLines(command: CommandWords, names: readonly string[]): string[] {
  const { name, summary, options, operands } = command
  const seen = `__fish_seen_subcommand_from ${name}`
  // audit is the command where none is named
  const condition = name === 'audit' ? `not __fish_seen_subcommand_from ${names.join(' ')}; or ${seen}` : seen
  const start = `complete -c lipschitz -n '__fish_use_subcommand' -a ${name} -d ${quote(summary)}`
  const words =
    operands === 'path' || operands === 'any'
      ? []
      : [`complete -c lipschitz -n ${quote(seen)} -f -a ${quote(operands.join(' '))}`]
  return [start, ...words, ...options.map((option) => optionLine(condition, option))]
}

/** Completions for fish. */
export function renderFish(commands: readonly CommandWords[]): string {
  const names = commands.map(({ name }) => name)
  return `${commands.flatMap((command) => commandLines(command, names)).join('\n')}\n`
}
