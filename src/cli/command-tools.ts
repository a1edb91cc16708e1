import type { Command } from 'commander'
import type { Invocation } from './invocation.ts'
import type { OptionName, Source } from './options.ts'

export type Choose = (invocation: Invocation) => void

/** What commands that are declared elsewhere need of the program. */
export interface Tools {
  /** Adds options that `audit` has, too. */
  addShared(command: Command, names: readonly OptionName[]): void
  flagSource(command: Command): Source
}
