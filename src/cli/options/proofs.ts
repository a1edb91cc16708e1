import { boundChoices, efforts } from '../../bounds/effort.ts'
import { numberWithin, oneOf, wholeNumber } from '../readers.ts'
import type { AnyDeclaration } from './declaration.ts'

/** How tight and how sure norms and bounds are. */
export const proofsOptions = {
  tolerance: {
    flags: '--tolerance <rel>',
    group: 'Proofs',
    text: 'relative width of the enclosure of a spectral norm (default: 1e-3)',
    kind: 'value',
    read: numberWithin(0, 1),
    json: 'number',
    perModel: true,
  },
  certify: {
    flags: '--certify <kind>',
    group: 'Proofs',
    text: 'deterministic or probabilistic proofs of norms (default: probabilistic)',
    kind: 'value',
    read: oneOf(['deterministic', 'probabilistic']),
    choices: ['deterministic', 'probabilistic'],
    perModel: true,
  },
  bound: {
    flags: '--bound <method>',
    group: 'Proofs',
    text: `bound that is reported: ${boundChoices.join(', ')} (default: best, the least)`,
    kind: 'value',
    read: oneOf(boundChoices),
    choices: boundChoices,
    perModel: true,
  },
  effort: {
    flags: '--effort <fast|normal|high>',
    group: 'Proofs',
    text: 'work on bounds beyond the graph walk: none, a second or two, minutes (default: normal)',
    kind: 'value',
    read: oneOf(efforts),
    choices: efforts,
    perModel: true,
  },
  seed: {
    flags: '--seed <n>',
    group: 'Proofs',
    text: 'seed of random starts (default: 0)',
    kind: 'value',
    read: wholeNumber(0, 2 ** 32 - 1),
    json: 'integer',
  },
} satisfies Record<string, AnyDeclaration>
