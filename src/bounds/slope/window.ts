import type { Node, Value } from '../../graph/graph.ts'
import { gamma, outward } from '../../linalg/rounding-error.ts'
import type { Block } from '../../ops/blocks/block.ts'
import { type ComposedMap, compose } from '../../ops/maps/composed.ts'
import type { ActivationPart, Parts } from './parts.ts'
import type { Placed, Split } from './placed.ts'
import { blockStep, diagonalStep, splitStep } from './split-steps.ts'
import { errorsOf } from './window-errors.ts'

/** Vectors that are bounded together: Σ |uᵢ|² ≤ (bound · |Δinputs|)². */
export interface Source {
  readonly bound: number
  /** What the activation writes, or the value itself where the window ends; null for the inputs. */
  readonly origin: Value | null
  /** Whether the source is that value, not what is left of it when its slope is taken off. */
  readonly isValue: boolean
  /** The audited inputs, in the order of their slots; empty for other sources. */
  readonly inputs: readonly Value[]
  readonly sizes: readonly number[]
  /** Places among the slots of the map's sources. */
  readonly slots: readonly number[]
}

/** What the window may ask of the values it comes to. */
export interface Surroundings extends Parts {
  /** Places of the main graph's nodes. */
  place(node: Node): number
  /** Whether the value is one of the audited inputs. */
  isInput(value: Value): boolean
  /** |Δvalue|₂ per unit of change of the inputs, at most; null where there is no such bound. */
  boundOf(value: Value): number | null
  /** Null for activations that the window may not go through. */
  splitOf(part: ActivationPart): Split | null
  /** What nodes that are no parts do with groups of elements, where the window may go through them. */
  blockOf?(node: Node): Block | null
}

/** The linearised network between some sources and the targets: Δtargets = Σ Gᵢ uᵢ. */
export interface Window {
  readonly map: ComposedMap
  /** The nodes in order, and the elements of every slot that they read or write. */
  readonly steps: readonly Placed[]
  readonly elements: readonly number[]
  /** The slots of the map's sources and targets among those of the steps. */
  readonly sourceSlots: readonly number[]
  readonly targetSlots: readonly number[]
  readonly sources: readonly Source[]
  readonly slotSizes: readonly number[]
  readonly targetSizes: readonly number[]
  /** The target's elements that count, the others being zero; null: all. */
  readonly picks: Int32Array | null
  /** Multiply-adds of one application. */
  readonly cost: number
  /** Activations inside. */
  readonly depth: number
  /** Linear nodes with weights inside, and nodes that join what varies. */
  readonly layers: number
  readonly joins: number
  /**
   * ‖fl(Au) − Au‖ ≤ forward·‖u‖ and ‖fl(Aᵀv) − Aᵀv‖ ≤ adjoint·‖v‖, where A takes scale·u to the targets, the scales
   * one for each source; `each` bounds the adjoint's error at each source for scale 1.
   */
  errors(scales: readonly number[]): { forward: number; adjoint: number; each: readonly number[] }
}

/** Nodes that a window is looked for in. */
const REACH = 20_000

/**
 * Follows the targets back through affine nodes and activations, latest first, until everything is traced to the
 * audited inputs, the way meets a node that is neither, or `admits` says that what is inside by now is enough: there
 * the value itself becomes a source, with the bound that is known of it. Null where such a bound is not known.
 */
export function openWindow(
  targets: readonly Value[],
  nodes: readonly Node[],
  around: Surroundings,
  admits: (cost: number, depth: number, size: number) => boolean,
): Window | null {
  const pending = new Set<Value>()
  const slots = new Map<Value, number>()
  let count = 0
  const slotOf = (value: Value) => {
    const slot = slots.get(value) ?? count++
    slots.set(value, slot)
    return slot
  }
  for (const target of targets) want(target)
  const steps: Placed[] = []
  const inputs: Value[] = []
  const sources: (Omit<Source, 'slots'> & { slots: number[] })[] = []
  let [cost, depth, layers, joins, size] = [0, 0, 0, 0, 0]

  function end(value: Value): boolean {
    pending.delete(value)
    if (around.isInput(value)) {
      inputs.push(value)
      return true
    }
    const bound = around.boundOf(value)
    const elements = around.sizeOf(value)
    if (bound === null || elements === null) return false
    sources.push({
      bound,
      origin: value,
      isValue: true,
      inputs: [],
      slots: [slotOf(value)],
      sizes: [elements],
    })
    size += elements
    return true
  }

  function want(value: Value): void {
    if (!slots.has(value)) pending.add(value)
    slotOf(value)
  }

  for (const value of [...pending]) {
    if ((around.isInput(value) || value.producer === null) && !end(value)) return null
  }
  const last = Math.max(...targets.map(({ producer }) => (producer === null ? -1 : around.place(producer))))
  for (let place = last; place >= 0 && pending.size > 0; place--) {
    const node = nodes[place]
    const written = node.outputs.filter((value): value is Value => value !== null && pending.has(value))
    if (written.length === 0) continue
    const price = around.costOf(node)
    const part = last - place <= REACH && admits(cost + price, depth, size) ? around.partOf(node) : null
    const split =
      part?.kind === 'activation' && admits(cost + price, depth + 1, size + (around.sizeOf(written[0]) ?? 0))
        ? around.splitOf(part)
        : null
    const block = part === null && last - place <= REACH ? (around.blockOf?.(node) ?? null) : null
    if (block === null && (part === null || (part.kind === 'activation' && split === null))) {
      for (const value of written) if (!end(value)) return null
      continue
    }
    cost += price
    const varying = node.inputs.map((value) => (value !== null && around.varies(value) ? value : null))
    for (const value of written) pending.delete(value)
    for (const value of varying) if (value !== null) want(value)
    const reads = varying.map((value) => (value === null ? -1 : slotOf(value)))
    const writes = node.outputs.map((value) => (value !== null && slots.has(value) ? slotOf(value) : -1))
    if (block !== null) {
      depth++
      const slot = count++
      const sizes = [block.size]
      sources.push({ bound: 1, origin: written[0], isValue: false, inputs: [], slots: [slot], sizes })
      size += block.size
      const read = reads.find((own) => own >= 0) as number
      steps.push(blockStep([read, slot], writes, block))
    } else if (part?.kind === 'linear') {
      if (part.terms > 1) layers++
      if (new Set(varying.filter((value) => value !== null)).size > 1) joins++
      const elements = Math.min(
        sum(varying.map((value) => (value && around.sizeOf(value)) || 0)),
        sum(node.outputs.map((value) => (value && around.sizeOf(value)) || 0)),
      )
      const rounding = outward(gamma(part.terms + 64) * Math.sqrt(elements) * part.gain)
      const { map, gain, matrix, convolution } = part
      steps.push({ inputs: reads, outputs: writes, map, gain, rounding, matrix, convolution, split: null })
    } else {
      depth++
      const { center, root, bound } = split as Split
      const elements = around.sizeOf(written[0]) as number
      // what has one slope alone is linear
      const slot = bound > 0 ? count++ : -1
      if (slot >= 0) {
        sources.push({
          bound,
          origin: written[0],
          isValue: false,
          inputs: [],
          slots: [slot],
          sizes: [elements],
        })
        size += elements
      }
      steps.push(splitStep([reads[0], slot], writes, center, root))
    }
    for (const value of varying) {
      if (value !== null && pending.has(value) && (around.isInput(value) || value.producer === null)) {
        if (!end(value)) return null
      }
    }
  }
  if (pending.size > 0) return null
  if (inputs.length > 0) {
    inputs.sort((a, b) => a.id - b.id)
    const sizes = inputs.map((value) => around.sizeOf(value) ?? Number.NaN)
    if (sizes.some(Number.isNaN)) return null
    sources.push({ bound: 1, origin: null, isValue: false, inputs, slots: inputs.map(slotOf), sizes })
  }
  if (sources.length === 0) return null
  const targetSizes = targets.map((value) => around.sizeOf(value))
  if (targetSizes.some((elements) => elements === null)) return null
  steps.reverse()
  const sourceSlots = sources.flatMap((source) => source.slots)
  const elements = new Array<number>(count).fill(0)
  for (const [value, slot] of slots) elements[slot] = around.sizeOf(value) ?? 0
  for (const source of sources) {
    source.slots.forEach((slot, i) => {
      elements[slot] = source.sizes[i]
    })
  }
  return finish({
    steps,
    elements,
    sourceSlots,
    targetSlots: targets.map(slotOf),
    sources,
    targetSizes: targetSizes as number[],
    picks: null,
    cost,
    depth,
    layers,
    joins,
  })
}

type Unfinished = Omit<Window, 'map' | 'slotSizes' | 'errors'>

function finish(parts: Unfinished): Window {
  const { steps, elements, sourceSlots, targetSlots, sources } = parts
  let at = 0
  const placed = sources.map((source) => ({ ...source, slots: source.sizes.map(() => at++) }))
  return {
    ...parts,
    map: compose(steps, elements.length, sourceSlots, targetSlots),
    sources: placed,
    slotSizes: sources.flatMap(({ sizes }) => sizes),
    errors: (scales) => {
      const groups = placed.map(({ slots }) => slots.map((slot) => sourceSlots[slot]))
      return errorsOf(steps, elements.length, groups, targetSlots, scales)
    },
  }
}

/** The window to weights ∘ target, for one target. */
export function weighted(window: Window, weights: Float64Array): Window {
  const { steps, elements, targetSlots, targetSizes } = window
  const picks = Int32Array.from([...weights.keys()].filter((i) => weights[i] !== 0))
  return finish({
    ...window,
    steps: [...steps, diagonalStep(targetSlots[0], elements.length, weights)],
    elements: [...elements, targetSizes[0]],
    targetSlots: [elements.length],
    picks,
  })
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)

/** Elements of the targets that count. */
export function rowsOf({ targetSizes, picks }: Window): number {
  return picks?.length ?? targetSizes.reduce((sum, size) => sum + size, 0)
}
