import { boundChoices, efforts } from '../bounds/effort.ts'
import { normNames } from '../core/norm-name.ts'
import { formatNames } from '../report/renderer.ts'
import { type SortKey, sortKeys } from '../report/sort.ts'
import {
  anyPath,
  anyText,
  byteSize,
  formatChoice,
  inputRange,
  inputShape,
  limitChoice,
  numberWithin,
  oneOf,
  percentage,
  positiveNumber,
  type Reader,
  shardChoice,
  wholeNumber,
  yesOrNo,
} from './readers.ts'

export type OptionGroup = 'Output' | 'Gates' | 'What is audited' | 'Proofs' | 'Safety' | 'Running'

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

/** Less than a few blocks of rows is no use. */
const MEMORY_LEAST = 2 ** 26

const sortNames = Object.keys(sortKeys) as SortKey[]

/**
 * Every option of `audit`, once: the key is its name in settings and, in capitals, behind LIPSCHITZ_ in the
 * environment. Lists repeat on the command line and are parted by semicolons in the environment.
 */
export const auditOptions = {
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
  inputShape: {
    flags: '--input-shape <name=1,3,224,224>',
    group: 'What is audited',
    text: 'shape of a dynamic input, ? for a dimension that stays unknown; repeatable',
    kind: 'list',
    read: inputShape,
    perModel: true,
  },
  inputRange: {
    flags: '--input-range <[name=]lo,hi>',
    group: 'What is audited',
    text: 'bounds hold for inputs with elements in this range alone; repeatable',
    kind: 'list',
    read: inputRange,
    perModel: true,
  },
  around: {
    flags: '--around <file|zeros>',
    group: 'What is audited',
    text: 'bounds hold around this point alone: .npy, or .json with nested lists or inputs by name',
    kind: 'value',
    read: anyText,
    isPath: true,
    perModel: true,
  },
  radius: {
    flags: '--radius <r>',
    group: 'What is audited',
    text: 'how far around the point',
    kind: 'value',
    read: positiveNumber,
    json: 'number',
    perModel: true,
  },
  radiusNorm: {
    flags: '--radius-norm <l2|linf>',
    group: 'What is audited',
    text: 'what the radius is measured in (default: l2)',
    kind: 'value',
    read: oneOf(['l2', 'linf']),
    choices: ['l2', 'linf'],
    perModel: true,
  },
  input: {
    flags: '--input <name>',
    group: 'What is audited',
    text: 'input that may change; repeatable (default: all of floating-point type)',
    kind: 'list',
    read: anyText,
    perModel: true,
  },
  outputName: {
    flags: '--output-name <name>',
    group: 'What is audited',
    text: 'output that is bounded; repeatable (default: all of floating-point type)',
    kind: 'list',
    read: anyText,
    perModel: true,
  },
  norm: {
    flags: '--norm <l2|linf|l1>',
    group: 'What is audited',
    text: 'norm in which changes of inputs and outputs are measured (default: l2)',
    kind: 'value',
    read: oneOf(normNames),
    choices: normNames,
    perModel: true,
  },
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
  limit: {
    flags: '--limit <name=n>',
    group: 'Safety',
    text: 'raises or lowers what a model may cost, by a name listed below; repeatable',
    kind: 'list',
    read: limitChoice,
    perModel: true,
  },
  external: {
    flags: '--no-external',
    group: 'Safety',
    text: 'refuse models that keep tensors in other files',
    kind: 'negated',
    read: yesOrNo,
    perModel: true,
  },
  hardLinks: {
    flags: '--hard-links',
    group: 'Safety',
    text: 'accept external data files that have further hard links',
    kind: 'switch',
    read: yesOrNo,
    perModel: true,
  },
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
} satisfies Record<string, Declaration<unknown>>

export type OptionName = keyof typeof auditOptions

type Value<D> = D extends { kind: 'list'; read: Reader<infer T> }
  ? readonly T[]
  : D extends { read: Reader<infer T> }
    ? T
    : never

/** The options as read; undefined where no source gives one. */
export type Settings = { readonly [K in OptionName]?: Value<(typeof auditOptions)[K]> }

/** Options as texts, from one source: the command line, the environment, a file. */
export interface Source {
  /** How messages call an option from here. */
  label(name: OptionName): string
  texts(name: OptionName): readonly string[] | undefined
}

/** Options that say one thing together: a source that gives one of them overrules all of them in later sources. */
const together: readonly (readonly OptionName[])[] = [['format', 'json', 'output']]

/** An option as decided: what it was given as, and by whom. */
export interface Decision {
  readonly name: OptionName
  readonly texts: readonly string[]
  readonly from: string
}

/** The first source that knows an option, or one that it belongs together with, decides it. */
export function decide(sources: readonly Source[]): Decision[] {
  return (Object.keys(auditOptions) as OptionName[]).flatMap((name) => {
    const group = together.find((names) => names.includes(name)) ?? [name]
    const source = sources.find((candidate) => group.some((member) => candidate.texts(member) !== undefined))
    const texts = source?.texts(name)
    return source === undefined || texts === undefined ? [] : [{ name, texts, from: source.label(name) }]
  })
}

/** The options as their readers understand them. Throws `usage` with the source of what is wrong. */
export function readSettings(sources: readonly Source[]): Settings {
  const settings: Record<string, unknown> = {}
  for (const { name, texts, from } of decide(sources)) {
    const { kind, read }: AnyDeclaration = auditOptions[name]
    const values = texts.map((text) => read(text, from))
    settings[name] = kind === 'list' ? values : values.at(-1)
  }
  return settings
}

/** LIPSCHITZ_MAX_LIPSCHITZ for maxLipschitz. */
function variableOf(name: OptionName): string {
  return `LIPSCHITZ_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}

/** Options from LIPSCHITZ_* variables; empty ones count as not set. */
export function environmentSource(environment: Readonly<Record<string, string | undefined>>): Source {
  return {
    label: variableOf,
    texts: (name) => {
      const text = environment[variableOf(name)]
      if (text === undefined || text === '') return undefined
      return auditOptions[name].kind === 'list' ? text.split(';').filter((part) => part !== '') : [text]
    },
  }
}
