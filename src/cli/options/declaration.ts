import type { Reader } from '../readers.ts'

export type OptionGroup = 'Output' | 'Gates' | 'What is audited' | 'Proofs' | 'Safety' | 'Running'

/** An option: flags, variables, the configuration file, help and completion follow from it. */
interface Declaration<T> {
  readonly flags: string
  readonly group: OptionGroup
  readonly text: string
  /** Switches carry no value on the command line; `negated` ones are on until they are given. */
  readonly kind: 'value' | 'list' | 'switch' | 'negated'
  readonly read: Reader<T>
  /** What a value is in a configuration file; a text where it is not said. Switches are booleans there. */
  readonly json?: 'number' | 'integer'
  /** All values that there are, or the names before a colon. */
  readonly choices?: readonly string[]
  /** Whether the value is the path of a file. */
  readonly isPath?: true
  /** Whether a configuration may set it for some models alone. */
  readonly perModel?: true
  /** Whether a configuration file may not set it: it concerns one run, or the file itself. */
  readonly isForOneRun?: true
}

/** What an option is, without the type of its value. */
export type AnyDeclaration = Declaration<unknown>
