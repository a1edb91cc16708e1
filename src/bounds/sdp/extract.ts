import type { Node, Value } from '../../graph/graph.ts'
import { floatsAt, scoped } from '../../linalg/arena.ts'
import type { Block } from '../../ops/blocks/block.ts'
import { adjointRows } from '../slope/adjoint-rows.ts'
import type { ActivationPart } from '../slope/parts.ts'
import type { Split } from '../slope/placed.ts'
import type { SlopeRange } from '../slope/splits.ts'
import { openWindow, type Surroundings, type Window, weighted } from '../slope/window.ts'
import type { BlockMatrix, SdpProblem, SlopedBlock } from './problem.ts'

/** What extraction may ask of the network: its parts, and the secants of its activations. */
export interface Network extends Omit<Surroundings, 'boundOf' | 'splitOf'> {
  readonly nodes: readonly Node[]
  slopesOf(part: ActivationPart): SlopeRange | null
  /** What a node that is neither affine nor an activation does, where the loop may go through it. */
  blockAt(node: Node, boundOf: (value: Value) => number | null): Block | null
}

export interface ExtractionLimits {
  /** Elements of all blocks together, and of one matrix. */
  readonly elements: number
  readonly matrix: number
}

/** Why there is no problem: the node that is neither affine nor an activation, null where it is too large. */
export interface Obstacle {
  readonly obstacle: Node | null
}

/** Elements of one activation whose slopes are written down. */
const LARGEST = 2 ** 24

interface Active {
  readonly part: ActivationPart
  readonly slopes: { readonly lo: Float64Array; readonly hi: Float64Array }
  /** Elements with more than one secant. */
  readonly picks: Int32Array
  readonly split: Split | null
}

/** The network between the inputs and the targets as blocks, each map written down. */
export function extractProblem(
  targets: readonly Value[],
  network: Network,
  limits: ExtractionLimits,
): SdpProblem | Obstacle {
  const active = new Map<Value, Active | null>()
  let obstacle: Node | null = null

  function activeAt(value: Value): Active | null {
    const found = active.get(value)
    if (found !== undefined) return found
    const made = describe(value)
    active.set(value, made)
    return made
  }

  function describe(value: Value): Active | null {
    const part = value.producer === null ? null : network.partOf(value.producer)
    const size = network.sizeOf(value)
    const range = part?.kind === 'activation' && size !== null ? network.slopesOf(part) : null
    if (part?.kind !== 'activation' || size === null || size > LARGEST || range === null) return null
    const spread = (ends: number | Float64Array) =>
      typeof ends === 'number' ? new Float64Array(size).fill(ends) : ends
    const [lo, hi] = [spread(range.lo), spread(range.hi)]
    const picks = Int32Array.from([...lo.keys()].filter((i) => lo[i] < hi[i]))
    // elements with one secant stay in the maps, the others begin anew
    const split =
      picks.length === size
        ? null
        : {
            center: lo.map((value, i) => (value < hi[i] ? 0 : value)),
            root: lo.map((value, i) => (value < hi[i] ? 1 : 0)),
            bound: picks.length === 0 ? 0 : 1,
          }
    return { part, slopes: { lo, hi }, picks, split }
  }

  const around: Surroundings = {
    ...network,
    boundOf: (value) => {
      if (activeAt(value) !== null) return 1
      obstacle ??= value.producer
      return null
    },
    splitOf: (part) => activeAt(part.node.outputs[0] as Value)?.split ?? null,
  }

  const rows: { readonly value: Value | null; readonly window: Window }[] = []
  const wanted: { value: Value | null; targets: readonly Value[] }[] = [{ value: null, targets }]
  const seen = new Set<Value>()
  let elements = 0
  for (let next = wanted.pop(); next !== undefined; next = wanted.pop()) {
    const window = openWindow(next.targets, network.nodes, around, () => true)
    if (window === null) return { obstacle }
    rows.push({ value: next.value, window })
    for (const { origin } of window.sources) {
      if (origin === null || seen.has(origin)) continue
      seen.add(origin)
      const found = activeAt(origin) as Active
      elements += found.picks.length
      if (elements > limits.elements) return { obstacle: null }
      wanted.push({ value: origin, targets: [found.part.node.inputs[0] as Value] })
    }
  }

  const order = rows
    .filter(({ value }) => value !== null)
    .sort((a, b) => network.place(producerOf(a)) - network.place(producerOf(b)))
  const blocks = new Map(order.map(({ value }, at) => [value, at + 1]))
  const given = rows.flatMap(({ window }) => window.sources.filter(({ origin }) => origin === null))
  const [first] = given
  // one block for all inputs: whoever reads one reads them all
  const isSame = given.every(({ inputs }) => inputs.every((value, i) => value === first.inputs[i]))
  if (!isSame || given.some(({ inputs }) => inputs.length !== first.inputs.length)) return { obstacle: null }
  const inputSize = first?.sizes.reduce((sum, size) => sum + size, 0) ?? 0
  const sizes = [inputSize, ...order.map(({ value }) => (activeAt(value as Value) as Active).picks.length)]

  const activations: SlopedBlock[] = []
  for (const { value, window } of order) {
    const { picks, slopes } = activeAt(value as Value) as Active
    const reads = readsOf(window, picks)
    if (reads === null) return { obstacle: null }
    const pick = (ends: Float64Array) => Float64Array.from(picks, (i) => ends[i])
    activations.push({ rows: picks.length, reads, lo: pick(slopes.lo), hi: pick(slopes.hi) })
  }
  const last = rows[0].window
  const reads = readsOf(last, null)
  if (reads === null) return { obstacle: null }
  const outputs = last.targetSizes.reduce((sum, size) => sum + size, 0)
  return { sizes, activations, output: { rows: outputs, reads } }

  function producerOf({ value }: { readonly value: Value | null }): Node {
    return (value as Value).producer as Node
  }

  /** The matrices of a window, the given rows alone, and of each source the elements that are variables. */
  function readsOf(window: Window, picks: Int32Array | null): BlockMatrix[] | null {
    const whole = picks === null || picks.length === window.targetSizes[0]
    const narrowed = whole ? window : weighted(window, unitAt(picks, window.targetSizes[0]))
    const rows = whole ? window.targetSizes.reduce((sum, size) => sum + size, 0) : picks.length
    const total = narrowed.elements.reduce((sum, size) => sum + size, 0)
    if (rows * total > limits.matrix) return null
    const { each } = narrowed.errors(narrowed.sources.map(() => 1))
    return scoped(() => {
      const places = adjointRows(narrowed, rows)
      return narrowed.sources.flatMap(({ origin, slots }, s) => {
        const kept = origin === null ? null : (activeAt(origin) as Active).picks
        const sizes = slots.map((slot) => narrowed.slotSizes[slot])
        const columns = kept?.length ?? sizes.reduce((sum, size) => sum + size, 0)
        if (columns === 0 || rows === 0) return []
        const data = new Float64Array(rows * columns)
        let from = 0
        for (const [i, slot] of slots.entries()) {
          const source = floatsAt(places[slot], rows * sizes[i])
          for (let row = 0; row < rows; row++) {
            const line = source.subarray(row * sizes[i], (row + 1) * sizes[i])
            if (kept === null) data.set(line, row * columns + from)
            else for (let k = 0; k < columns; k++) data[row * columns + k] = line[kept[k]]
          }
          from += sizes[i]
        }
        const block = origin === null ? 0 : (blocks.get(origin) as number)
        return [{ block, columns, data, error: Math.sqrt(rows) * each[s] * (1 + 2 ** -40) }]
      })
    })
  }
}

function unitAt(picks: Int32Array, size: number): Float64Array {
  const weights = new Float64Array(size)
  for (const i of picks) weights[i] = 1
  return weights
}

export function isObstacle(found: SdpProblem | Obstacle): found is Obstacle {
  return 'obstacle' in found
}
