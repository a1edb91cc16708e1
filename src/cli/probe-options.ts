import type { OptionName } from './options.ts'
import type { OwnOptions } from './own-options.ts'
import { anyText, oneOf, positiveNumber } from './readers.ts'

const norms = ['l2', 'linf'] as const

/** Options of `probe` alone. */
export const probeOptions = {
  around: {
    flags: '--around <file|zeros>',
    group: 'What is audited',
    text: 'a point: .npy, or .json with nested lists or inputs by name; its Jacobian and certified radius',
    kind: 'value',
    read: anyText,
  },
  radius: {
    flags: '--radius <r>',
    group: 'What is audited',
    text: 'search within this distance of the point alone',
    kind: 'value',
    read: positiveNumber,
  },
  radiusNorm: {
    flags: '--radius-norm <l2|linf>',
    group: 'What is audited',
    text: 'what the radius is measured in (default: l2)',
    kind: 'value',
    read: oneOf(norms),
    choices: norms,
  },
  samples: {
    flags: '--samples <file>',
    group: 'What is audited',
    text: 'inputs for the gradient statistic: .npy or .json, the first axis counts them (default: 32 seeded ones)',
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
