import type { OptionName } from './options.ts'
import { type OwnOptions, provingShared } from './own-options.ts'
import { anyText, oneOf, positiveNumber } from './readers.ts'

export const diffFormats = ['table', 'json', 'markdown'] as const

/** Options of `diff` alone. */
export const diffOptions = {
  format: {
    flags: '-f, --format <name>',
    group: 'Output',
    text: 'how the comparison is written: table, json or markdown (default: table)',
    kind: 'value',
    read: oneOf(diffFormats),
    choices: diffFormats,
  },
  output: {
    flags: '-o, --output <path>',
    group: 'Output',
    text: 'file that it is written to instead of standard output',
    kind: 'value',
    read: anyText,
  },
  maxOutputChange: {
    flags: '--max-output-change <n>',
    group: 'Gates',
    text: "limit of the ℓ2 distance of the two models' outputs, over the domain",
    kind: 'value',
    read: positiveNumber,
  },
} as const satisfies OwnOptions

/** Options of `audit` that `diff` has, too. */
export const diffShared = [
  ...provingShared,
  'top',
  'inconclusive',
  'exitCode',
  'bound',
] as const satisfies readonly OptionName[]
