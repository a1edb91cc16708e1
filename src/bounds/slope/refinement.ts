import type { Certificate } from '../../core/enclosure.ts'
import * as mag from '../../core/magnitude.ts'
import { hashText } from '../../core/random.ts'
import { mulUp, sqrtUp } from '../../core/rounding.ts'
import * as term from '../../core/term.ts'
import type { Node, Value } from '../../graph/graph.ts'
import type { TypedGraph } from '../../infer/typed-graph.ts'
import { everything, type Interval, type TensorBound } from '../../ops/bound.ts'
import { isFixed } from '../../ops/rules/join.ts'
import { gainsOf, type NormOf, type Refine } from '../walk.ts'
import { boundWindow, costOfWindow } from './joint-norm.ts'
import { type ActivationPart, partsOf } from './parts.ts'
import { openWindow, type Split, type Surroundings } from './window.ts'

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
  /** Asked now and then: whether to stop with what is proven so far. */
  readonly expired?: () => boolean
}

/** A refinement of the walk, and what it rests on. */
export interface Refinement {
  readonly refine: Refine
  /** Bounds several outputs together, once the walk is over. */
  bound(values: readonly Value[], boundOf: (value: Value) => TensorBound): number | null
  /** What the norms used so far may fail with. */
  failureProbability(): number
}

/**
 * The mean-slope bound. An activation a = f(z) with secants in [α, β] is Δa = C Δz + √R u, where C = (α + β)/2,
 * R = (β − α)/2 and |u| ≤ |√R Δz|, elementwise. With every activation replaced so, the network is linear in the inputs
 * and the vectors u, and with G for its maps, b for the bounds of |u|,
 *
 *     |Δz|  =  |G₀ Δx + Σₖ Gₖ uₖ|  ≤  joint norm over |Δx| ≤ 1, |uₖ| ≤ bₖ        (joint-norm.ts)
 *
 * at every value that an activation, a node of another kind or an output reads. Nodes of other kinds are bounded by
 * their rules from what is known of their inputs, and begin anew. Windows end where they cost too much: there, the
 * value itself is what the rest depends on. No bound is larger than that of the rules.
 */
export function refineBySlopes(typed: TypedGraph, options: RefinementOptions): Refinement {
  const { nodes } = typed.graph
  const places = new Map(nodes.map((node, place) => [node, place]))
  const audited = new Set(options.audited)
  const targets = targetsOf(typed, options.outputs)
  const splits = new Map<Node, Split | null>()
  let [spent, left, used, asked] = [0, targets.size + 1, 0, 0]
  let known: (value: Value) => TensorBound = () => {
    throw new Error('nothing is walked yet')
  }
  const varies = (value: Value) => !typed.operand(value).isConstant && !isFixed(known(value))
  const parts = partsOf(typed, gainsOf(typed, options.normOf), varies)

  const numberOf = (bound: TensorBound) => {
    if (bound.refusal !== null || !term.isZero(bound.offset)) return null
    const number = mag.toNumber(bound.lipschitz.value)
    return Number.isFinite(number) ? number : null
  }

  /** The split of an activation by the range of its input as a whole. */
  function splitOf(part: ActivationPart): Split | null {
    const found = splits.get(part.node)
    if (found !== undefined) return found
    const split = makeSplit(part, known(part.node.inputs[0] as Value), numberOf)
    splits.set(part.node, split)
    return split
  }

  const around: Surroundings = {
    ...parts,
    place: (node) => places.get(node) ?? -1,
    isInput: (value) => audited.has(value),
    boundOf: (value) => numberOf(known(value)),
    splitOf,
  }

  /** The least that windows from these targets prove; null where that is nothing new. */
  function prove(values: readonly Value[]): number | null {
    left--
    const share = (options.budget - spent) / Math.max(1, left / 2 + 1)
    if (!(share > 0) || options.expired?.() === true) return null
    if (options.depth === 0 && !isWorthwhile(typed, values)) return null
    const sizes = values.map((value) => parts.sizeOf(value))
    if (sizes.some((size) => size === null)) return null
    const rows = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0)
    const window = openWindow(
      values,
      nodes,
      around,
      (cost, depth, size) => depth <= options.depth && costOfWindow(rows, size, cost) <= share,
    )
    if (window === null || (window.depth === 0 && window.layers < 2 && window.joins === 0)) return null
    spent += costOfWindow(
      rows,
      window.slotSizes.reduce((sum, size) => sum + size, 0),
      window.cost,
    )
    const seed = hashText(`${values[0].name} ${asked++}`, hashText(String(options.seed)))
    const failureProbability = options.failureProbability / (targets.size + 1)
    const found = boundWindow(window, { certify: options.certify, seed, failureProbability })
    if (found === null) return null
    used += found.failureProbability
    return found.bound
  }

  return {
    refine: (node, results, boundOf) => {
      known = (value) => {
        const at = node.outputs.indexOf(value)
        return at < 0 ? boundOf(value) : (results[at] ?? boundOf(value))
      }
      return node.outputs.map((value, i) => {
        const result = results[i]
        if (value === null || result === undefined || !targets.has(value) || audited.has(value)) return result
        if (isFixed(result) || numberOf(result) === null) return result
        const bound = prove([value])
        if (bound === null) return result
        const better = term.constant(mag.magnitude(bound))
        return mag.compare(better.value, result.lipschitz.value) < 0
          ? { ...result, lipschitz: chained(result.lipschitz, better.value) }
          : result
      })
    },
    bound: (values, boundOf) => {
      known = boundOf
      return prove(values)
    },
    failureProbability: () => used,
  }
}

/** A lesser value of the same bound: it grows with the same layers. */
function chained(from: term.Term, value: mag.Magnitude): term.Term {
  return { value, parents: [from], weights: [1], leaf: null }
}

function makeSplit(
  part: ActivationPart,
  input: TensorBound,
  numberOf: (bound: TensorBound) => number | null,
): Split | null {
  const { lo, hi } = part.slopes(rangeOf(input))
  const bound = numberOf(input)
  if (bound === null || !(Number.isFinite(lo) && Number.isFinite(hi))) return null
  const center = (lo + hi) / 2
  const radius = Math.max(hi - center, center - lo) * (1 + 2 ** -50)
  const root = sqrtUp(radius)
  return { center, root, bound: mulUp(root, bound) }
}

const rangeOf = (bound: TensorBound): Interval => bound.range ?? everything

/** Values at which bounds are wanted: what activations and nodes that are not affine read, and the outputs. */
function targetsOf(typed: TypedGraph, outputs: readonly Value[]): ReadonlySet<Value> {
  const targets = new Set(outputs)
  for (const node of typed.graph.nodes) {
    if (typed.typed(node).operator?.linear !== undefined) continue
    for (const value of node.inputs) {
      if (value !== null && !typed.operand(value).isConstant) targets.add(value)
    }
  }
  return targets
}

/** Whether the linear region behind the values has several layers or joins: anything else the rules bound as well. */
function isWorthwhile(typed: TypedGraph, values: readonly Value[]): boolean {
  const open = [...values]
  const seen = new Set<Value>(open)
  let layers = 0
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    const node = value.producer
    if (node === null || typed.typed(node).operator?.linear === undefined) continue
    const [layer] = typed.layers(node)
    if (layer !== undefined && layer.operator.form !== 'diagonal') layers++
    const varying = node.inputs.filter((input) => input !== null && !typed.operand(input).isConstant)
    if (layers > 1 || varying.length > 1) return true
    for (const input of varying as Value[]) if (!seen.has(input)) seen.add(input) && open.push(input)
  }
  return false
}
