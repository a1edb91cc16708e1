import type { ModelReport, TracePoint } from '../../../audit/report-schema.ts'
import { type Gain, SAME } from '../gain.ts'

/** Nodes that are drawn as one: a node and what follows it without changing the bound, or a run of neighbours. */
export interface Block {
  /** Places in the trace, ascending. */
  readonly places: readonly number[]
  /** Operators, without repetition next to each other; none for an audited input. */
  readonly ops: readonly string[]
  /** The node that names the block: the first. */
  readonly node: string
  readonly gain: Gain
  /** log10 of the bound behind the block; null where it is 0 or has none. */
  readonly log10: number | null
  readonly unbounded: boolean
  /** Whether the bound is lost here: what enters has one. */
  readonly losesBound: boolean
  /** The rank of its most sensitive layer; null where it has none. */
  readonly layer: number | null
  /** Blocks that it reads. */
  readonly from: readonly number[]
}

export interface BlockGraph {
  readonly blocks: readonly Block[]
  /** Whether neighbours were joined to stay within the number that can be drawn. */
  readonly isCoarse: boolean
}

/** More cannot be told apart by eye. */
const MOST = 300

/** Blocks that edges pass by, in all: more take seconds to lay out. */
const MOST_PASSED = 3000

/** Into how many runs of neighbours a graph is cut that cannot be drawn as it is. */
const RUNS = [100, 50, 25, 12]

const largest = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b))

/** By how much a node multiplies the largest bound that enters it; null where either is not there. */
export function gainAt(trace: readonly TracePoint[], place: number): Gain {
  const { from, log10, unbounded } = trace[place]
  if (unbounded) return null
  if (log10 === null || from.length === 0) return 0
  const entering = from.map((source) => trace[source].log10).filter((value) => value !== null)
  return entering.length === 0 ? 0 : log10 - largest(entering)
}

const losesBound = (trace: readonly TracePoint[], place: number) =>
  trace[place].unbounded === true && trace[place].from.every((source) => !trace[source].unbounded)

/** Ranks of the layers by the name of their node; the most sensitive one where several share a name. */
function ranksByNode(model: ModelReport): Map<string, number> {
  const ranks = new Map<string, number>()
  for (const { node, rank } of model.layers) if (!ranks.has(node)) ranks.set(node, rank)
  return ranks
}

/** The longest excursion that is taken for a change of units and the change back, as of a quantised tensor. */
const EXCURSION = 6

/** Which nodes are drawn with the node that they read: those that leave the bound as it is, or bring it back. */
function followers(trace: readonly TracePoint[], ranks: ReadonlyMap<string, number>): boolean[] {
  const readers = trace.map(() => [] as number[])
  for (const [place, { from }] of trace.entries()) for (const source of from) readers[source].push(place)
  /** Neither an input nor a layer nor a place where the bound is lost, and alone in reading what it reads. */
  const isPlain = (place: number) => {
    const { node, op, from } = trace[place]
    const isAlone = op !== '' && from.length === 1 && readers[from[0]].length === 1
    return isAlone && !ranks.has(node) && !losesBound(trace, place)
  }
  const isSame = (place: number, other: number) =>
    trace[place].unbounded === true
      ? trace[other].unbounded === true
      : Math.abs((trace[place].log10 ?? Number.NaN) - (trace[other].log10 ?? Number.NaN)) < SAME
  const follows = trace.map(() => false)
  for (const place of trace.keys()) {
    if (follows[place] || !isPlain(place)) continue
    const [source] = trace[place].from
    const run = [place]
    while (!isSame(run[run.length - 1], source) && run.length < EXCURSION) {
      const [next] = readers[run[run.length - 1]]
      if (next === undefined || !isPlain(next)) break
      run.push(next)
    }
    if (!isSame(run[run.length - 1], source)) continue
    for (const member of run) follows[member] = true
    // An input stands alone
    if (trace[source].op === '') follows[place] = false
  }
  return follows
}

/** The graph of blocks, in topological order. */
export function groupBlocks(model: ModelReport): BlockGraph {
  const trace = model.trace ?? []
  const ranks = ranksByNode(model)
  const follows = followers(trace, ranks)
  const groups: number[][] = []
  const groupOf: number[] = []
  for (const [place, { from }] of trace.entries()) {
    const group = follows[place] ? groupOf[from[0]] : groups.length
    if (group === groups.length) groups.push([])
    groups[group].push(place)
    groupOf.push(group)
  }
  const blocks = describeGroups(trace, groups, ranks)
  if (isDrawable(blocks)) return { blocks, isCoarse: false }
  const coarser = RUNS.map((runs) => describeGroups(trace, joinNeighbours(trace.length, runs), ranks))
  return { blocks: coarser.find(isDrawable) ?? coarser[coarser.length - 1], isCoarse: true }
}

function isDrawable(blocks: readonly Block[]): boolean {
  const passed = blocks.reduce(
    (total, { from }, block) => from.reduce((sum, source) => sum + block - source, total),
    0,
  )
  return blocks.length <= MOST && passed <= MOST_PASSED
}

/** Runs of neighbours in topological order: what is drawn of them has no cycle. */
function joinNeighbours(size: number, runs: number): number[][] {
  const length = Math.ceil(size / runs)
  return Array.from({ length: Math.ceil(size / length) }, (_, run) =>
    Array.from({ length: Math.min(length, size - run * length) }, (_, i) => run * length + i),
  )
}

function describeGroups(
  trace: readonly TracePoint[],
  groups: readonly (readonly number[])[],
  ranks: ReadonlyMap<string, number>,
): Block[] {
  const blockOf: number[] = []
  for (const [block, places] of groups.entries()) for (const place of places) blockOf[place] = block
  return groups.map((places, block): Block => {
    const sources = places.flatMap((place) => trace[place].from).filter((source) => blockOf[source] !== block)
    const entering = sources.map((source) => trace[source].log10).filter((value) => value !== null)
    const last = trace[places[places.length - 1]]
    const unbounded = places.some((place) => trace[place].unbounded)
    const layers = places.map((place) => ranks.get(trace[place].node)).filter((rank) => rank !== undefined)
    const gain = last.log10 === null ? 0 : last.log10 - (entering.length === 0 ? 0 : largest(entering))
    return {
      places,
      ops: places.map((place) => trace[place].op).filter((op, i, all) => op !== '' && op !== all[i - 1]),
      node: trace[places[0]].node,
      gain: unbounded ? null : gain,
      log10: unbounded ? null : last.log10,
      unbounded,
      losesBound: places.some((place) => losesBound(trace, place)),
      layer: layers.length === 0 ? null : layers.reduce((a, b) => Math.min(a, b)),
      from: [...new Set(sources.map((source) => blockOf[source]))].sort((a, b) => a - b),
    }
  })
}
