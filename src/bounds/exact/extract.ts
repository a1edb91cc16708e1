import { createNetwork, type Network } from '../../calculus/network.ts'
import { linearContext } from '../../calculus/node-context.ts'
import { traceAt } from '../../calculus/trace.ts'
import { LipschitzError } from '../../core/errors.ts'
import { sizeOf } from '../../core/tensor.ts'
import type { Node, Value } from '../../graph/graph.ts'
import type { TypedGraph } from '../../infer/typed-graph.ts'
import { hasStoredCoefficients } from '../../ops/maps/stored-coefficients.ts'
import { extremeOf } from '../../ops/slopes/candidates.ts'
import { piecesOf } from '../../ops/slopes/pieces.ts'
import { integersOf } from './dyadic.ts'
import { extremeForms, type Form, type Forms, relu, rowOf } from './forms.ts'
import type { Neuron, PiecewiseNetwork, Row } from './piecewise-network.ts'

export interface ExtractionLimits {
  readonly inputs: number
  readonly neurons: number
  /** Elements of any tensor on the way. */
  readonly elements: number
}

/** Why there is no such network: the node in the way, null where it is too large. */
export interface Obstacle {
  readonly obstacle: Node | null
}

/**
 * The network between inputs and outputs, composed from node to node in integers: no coefficient is rounded. Null where a
 * number is not finite. Cost: one application of each affine node for each element that it reads.
 */
export function extractPiecewise(
  typed: TypedGraph,
  inputs: readonly Value[],
  outputs: readonly Value[],
  limits: ExtractionLimits,
): PiecewiseNetwork | Obstacle {
  const sizes = inputs.map((value) => sizeOf(typed.operand(value).shape ?? [null]))
  const total = sizes.reduce<number>((sum, size) => sum + (size ?? Number.NaN), 0)
  if (!(total > 0 && total <= limits.inputs)) return { obstacle: null }
  const network = createNetwork(typed, inputs, outputs)
  const hurdle = firstHurdle(network, limits)
  if (hurdle !== null) return hurdle
  try {
    traceAt(
      network,
      sizes.map((size) => new Float64Array(size as number)),
    )
    return compose(network, sizes as number[], limits)
  } catch (error) {
    if (error instanceof RangeError) return { obstacle: null }
    if (!(error instanceof LipschitzError) || error.code === 'interrupted') throw error
    return { obstacle: null }
  }
}

/** Looks at the nodes before anything is computed. */
function firstHurdle(
  { typed, inputs, needed }: Network,
  { neurons, elements }: ExtractionLimits,
): Obstacle | null {
  const varying = new Set<Value>(inputs)
  let count = 0
  for (const node of typed.graph.nodes) {
    const reads = [...node.inputs, ...node.captures]
    if (!needed.has(node) || !reads.some((value) => value !== null && varying.has(value))) continue
    for (const value of node.outputs) {
      if (value === null) continue
      varying.add(value)
      const size = sizeOf(typed.operand(value).shape ?? [null])
      if (size === null || size > elements) return { obstacle: null }
    }
    const context = linearContext(typed, node, (value) => varying.has(value))
    if (context === null || node.captures.size > 0) return { obstacle: node }
    const extreme = extremeOf(context)
    if (extreme === null && piecesOf(context) === null) {
      if (!hasStoredCoefficients(context)) return { obstacle: node }
      const [read, made] = [node.inputs, node.outputs].map((values) => elementsOf(typed, values, varying))
      if (read * read * made > PRODUCTS) return { obstacle: null }
      continue
    }
    count +=
      extreme === null
        ? (sizeOf(typed.operand(node.outputs[0] as Value).shape ?? [null]) ?? 0)
        : extreme.candidates.reduce((sum, { length }) => sum + length - 1, 0)
    if (count > neurons) return { obstacle: null }
  }
  return null
}

/** Multiply-adds, of a dense node, for the results of all unit vectors. */
const PRODUCTS = 5e8

function elementsOf(
  typed: TypedGraph,
  values: readonly (Value | null)[],
  varying: ReadonlySet<Value>,
): number {
  return values.reduce((sum, value) => {
    if (value === null || !varying.has(value)) return sum
    return sum + (sizeOf(typed.operand(value).shape ?? [null]) ?? Infinity)
  }, 0)
}

function compose(
  network: Network,
  sizes: readonly number[],
  { elements }: ExtractionLimits,
): PiecewiseNetwork | Obstacle {
  const { typed, needed } = network
  const known = new Map<Value, Forms>()
  let variables = 0
  const fresh = (count: number): Forms => ({
    scale: 0,
    forms: Array.from({ length: count }, () => ({ terms: new Map([[variables++, 1n]]), constant: 0n })),
  })
  network.inputs.forEach((value, i) => {
    known.set(value, fresh(sizes[i]))
  })
  const inputs = variables
  const neurons: Neuron[] = []
  let layer = 0
  for (const node of typed.graph.nodes) {
    if (!needed.has(node) || !node.inputs.some((value) => value !== null && known.has(value))) continue
    const context = linearContext(typed, node, (value) => known.has(value))
    const pieces = context && piecesOf(context)
    const extreme = context && extremeOf(context)
    if (extreme !== null) {
      const forms = extremeForms(typed, node, known, extreme, (form, scale, round) => {
        neurons.push({ ...rowOf(form, scale), layer: layer + round, pieces: relu })
        return variables++
      })
      if (forms === null) return { obstacle: node }
      layer = (neurons.at(-1)?.layer ?? -1) + 1
      if (node.outputs[0] !== null) known.set(node.outputs[0], forms)
      continue
    }
    if (pieces === null) {
      const results = affineForms(network, node, known, elements)
      if (results === null) return { obstacle: node }
      node.outputs.forEach((value, i) => {
        const forms = results[i]
        if (value !== null && forms !== null && !known.has(value)) known.set(value, forms)
      })
      continue
    }
    const [read, written] = [known.get(node.inputs[0] as Value), node.outputs[0]]
    if (read === undefined || written === null) return { obstacle: node }
    read.forms.forEach((form, element) => {
      neurons.push({ ...rowOf(form, read.scale), layer, pieces: pieces(element) })
    })
    known.set(written, fresh(read.forms.length))
    layer++
  }
  const rows: Row[] = []
  for (const value of network.outputs) {
    // an output that nothing varies adds nothing
    const read = known.get(value)
    for (const form of read?.forms ?? []) rows.push(rowOf(form, (read as Forms).scale))
  }
  return bitsOf(neurons) > BITS ? { obstacle: null } : { inputs, neurons, outputs: rows }
}

/** Bits of integers that forms of the last neurons may take: weights of all sizes from layer to layer would add up. */
const BITS = 50_000

function bitsOf(neurons: readonly Neuron[]): number {
  const byLayer = new Map<number, number>()
  for (const { layer, scale } of neurons) byLayer.set(layer, Math.max(byLayer.get(layer) ?? 0, scale))
  return [...byLayer.values()].reduce((sum, bits) => sum + bits, 0)
}

/** What an affine node makes of the forms that it reads, by its results for unit vectors; null where it is not affine. */
function affineForms(
  { typed, affine }: Network,
  node: Node,
  known: ReadonlyMap<Value, Forms>,
  limit: number,
): (Forms | null)[] | null {
  const found = affine.get(node)
  if (found == null) return null
  const inputs = node.inputs.map((value) => (value === null ? null : (known.get(value) ?? null)))
  const sizes = node.outputs.map((value) =>
    value === null ? 0 : (sizeOf(typed.operand(value).shape ?? [null]) ?? Infinity),
  )
  if (sizes.some((size) => size > limit)) return null
  const entries: { output: number; row: number; form: Form; shift: number; coefficient: number }[] = []
  const deepest = inputs.reduce((most, forms) => Math.max(most, forms?.scale ?? 0), 0)
  inputs.forEach((forms, i) => {
    forms?.forms.forEach((form, element) => {
      const unit = new Float64Array(forms.forms.length)
      unit[element] = 1
      const images = found.map.apply(inputs.map((_, k) => (k === i ? unit : null)))
      images.forEach((image, output) => {
        image?.forEach((coefficient, row) => {
          if (coefficient !== 0)
            entries.push({ output, row, form, shift: deepest - forms.scale, coefficient })
        })
      })
    })
  })
  const { values, scale: own } = integersOf(entries.map(({ coefficient }) => coefficient))
  return node.outputs.map((value, output) => {
    if (value === null) return null
    const offsets = integersOf(found.offsets[output] ?? new Float64Array(sizes[output]))
    const scale = Math.max(own + deepest, offsets.scale)
    const forms = Array.from({ length: sizes[output] }, (_, row) => ({
      terms: new Map<number, bigint>(),
      constant: offsets.values[row] << BigInt(scale - offsets.scale),
    }))
    entries.forEach(({ output: at, row, form, shift }, k) => {
      if (at !== output) return
      const factor = values[k] << BigInt(shift + scale - own - deepest)
      const target = forms[row]
      for (const [variable, coefficient] of form.terms)
        target.terms.set(variable, (target.terms.get(variable) ?? 0n) + factor * coefficient)
      target.constant += factor * form.constant
    })
    return { forms, scale }
  })
}

export function isObstacle(found: PiecewiseNetwork | Obstacle): found is Obstacle {
  return 'obstacle' in found
}
