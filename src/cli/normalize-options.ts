import type { OptionName } from './options.ts'
import { type OwnOptions, provingShared } from './own-options.ts'
import { anyText, oneOf, positiveNumber, yesOrNo } from './readers.ts'

const spreads = ['evenly', 'sensitivity'] as const

/** Options of `normalize` alone. */
export const normalizeOptions = {
  output: {
    flags: '-o, --output <path>',
    group: 'Output',
    text: 'the model to write; never the one that is read',
    kind: 'value',
    read: anyText,
  },
  force: {
    flags: '--force',
    group: 'Output',
    text: 'replace the output where it exists',
    kind: 'switch',
    read: yesOrNo,
  },
  target: {
    flags: '--target <c>',
    group: 'Weights',
    text: 'the norm that no chosen layer exceeds (default: 1)',
    kind: 'value',
    read: positiveNumber,
  },
  toLipschitz: {
    flags: '--to-lipschitz <L>',
    group: 'Weights',
    text: "the constant that the network's bound is brought to, instead of --target",
    kind: 'value',
    read: positiveNumber,
  },
  spread: {
    flags: '--spread <how>',
    group: 'Weights',
    text: 'how --to-lipschitz is spread over the layers: evenly or by sensitivity (default: evenly)',
    kind: 'value',
    read: oneOf(spreads),
    choices: spreads,
  },
  layers: {
    flags: '--layers <glob>',
    group: 'Weights',
    text: 'layers that may be scaled, by the name of node or weight; repeatable (default: all dense and convolution layers)',
    kind: 'list',
    read: anyText,
  },
  foldBatchNorm: {
    flags: '--fold-batch-norm',
    group: 'Weights',
    text: 'first move the gains of batch normalisations into the layers before them',
    kind: 'switch',
    read: yesOrNo,
  },
} as const satisfies OwnOptions

/** Options of `audit` that `normalize` has, too. */
export const normalizeShared = [...provingShared, 'bound'] as const satisfies readonly OptionName[]
