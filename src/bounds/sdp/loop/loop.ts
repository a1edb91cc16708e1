import { gamma, outward } from '../../../linalg/rounding-error.ts'
import type { Block } from '../../../ops/blocks/block.ts'
import { compose } from '../../../ops/maps/composed.ts'
import type { Placed } from '../../slope/placed.ts'
import { diagonalStep, measureStep, splitStep } from '../../slope/split-steps.ts'
import type { Window } from '../../slope/window.ts'
import { errorsOf } from '../../slope/window-errors.ts'

/**
 * The network as one linear map H with its activations as feedback: from the inputs and from what every activation
 * leaves over, u, to √R z of every activation and to the outputs y. The activations say |u| ≤ |√R z| for each element.
 */
export interface Loop {
  /** The linearised network; its sources are the inputs, values with known bounds, and the u's. */
  readonly window: Window
  readonly ties: readonly Tie[]
  /** Sources that are no u: inputs, and values that a bound is known of. */
  readonly heads: readonly number[]
  /** Multipliers of all ties together. */
  readonly size: number
  /** Activations in a row, plus one: how often a change may go round the loop. */
  readonly levels: number
}

/** An activation, or a node that mixes elements in groups: u closes the loop, |u_g| ≤ |q_g| for each group g. */
export interface Tie {
  /** Its node's place among the window's steps. */
  readonly step: number
  /** The place of u among the window's sources. */
  readonly source: number
  /** Activations on the longest way to u, itself included. */
  readonly level: number
  /** Its multipliers, one for each group, begin here. */
  readonly offset: number
  readonly groups: number
  /** Elements of u, and of q. */
  readonly size: number
  readonly measured: number
  /** Which group each of them belongs to; null: each is its own. */
  readonly groupsOf: Int32Array | null
  readonly groupsMeasured: Int32Array | null
}

/** Finds the ties of a window whose activations are split. */
export function closeLoop(window: Window): Loop {
  const { steps, elements, sources, sourceSlots, targetSlots } = window
  const sourceOf = new Map<number, number>()
  for (const [i, { slots }] of sources.entries()) for (const slot of slots) sourceOf.set(sourceSlots[slot], i)
  const levels = new Int32Array(elements.length)
  const ties: Tie[] = []
  let offset = 0
  for (const [step, { inputs, outputs, split, block }] of steps.entries()) {
    let level = 0
    for (const slot of inputs) if (slot >= 0) level = Math.max(level, levels[slot])
    const u = split === null && block === undefined ? -1 : inputs[1]
    if (u >= 0) {
      level++
      const size = elements[u]
      const own = { groups: size, measured: size, groupsOf: null, groupsMeasured: null, ...block, size }
      const { groups, measured, groupsOf, groupsMeasured } = own
      const source = sourceOf.get(u) as number
      ties.push({ step, source, level, offset, groups, size, measured, groupsOf, groupsMeasured })
      offset += groups
    }
    for (const slot of outputs) if (slot >= 0) levels[slot] = level
  }
  const tied = new Set(ties.map(({ source }) => source))
  return {
    window,
    ties,
    heads: [...sources.keys()].filter((i) => !tied.has(i)),
    size: offset,
    levels: 1 + Math.max(0, ...targetSlots.map((slot) => levels[slot])),
  }
}

/** D H D⁻¹ for one choice of multipliers, matrix-free. */
export interface ScaledLoop {
  /** Lengths of the vectors that it takes and gives. */
  readonly inputs: number
  readonly outputs: number
  /** Where each source begins among the inputs. */
  readonly starts: readonly number[]
  /** Where each tie's q begins among the outputs, and then each target. */
  readonly ends: readonly number[]
  apply(x: Float64Array): Float64Array
  applyAdjoint(y: Float64Array): Float64Array
  /** ‖fl(Ax) − Ax‖ ≤ forward·‖x‖, ‖fl(Aᵀy) − Aᵀy‖ ≤ adjoint·‖y‖. */
  errors(): { forward: number; adjoint: number }
}

/**
 * √R z of each tie times e^t, its u times e^−t, and each head times its scale; the √R z come first among the outputs, in
 * the order of the ties. e^−t is rounded, and e^t means its exact inverse, which is right but for few roundings.
 */
export function scaledLoop(loop: Loop, logarithms: Float64Array, scales: readonly number[]): ScaledLoop {
  const { window, ties, heads } = loop
  const { sources, sourceSlots, targetSlots, slotSizes, targetSizes } = window
  const elements = [...window.elements]
  const steps: Placed[] = []
  const measured: number[] = []
  let next = 0
  for (const [place, step] of window.steps.entries()) {
    const tie = ties[next]?.step === place ? ties[next++] : null
    if (tie === null) {
      steps.push(step)
      continue
    }
    const slot = elements.push(tie.measured) - 1
    measured.push(slot)
    if (step.block !== undefined) steps.push(...blockSteps(step, step.block, tie, slot, elements, logarithms))
    else steps.push(...elementSteps(step, tie, slot, logarithms))
  }
  const targets = [...measured, ...targetSlots]
  const map = compose(steps, elements.length, sourceSlots, targets)
  const outputSizes = [...ties.map((tie) => tie.measured), ...targetSizes]
  const scaleOf = new Float64Array(slotSizes.length).fill(1)
  heads.forEach((source, i) => {
    for (const slot of sources[source].slots) scaleOf[slot] = scales[i]
  })
  const [slotStarts, inputs] = startsOf(slotSizes)
  const [outputStarts, outputs] = startsOf(outputSizes)
  return {
    inputs,
    outputs,
    starts: sources.map(({ slots }) => slotStarts[slots[0]]),
    ends: outputStarts,
    apply: (x) => {
      const parts = slotSizes.map((size, slot) => {
        const part = x.slice(slotStarts[slot], slotStarts[slot] + size)
        const scale = scaleOf[slot]
        if (scale !== 1) for (let i = 0; i < size; i++) part[i] *= scale
        return part
      })
      return joined(map.apply(parts), outputSizes, outputs)
    },
    applyAdjoint: (y) => {
      const parts = outputSizes.map((size, i) => y.subarray(outputStarts[i], outputStarts[i] + size))
      const images = map.applyAdjoint(parts)
      images.forEach((image, slot) => {
        if (image && scaleOf[slot] !== 1) images[slot] = image.map((value) => value * scaleOf[slot])
      })
      return joined(images, slotSizes, inputs)
    },
    errors: () => {
      const groups = sources.map(({ slots }) => slots.map((slot) => sourceSlots[slot]))
      const all = sources.map(({ slots }) => scaleOf[slots[0]])
      const { forward, adjoint } = errorsOf(steps, elements.length, groups, targets, all)
      const wide = outward(1 + gamma(8))
      return { forward: forward * wide, adjoint: adjoint * wide }
    },
  }
}

/** An activation with √R z·e^t beside it, and √R u·e^−t in the place of √R u. */
function elementSteps(
  { inputs, outputs, split }: Placed,
  { offset, size }: Tie,
  slot: number,
  logarithms: Float64Array,
): Placed[] {
  const { center, root } = split as NonNullable<Placed['split']>
  const [down, up] = [new Float64Array(size), new Float64Array(size)]
  for (let i = 0; i < size; i++) {
    const own = typeof root === 'number' ? root : root[i]
    const inverse = Math.exp(-logarithms[offset + i])
    down[i] = own * inverse
    up[i] = own / inverse
  }
  return [diagonalStep(inputs[0], slot, up), splitStep(inputs, outputs, center, down)]
}

/** The same of groups: the u that comes in is multiplied before it is read. */
function blockSteps(
  step: Placed,
  block: Block,
  { offset, size, measured, groupsOf, groupsMeasured }: Tie,
  slot: number,
  elements: number[],
  logarithms: Float64Array,
): Placed[] {
  const inverse = (group: number) => Math.exp(-logarithms[offset + group])
  const down = new Float64Array(size).map((_, i) => inverse((groupsOf as Int32Array)[i]))
  const up = new Float64Array(measured).map((_, i) => 1 / inverse((groupsMeasured as Int32Array)[i]))
  const [z, u] = step.inputs
  const [plain, read] = [elements.push(measured) - 1, elements.push(size) - 1]
  return [
    measureStep(z, plain, block),
    diagonalStep(plain, slot, up),
    diagonalStep(u, read, down),
    { ...step, inputs: [z, read] },
  ]
}

/** Where each part of a vector begins, and its length. */
function startsOf(sizes: readonly number[]): [number[], number] {
  let at = 0
  const starts = sizes.map((size) => {
    at += size
    return at - size
  })
  return [starts, at]
}

function joined(
  parts: readonly (Float64Array | null)[],
  sizes: readonly number[],
  total: number,
): Float64Array {
  const out = new Float64Array(total)
  let at = 0
  parts.forEach((part, i) => {
    if (part) out.set(part, at)
    at += sizes[i]
  })
  return out
}
