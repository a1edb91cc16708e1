import type { OptionName } from './options.ts'
import { type OwnOptions, provingShared } from './own-options.ts'
import { anyText } from './readers.ts'

/** Options of `probe` alone. */
export const probeOptions = {
  samples: {
    flags: '--samples <file>',
    group: 'What is audited',
    text: 'inputs for the gradient statistic: .npy, .csv or .json, the first axis counts them (default: 32 seeded ones)',
    kind: 'value',
    read: anyText,
  },
  witness: {
    flags: '--witness <path>',
    group: 'Output',
    text: 'writes the two points that prove the lower bound, as .json or .npz',
    kind: 'value',
    read: anyText,
  },
  output: {
    flags: '-o, --output <path>',
    group: 'Output',
    text: 'file that the result is written to instead of standard output',
    kind: 'value',
    read: anyText,
  },
} as const satisfies OwnOptions

/** Options of `audit` that `probe` has, too. */
export const probeShared = [
  ...provingShared,
  'around',
  'radius',
  'radiusNorm',
] as const satisfies readonly OptionName[]
