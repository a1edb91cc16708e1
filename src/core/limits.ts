import { type ErrorFacts, LipschitzError } from './errors.ts'

/** One number that a model is held against, and why it is what it is. */
interface Limit {
  readonly value: number
  /** What is counted. */
  readonly counts: string
  readonly reason: string
  /** The largest value that it may be raised to, where something else would break beyond it. */
  readonly most?: number
}

/**
 * What a model may cost before it is refused. A file is not trusted: every size in it is held against this table
 * before memory or time is spent on it. The option `--limit name=value` raises (or lowers) each of them.
 */
export const limitTable = {
  fileBytes: {
    value: 2 ** 31 - 1,
    counts: 'bytes of the model file',
    reason:
      'protobuf itself ends at 2 GiB; larger models keep their weights in external files, which have no limit',
  },
  messageDepth: {
    value: 100,
    counts: 'protobuf messages inside one another',
    reason: 'where every protobuf library stops by default: about 30 body graphs inside one another',
    most: 100,
  },
  skeletonBytes: {
    value: 2 ** 27,
    counts: 'bytes of the model without its tensor data and documentation',
    reason: 'the largest known language models stay below 30 MB',
    most: 2 ** 28 - 1,
  },
  messages: {
    value: 2_000_000,
    counts: 'protobuf messages',
    reason: 'a decoded message takes 300 to 500 bytes of memory, so that this many stay below 1 GB',
  },
  nodes: {
    value: 250_000,
    counts: 'nodes as stored',
    reason:
      'five times the largest real graphs; a node with its values takes about 5 KB in all stages together',
  },
  tensors: {
    value: 500_000,
    counts: 'initializers, constants and tensors in attributes',
    reason: 'ten times what the largest real graphs have',
  },
  strings: {
    value: 8_000_000,
    counts: 'names and byte strings',
    reason: 'eight a node are usual',
  },
  numbers: {
    value: 16_000_000,
    counts: 'numbers outside tensor data: dims and attributes',
    reason: 'each takes 8 to 16 bytes of memory',
  },
  operands: {
    value: 10_000,
    counts: 'inputs, or outputs, of one node',
    reason: 'many times what the widest real nodes have; some rules look at each operand beside all others',
  },
  functions: {
    value: 10_000,
    counts: 'functions that the model defines',
    reason: "the limit of ONNX's own checker",
  },
  rank: {
    value: 64,
    counts: 'dims of a tensor',
    reason: 'ONNX Runtime and NumPy end at or below it; real tensors at 8',
  },
  tensorElements: {
    value: 2 ** 31,
    counts: 'elements of a stored tensor',
    reason: 'the largest typed array that decodes to less than 16 GiB',
    most: 2 ** 32,
  },
  sparseElements: {
    value: 2 ** 28,
    counts: 'elements of a sparse tensor, zeros included',
    reason: 'it is loaded as a dense one, whose size its few stored bytes do not pay for',
    most: 2 ** 32,
  },
  inlinedNodes: {
    value: 250_000,
    counts: 'nodes after all functions are inlined',
    reason: 'a small file can expand to any number; as for nodes as stored',
  },
  functionDepth: {
    value: 100,
    counts: 'functions that call one another, one inside the next',
    reason: "the limit of ONNX's own checker",
    most: 1000,
  },
  bodyDepth: {
    value: 64,
    counts: 'bodies of If, Loop and Scan inside one another, functions inlined',
    reason: 'bodies are the one thing that later stages descend into by recursion',
    most: 250,
  },
  smallElements: {
    value: 4096,
    counts: 'elements of a constant that shape rules read and that is kept for good',
    reason: 'shapes, axes and sizes have a few dozen',
  },
  foldedElements: {
    value: 2 ** 26,
    counts: 'elements of one constant that is computed, or as many as the model has parameters',
    reason: 'at most 512 MB that a small file does not pay for',
    most: 2 ** 32,
  },
  foldedTotal: {
    value: 2 ** 31,
    counts: 'elements read and written by all computations of constants, besides what parameters pay for',
    reason: 'some ten seconds',
  },
  foldedPerParameter: {
    value: 64,
    counts: 'the same, for each parameter of the model',
    reason: 'chains of a few operators, asked for by a few readers',
  },
  recentBytes: {
    value: 64 * 2 ** 20,
    counts: 'bytes of large constants kept because they were used last',
    reason: 'saves time where several nodes read one constant, at the price of memory',
  },
  inferredNodes: {
    value: 3_000_000,
    counts: 'nodes whose shapes are inferred, each in a body once for every time that the body is',
    reason: 'some ten seconds',
  },
  walkedNodes: {
    value: 50_000,
    counts: 'nodes of bodies that bounds are carried through, each as often as a loop repeats it',
    reason: 'about a second for each of several walks',
  },
  loopSteps: {
    value: 10_000,
    counts: 'steps of one loop that bounds are carried through',
    reason: 'real loops have as many as a sequence has elements',
  },
  pointElements: {
    value: 2 ** 28,
    counts: 'elements of all values together where the network is evaluated at a point',
    reason: '2 GiB, and as much again for changes; beyond it there is no lower bound',
  },
  keptIntervals: {
    value: 2 ** 22,
    counts: 'ranges of single elements that are kept for one walk over a model',
    reason: '64 MB; beyond it the elements of a tensor share one range',
  },
} as const satisfies Record<string, Limit>

export type LimitName = keyof typeof limitTable
export type Limits = Readonly<Record<LimitName, number>>

/** A row of the table, whichever. */
export const limitOf = (name: LimitName): Limit => limitTable[name]

export const limitNames = Object.keys(limitTable) as LimitName[]

/** The limits that hold where nothing else is said. */
export const standardLimits = Object.fromEntries(
  limitNames.map((name) => [name, limitTable[name].value]),
) as Limits

/** The largest value that a limit may be raised to. */
export function largestLimit(name: LimitName): number {
  return limitOf(name).most ?? Number.MAX_SAFE_INTEGER
}

/** The standard limits with some of them changed. @throws LipschitzError usage: no such limit, or no such value */
export function limitsWith(changes: Partial<Limits> = {}): Limits {
  for (const [name, value] of Object.entries(changes)) {
    if (!Object.hasOwn(limitTable, name)) throw new LipschitzError('usage', `there is no limit '${name}'`)
    const most = largestLimit(name as LimitName)
    if (!(Number.isInteger(value) && value >= 1 && value <= most))
      throw new LipschitzError('usage', `the limit ${name} is a whole number from 1 to ${most}, not ${value}`)
  }
  return { ...standardLimits, ...changes }
}

/** The error for what goes beyond a limit; tells the option that raises it. */
export function beyondLimit(name: LimitName, message: string, facts: ErrorFacts = {}): LipschitzError {
  const hint = `--limit ${name}=<n> raises the limit, for a model that you trust`
  return new LipschitzError('limit', message, { hint, ...facts })
}

/** Ranges of single elements, where they are kept apart: not what is refused, but how finely is looked. */
export const boxLimits = {
  /** Intervals of one tensor; beyond it axes share theirs. Channels and rows of dense networks stay below. */
  intervals: 2 ** 15,
  /** Multiplications that one dense layer may cost; beyond it its rows share their intervals. */
  products: 2 ** 24,
} as const
