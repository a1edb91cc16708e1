import { anyText, oneOf, percentage, positiveNumber, yesOrNo } from '../readers.ts'
import type { AnyDeclaration } from './declaration.ts'

/** Limits, and what is done where they are not met. */
export const gatesOptions = {
  maxLipschitz: {
    flags: '--max-lipschitz <n>',
    group: 'Gates',
    text: "limit of the network's Lipschitz constant",
    kind: 'value',
    read: positiveNumber,
    json: 'number',
    perModel: true,
  },
  maxLayer: {
    flags: '--max-layer <n>',
    group: 'Gates',
    text: 'limit of the spectral norm of each layer',
    kind: 'value',
    read: positiveNumber,
    json: 'number',
    perModel: true,
  },
  baseline: {
    flags: '--baseline <report.json>',
    group: 'Gates',
    text: 'stored report that no bound may rise against',
    kind: 'value',
    read: anyText,
    isPath: true,
  },
  maxIncrease: {
    flags: '--max-increase <percent>',
    group: 'Gates',
    text: 'by how much a bound may rise against the baseline (default: 0)',
    kind: 'value',
    read: percentage,
    json: 'number',
    perModel: true,
  },
  updateBaseline: {
    flags: '--update-baseline',
    group: 'Gates',
    text: 'write the baseline anew, unless another gate is not met',
    kind: 'switch',
    read: yesOrNo,
    isForOneRun: true,
  },
  inconclusive: {
    flags: '--inconclusive <fail|warn>',
    group: 'Gates',
    text: 'what a gate does that is neither met nor broken for certain (default: fail)',
    kind: 'value',
    read: oneOf(['fail', 'warn']),
    choices: ['fail', 'warn'],
  },
  exitCode: {
    flags: '--no-exit-code',
    group: 'Gates',
    text: 'report gates, but exit with 0 where they are not met',
    kind: 'negated',
    read: yesOrNo,
  },
} satisfies Record<string, AnyDeclaration>
