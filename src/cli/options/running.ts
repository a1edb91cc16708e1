import { anyPath, anyText, byteSize, positiveNumber, shardChoice, wholeNumber, yesOrNo } from '../readers.ts'
import type { AnyDeclaration } from './declaration.ts'

/** Less than a few blocks of rows is no use. */
const MEMORY_LEAST = 2 ** 26

/** Configuration, machine and messages of one run. */
export const runningOptions = {
  config: {
    flags: '-c, --[no-]config <path>',
    group: 'Running',
    text: 'configuration file (default: the nearest, up to the root of the repository)',
    kind: 'value',
    read: anyPath,
    isPath: true,
    isForOneRun: true,
  },
  printConfig: {
    flags: '--print-config',
    group: 'Running',
    text: 'print every setting and where it comes from, and audit nothing',
    kind: 'switch',
    read: yesOrNo,
    isForOneRun: true,
  },
  threads: {
    flags: '--threads <n>',
    group: 'Running',
    text: 'worker threads (default: one per core)',
    kind: 'value',
    read: wholeNumber(1, 1024),
    json: 'integer',
  },
  timeLimit: {
    flags: '--time-limit <s>',
    group: 'Running',
    text: 'seconds for everything; what is not proven by then is reported as such',
    kind: 'value',
    read: positiveNumber,
    json: 'number',
  },
  memoryLimit: {
    flags: '--memory-limit <size>',
    group: 'Running',
    text: 'memory for weights, as 2GiB; larger matrices are read by blocks (default: 512MiB for each thread)',
    kind: 'value',
    read: byteSize(MEMORY_LEAST),
  },
  cache: {
    flags: '--cache <folder>',
    group: 'Running',
    text: 'folder of measured norms: a later run measures what has changed',
    kind: 'value',
    read: anyText,
    isPath: true,
  },
  shard: {
    flags: '--shard <i/n>',
    group: 'Running',
    text: 'do the i-th of n parts of the work; lipschitz merge joins the reports and judges the gates',
    kind: 'value',
    read: shardChoice,
    isForOneRun: true,
  },
  quiet: {
    flags: '-q, --quiet',
    group: 'Running',
    text: 'one line per model; no warnings, no progress',
    kind: 'switch',
    read: yesOrNo,
  },
  verbose: {
    flags: '-v, --verbose',
    group: 'Running',
    text: 'every node of every finding; what is being done, on standard error',
    kind: 'switch',
    read: yesOrNo,
  },
  debug: {
    flags: '--debug',
    group: 'Running',
    text: 'stack traces of errors',
    kind: 'switch',
    read: yesOrNo,
    isForOneRun: true,
  },
  color: {
    flags: '--[no-]color',
    group: 'Running',
    text: 'colours (default: on a terminal, unless NO_COLOR is set)',
    kind: 'switch',
    read: yesOrNo,
  },
  progress: {
    flags: '--no-progress',
    group: 'Running',
    text: 'no progress line on standard error',
    kind: 'negated',
    read: yesOrNo,
  },
} satisfies Record<string, AnyDeclaration>
