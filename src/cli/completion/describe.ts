import type { Command, Option } from 'commander'
import { rules } from '../../report/rules.ts'
import { type AnyDeclaration, auditOptions, type OptionName } from '../options.ts'
import { schemaNames } from '../schema-command.ts'

/** What may follow an option or stand as an operand. */
export type Values = readonly string[] | 'path' | 'any'

export interface OptionWords {
  /** -f, --format */
  readonly names: readonly string[]
  readonly summary: string
  /** null for a switch. */
  readonly values: Values | null
}

export interface CommandWords {
  readonly name: string
  readonly summary: string
  readonly options: readonly OptionWords[]
  readonly operands: Values
}

export const shells = ['bash', 'zsh', 'fish'] as const

const operands: Readonly<Record<string, Values>> = {
  explain: Object.keys(rules),
  schema: schemaNames,
  completion: shells,
}

function describeOption(option: Option): OptionWords {
  const declared = auditOptions[option.attributeName() as OptionName] as AnyDeclaration | undefined
  const takesValue = option.required || option.optional
  return {
    names: [option.short, option.long].filter((name) => name !== undefined && name !== null),
    summary: option.description,
    values: takesValue ? (declared?.choices ?? (declared?.isPath ? 'path' : 'any')) : null,
  }
}

/** Every command but help, with its options, from the declaration of the command line itself. */
export function describeCommands(program: Command): CommandWords[] {
  return program.commands
    .filter((command) => command.name() !== 'help')
    .map((command) => ({
      name: command.name(),
      summary: command.summary(),
      options: [
        ...command.options.map(describeOption),
        { names: ['-h', '--help'], summary: 'print the help', values: null },
      ],
      operands: operands[command.name()] ?? 'path',
    }))
}

/** Text within single quotes of any of the shells. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
