import { formatNames } from '../../report/renderer.ts'
import { type SortKey, sortKeys } from '../../report/sort.ts'
import { anyText, formatChoice, oneOf, wholeNumber, yesOrNo } from '../readers.ts'
import type { AnyDeclaration } from './declaration.ts'

const sortNames = Object.keys(sortKeys) as SortKey[]

/** How the report is written. */
export const outputOptions = {
  format: {
    flags: '-f, --format <name[:path]>',
    group: 'Output',
    text: 'how the report is written, to standard output or to a file; repeatable (default: table)',
    kind: 'list',
    read: formatChoice,
    choices: formatNames,
    isPath: true,
  },
  output: {
    flags: '-o, --output <path>',
    group: 'Output',
    text: 'file of the one format',
    kind: 'value',
    read: anyText,
    isPath: true,
    isForOneRun: true,
  },
  json: {
    flags: '--json',
    group: 'Output',
    text: 'the same as -f json',
    kind: 'switch',
    read: yesOrNo,
    isForOneRun: true,
  },
  top: {
    flags: '--top <n>',
    group: 'Output',
    text: 'rows of the table (default: all)',
    kind: 'value',
    read: wholeNumber(1, Number.MAX_SAFE_INTEGER),
    json: 'integer',
  },
  sort: {
    flags: '--sort <key>',
    group: 'Output',
    text: `order of the table: ${sortNames.join(', ')} (default: share)`,
    kind: 'value',
    read: oneOf(sortNames),
    choices: sortNames,
  },
  vectors: {
    flags: '--vectors <path>',
    group: 'Output',
    text: 'file for the singular vectors of each layer of one model, .npz or .json',
    kind: 'value',
    read: anyText,
    isPath: true,
    isForOneRun: true,
  },
  stepSummary: {
    flags: '--no-step-summary',
    group: 'Output',
    text: 'leave $GITHUB_STEP_SUMMARY alone, where it is set',
    kind: 'negated',
    read: yesOrNo,
  },
} satisfies Record<string, AnyDeclaration>
