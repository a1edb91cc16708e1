import { type Command, Option } from 'commander'
import type { OptionGroup, OptionName } from './options.ts'
import type { Reader } from './readers.ts'

/** An option of one command alone: neither the environment nor a configuration file sets it. */
export interface OwnOption<T> {
  readonly flags: string
  readonly group: OptionGroup | 'Weights'
  readonly text: string
  readonly kind: 'value' | 'list' | 'switch'
  readonly read: Reader<T>
  readonly choices?: readonly string[]
}

export type OwnOptions = Readonly<Record<string, OwnOption<unknown>>>

/** Options of `audit` that every command has that reads models and proves something of them. */
export const provingShared = [
  'json',
  'inputShape',
  'inputRange',
  'input',
  'outputName',
  'limit',
  'external',
  'hardLinks',
  'tolerance',
  'certify',
  'effort',
  'seed',
  'threads',
  'quiet',
  'debug',
  'color',
  'progress',
] as const satisfies readonly OptionName[]

type Value<D> = D extends { kind: 'list'; read: Reader<infer T> }
  ? readonly T[]
  : D extends { read: Reader<infer T> }
    ? T
    : never

/** The options as read, by their names; undefined where they are not given. */
export type OwnSettings<D extends OwnOptions> = { readonly [K in keyof D]?: Value<D[K]> }

export function addOwnOptions(command: Command, declared: OwnOptions): void {
  for (const { flags, group, text, kind } of Object.values(declared)) {
    const option = new Option(flags, text).helpGroup(`${group}:`)
    if (kind === 'list') option.argParser((value: string, previous: string[] = []) => [...previous, value])
    command.addOption(option)
  }
}

/** What was given on the command line, as each option's reader understands it. Throws `usage`. */
export function readOwnOptions<D extends OwnOptions>(command: Command, declared: D): OwnSettings<D> {
  const settings: Record<string, unknown> = {}
  for (const [name, { flags, kind, read }] of Object.entries(declared)) {
    const given: unknown = command.getOptionValue(name)
    if (given === undefined) continue
    const label = flags.match(/--[\w-]+/)![0]
    const values = (Array.isArray(given) ? given : [given]).map((value) => read(String(value), label))
    settings[name] = kind === 'list' ? values : values.at(-1)
  }
  return settings as OwnSettings<D>
}
