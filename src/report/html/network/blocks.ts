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
  /** The block of each place in the trace. */
  readonly blockOf: readonly number[]
  /** Whether neighbours were joined to stay within the number that can be drawn. */
  readonly isCoarse: boolean
}

/** More cannot be told apart by eye, nor laid out in short time. */
const MOST = 300

/** By how much a node multiplies the largest bound that enters it; null where either is not there. */
export function gainAt(trace: readonly TracePoint[], place: number): Gain {
  const { from, log10, unbounded } = trace[place]
  if (unbounded) return null
  if (log10 === null || from.length === 0) return 0
  const entering = from.map((source) => trace[source].log10).filter((value) => value !== null)
  return entering.length === 0 ? 0 : log10 - Math.max(...entering)
}

const losesBound = (trace: readonly TracePoint[], place: number) =>
  trace[place].unbounded === true && trace[place].from.every((source) => !trace[source].unbounded)

/** Ranks of the layers by the name of their node; the most sensitive one where several share a name. */
function ranksByNode(model: ModelReport): Map<string, number> {
  const ranks = new Map<string, number>()
  for (const { node, rank } of model.layers) if (!ranks.has(node)) ranks.set(node, rank)
  return ranks
}

/** The graph of blocks, in topological order. */
export function groupBlocks(model: ModelReport): BlockGraph {
  const trace = model.trace ?? []
  const ranks = ranksByNode(model)
  const readers = trace.map(() => 0)
  for (const { from } of trace) for (const source of from) readers[source]++
  const follows = (place: number): boolean => {
    const { node, op, from } = trace[place]
    if (op === '' || from.length !== 1 || readers[from[0]] !== 1 || trace[from[0]].op === '') return false
    if (ranks.has(node) || losesBound(trace, place)) return false
    const gain = gainAt(trace, place)
    return gain === null || Math.abs(gain) < SAME
  }
  const groups: number[][] = []
  const groupOf: number[] = []
  for (const place of trace.keys()) {
    const known = follows(place) ? groupOf[trace[place].from[0]] : groups.length
    if (known === groups.length) groups.push([])
    groups[known].push(place)
    groupOf.push(known)
  }
  const isCoarse = groups.length > MOST
  const runs = isCoarse ? joinNeighbours(trace.length) : groups
  return { ...describeGroups(trace, runs, ranks), isCoarse }
}

/** Runs of neighbours in topological order: what is drawn of them has no cycle. */
function joinNeighbours(size: number): number[][] {
  const length = Math.ceil(size / (MOST / 3))
  return Array.from({ length: Math.ceil(size / length) }, (_, run) =>
    Array.from({ length: Math.min(length, size - run * length) }, (_, i) => run * length + i),
  )
}

function describeGroups(
  trace: readonly TracePoint[],
  groups: readonly (readonly number[])[],
  ranks: ReadonlyMap<string, number>,
): Omit<BlockGraph, 'isCoarse'> {
  const blockOf: number[] = []
  for (const [block, places] of groups.entries()) for (const place of places) blockOf[place] = block
  const blocks = groups.map((places, block): Block => {
    const sources = places.flatMap((place) => trace[place].from).filter((source) => blockOf[source] !== block)
    const entering = sources.map((source) => trace[source].log10).filter((value) => value !== null)
    const last = trace[places[places.length - 1]]
    const unbounded = places.some((place) => trace[place].unbounded)
    const layers = places.map((place) => ranks.get(trace[place].node)).filter((rank) => rank !== undefined)
    const gain = last.log10 === null ? 0 : last.log10 - (entering.length === 0 ? 0 : Math.max(...entering))
    return {
      places,
      ops: places.map((place) => trace[place].op).filter((op, i, all) => op !== '' && op !== all[i - 1]),
      node: trace[places[0]].node,
      gain: unbounded ? null : gain,
      log10: unbounded ? null : last.log10,
      unbounded,
      losesBound: places.some((place) => losesBound(trace, place)),
      layer: layers.length === 0 ? null : Math.min(...layers),
      from: [...new Set(sources.map((source) => blockOf[source]))].sort((a, b) => a - b),
    }
  })
  return { blocks, blockOf }
}
