import type { Certificate } from '../../core/enclosure.ts'
import * as mag from '../../core/magnitude.ts'
import { hashText } from '../../core/random.ts'
import { mulUp } from '../../core/rounding.ts'
import * as term from '../../core/term.ts'
import type { Node, Value } from '../../graph/graph.ts'
import type { TypedGraph } from '../../infer/typed-graph.ts'
import type { Box, TensorBound } from '../../ops/bound.ts'
import { isFixed } from '../../ops/rules/join.ts'
import { gainsOf, type NormOf, type Refine, type Walk } from '../walk.ts'
import { boundWindow, costOfWindow } from './joint-norm.ts'
import { type ActivationPart, partsOf } from './parts.ts'
import type { Split } from './placed.ts'
import { centred, slopeRange } from './splits.ts'
import { openWindow, rowsOf, type Surroundings, weighted } from './window.ts'

export interface RefinementOptions {
  readonly normOf: NormOf
  readonly audited: readonly Value[]
  readonly outputs: readonly Value[]
  readonly certify: Certificate
  readonly seed: number
  /** Probability that all norms of the refinement together may fail with. */
  readonly failureProbability: number
  /** Multiply-adds that all windows together may cost. */
  readonly budget: number
  /** Activations that a window reaches back over; 0: linear regions alone. */
  readonly depth: number
  /** Where single elements lie, where that is known better than from the walk. */
  readonly boxes?: ReadonlyMap<Value, Box>
  /** Asked now and then: whether to stop with what is proven so far. */
  readonly expired?: () => boolean
}

/** What the walk has found. */
export type Known = Pick<Walk, 'boundOf' | 'boxOf'>

/** A refinement of the walk, and what it rests on. */
export interface Refinement {
  readonly refine: Refine
  /** Bounds several outputs together, once the walk is over. */
  bound(values: readonly Value[], known: Known): number | null
  /** What the norms used so far may fail with. */
  failureProbability(): number
}

/** What one step of opening a window counts for, in multiply-adds: some microseconds. */
const lookCost = 4000
/** Steps back in which a linear region is looked for that is worth a norm of its own. */
const REGION = 2000

/**
 * The mean-slope bound. An activation a = f(z) with secants in [α, β] is Δa = C Δz + √R u, where C = (α + β)/2,
 * R = (β − α)/2 and |u| ≤ |√R Δz|, elementwise. With every activation replaced so, the network is linear in the inputs
 * and the vectors u, and with G for its maps, b for the bounds of |u|,
 *
 *     |Δz|  =  |G₀ Δx + Σₖ Gₖ uₖ|  ≤  joint norm over |Δx| ≤ 1, |uₖ| ≤ bₖ        (joint-norm.ts)
 *
 * at every value that an activation, a node of another kind or an output reads, weighted by √R where that is not one
 * number. Nodes of other kinds are bounded by their rules from what is known of their inputs, and begin anew. Windows
 * end where they cost too much: there, the value itself is what the rest depends on. No bound is larger than the rules'.
 */
export function refineBySlopes(typed: TypedGraph, options: RefinementOptions): Refinement {
  const { nodes } = typed.graph
  const places = new Map(nodes.map((node, place) => [node, place]))
  const audited = new Set(options.audited)
  const readers = readersOf(typed, options.outputs)
  const splits = new Map<Node, Split | null>()
  const factors = new Map<Node, ReturnType<typeof centred> | null>()
  let [spent, left, used, asked] = [0, readers.size + 1, 0, 0]
  let known: Known = { boundOf: notYet, boxOf: notYet }
  const varies = (value: Value) => !typed.operand(value).isConstant && !isFixed(known.boundOf(value))
  const boxAt = (value: Value) => options.boxes?.get(value) ?? known.boxOf(value)
  const parts = partsOf(typed, gainsOf(typed, options.normOf), varies)

  const around: Surroundings = {
    ...parts,
    place: (node) => places.get(node) ?? -1,
    isInput: (value) => audited.has(value),
    boundOf: (value) => numberOf(known.boundOf(value)),
    splitOf: (part) => {
      const found = splits.get(part.node)
      const made = found === undefined ? split(part) : found
      splits.set(part.node, made)
      return made
    },
  }

  /** C and √R of an activation; null where an element has no bound. */
  function factorsOf(part: ActivationPart): ReturnType<typeof centred> | null {
    const found = factors.get(part.node)
    if (found !== undefined) return found
    const input = part.node.inputs[0] as Value
    const ranges = { whole: known.boundOf(input).range, box: boxAt(input) }
    const slopes = slopeRange(part.slopes, ranges, typed.operand(input).shape as readonly number[])
    const made = slopes === null ? null : centred(slopes)
    factors.set(part.node, made)
    return made
  }

  /** Splits an activation, and bounds what is left over. */
  function split(part: ActivationPart): Split | null {
    const input = part.node.inputs[0] as Value
    const bound = numberOf(known.boundOf(input))
    const made = factorsOf(part)
    if (made === null || bound === null) return null
    const { root } = made
    if (typeof root === 'number') return { ...made, bound: mulUp(root, bound) }
    const plain = mulUp(
      root.reduce((most, value) => Math.max(most, value), 0),
      bound,
    )
    return { ...made, bound: Math.min(plain, prove([input], root) ?? Infinity) }
  }

  /** The least that windows from these targets prove; null where that is nothing new. */
  function prove(values: readonly Value[], weights?: Float64Array): number | null {
    const share = (options.budget - spent) / Math.max(1, left / 2 + 1)
    if (!(share > 0) || options.expired?.() === true) return null
    if (options.depth === 0) {
      const { worthwhile, steps } = lookBack(typed, values)
      spent += steps * lookCost
      if (!worthwhile) return null
    }
    const sizes = values.map((value) => parts.sizeOf(value))
    if (sizes.some((size) => size === null)) return null
    const picked = weights?.reduce((count, weight) => count + (weight === 0 ? 0 : 1), 0)
    const rows = picked ?? sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0)
    let looks = 0
    const whole = openWindow(values, nodes, around, (cost, depth, size) => {
      looks++
      return depth <= options.depth && costOfWindow(rows, size, cost) <= share
    })
    // chains of nodes that cost nothing would be gone through again from each of their nodes
    spent += looks * lookCost
    if (whole === null) return null
    const isPlain = weights === undefined && whole.depth === 0 && whole.layers < 2 && whole.joins === 0
    if (isPlain) return null
    const window = weights === undefined ? whole : weighted(whole, weights)
    const elements = window.slotSizes.reduce((sum, size) => sum + size, 0)
    spent += costOfWindow(rowsOf(window), elements, window.cost)
    const seed = hashText(`${values[0].name} ${asked++}`, hashText(String(options.seed)))
    const failureProbability = options.failureProbability / (readers.size + 1)
    const found = boundWindow(window, { certify: options.certify, seed, failureProbability })
    if (found === null) return null
    used += found.failureProbability
    return found.bound
  }

  /** Splits the activations that read a value, where their elements differ; whether all of its readers are such. */
  function splitReaders(value: Value): boolean {
    const nodesBehind = readers.get(value) ?? []
    if (options.depth === 0 || nodesBehind.length === 0) return false
    const found = nodesBehind.map((node) => (node === null ? null : parts.partOf(node)))
    return found.every((part) => {
      if (part?.kind !== 'activation' || typeof (factorsOf(part)?.root ?? 0) === 'number') return false
      return around.splitOf(part) !== null
    })
  }

  return {
    refine: (node, results, boundOf, boxOf) => {
      known = { boxOf, boundOf: (value) => results[node.outputs.indexOf(value)] ?? boundOf(value) }
      return node.outputs.map((value, i) => {
        const result = results[i]
        if (value === null || result === undefined || !readers.has(value) || audited.has(value)) return result
        if (isFixed(result) || numberOf(result) === null) return result
        left--
        if (boxAt(value) !== null && splitReaders(value)) return result
        const bound = prove([value])
        if (bound === null) return result
        const better = mag.magnitude(bound)
        return mag.compare(better, result.lipschitz.value) < 0
          ? { ...result, lipschitz: chained(result.lipschitz, better) }
          : result
      })
    },
    bound: (values, walked) => {
      known = walked
      left = 0
      return prove(values)
    },
    failureProbability: () => used,
  }
}

function notYet(): never {
  throw new Error('nothing is walked yet')
}

function numberOf(bound: TensorBound): number | null {
  if (bound.refusal !== null || !term.isZero(bound.offset)) return null
  const number = mag.toNumber(bound.lipschitz.value)
  return Number.isFinite(number) ? number : null
}

/** A lesser value of the same bound: it grows with the same layers. */
function chained(from: term.Term, value: mag.Magnitude): term.Term {
  return { value, parents: [from], weights: [1], leaf: null }
}

/**
 * Values at which bounds are wanted, and who reads them: activations and nodes that are not affine; null stands for the
 * caller, who reads the outputs.
 */
function readersOf(typed: TypedGraph, outputs: readonly Value[]): ReadonlyMap<Value, (Node | null)[]> {
  const readers = new Map<Value, (Node | null)[]>(outputs.map((value) => [value, [null]]))
  for (const node of typed.graph.nodes) {
    if (typed.typed(node).operator?.linear !== undefined) continue
    for (const value of node.inputs) {
      if (value === null || typed.operand(value).isConstant) continue
      const known = readers.get(value)
      if (known === undefined) readers.set(value, [node])
      else known.push(node)
    }
  }
  return readers
}

/** Whether the linear region behind the values has several layers or joins: anything else the rules bound as well. */
function lookBack(typed: TypedGraph, values: readonly Value[]): { worthwhile: boolean; steps: number } {
  const open = [...values]
  const seen = new Set<Value>(open)
  let [layers, steps] = [0, 0]
  for (let value = open.pop(); value !== undefined && steps < REGION; value = open.pop()) {
    const node = value.producer
    if (node === null || typed.typed(node).operator?.linear === undefined) continue
    steps++
    const [layer] = typed.layers(node)
    if (layer !== undefined && layer.operator.form !== 'diagonal') layers++
    const varying = node.inputs.filter((input) => input !== null && !typed.operand(input).isConstant)
    if (layers > 1 || varying.length > 1) return { worthwhile: true, steps }
    for (const input of varying as Value[]) {
      if (seen.has(input)) continue
      seen.add(input)
      open.push(input)
    }
  }
  return { worthwhile: false, steps }
}
