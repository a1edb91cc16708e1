import * as mag from '../../../core/magnitude.ts'
import * as term from '../../../core/term.ts'
import type { Node, Value } from '../../../graph/graph.ts'
import type { Parts } from '../../slope/parts.ts'
import type { Split } from '../../slope/placed.ts'
import { largest } from './../../slope/split-steps.ts'
import { centred } from '../../slope/splits.ts'
import { openWindow, type Surroundings, type Window } from '../../slope/window.ts'
import type { Walk } from '../../walk.ts'
import type { Network } from '../extract.ts'
import { isAccurate, type LoopBound, loopBound, passesOf } from './loop-bound.ts'

export interface NetworkLoopOptions {
  readonly targets: readonly Value[]
  readonly walk: Walk
  readonly shapeOf: (value: Value) => readonly (number | null)[] | null
  /** Multiply-adds. */
  readonly budget: number
  /** Steps of search at the most. */
  readonly steps: number
  readonly seed: number
  readonly failureProbability: number
  readonly expired?: () => boolean
}

/** Steps of search below which there is nothing to gain. */
const LEAST = 15
/** How much an element costs beside the products that it takes part in, in multiply-adds. */
const OVERHEAD = 6
/** What changes may grow to before an activation is taken off its mean slope, so that roundings do not grow on. */
const GROWTHS = [Infinity, 1e4, 1e2]

/**
 * The loop of the whole network between the inputs and the targets; values behind nodes that are neither affine nor
 * activations are heads, with the bounds that are known of them. Null where nothing is proven within the budget.
 */
export function boundByLoop(network: Network & Parts, options: NetworkLoopOptions): LoopBound | null {
  const { targets, walk, expired } = options
  const boundOf = (value: Value) => {
    const bound = walk.boundOf(value)
    if (bound.refusal !== null || !term.isZero(bound.offset)) return null
    const number = mag.toNumber(bound.lipschitz.value)
    return Number.isFinite(number) && number > 0 ? number : null
  }
  const open = (isCut: (node: Node) => boolean) => {
    const around: Surroundings = {
      ...network,
      boundOf,
      blockOf: (node) => network.blockAt(node, boundOf),
      splitOf: (part) => {
        const slopes = network.slopesOf(part)
        return slopes === null ? null : splitBy(centred(slopes), isCut(part.node))
      },
    }
    return openWindow(targets, network.nodes, around, () => true)
  }
  const sizesOf = ({ sources }: Window) =>
    new Map(
      sources.flatMap(({ origin, isValue }) => {
        if (origin === null || isValue) return []
        const node = origin.producer as Node
        const part = network.partOf(node)
        const slopes = part?.kind === 'activation' ? network.slopesOf(part) : null
        const read = node.inputs.find((value) => value !== null && network.varies(value))
        const size = read == null ? null : boundOf(read)
        const root = slopes === null ? 1 : largest(centred(slopes).root) || 1
        return size === null ? [] : [[origin, size * root] as const]
      }),
    )
  const target = Math.hypot(...targets.map((value) => boundOf(value) ?? Number.NaN))
  if (!(target > 0)) return null

  const settings = (window: Window) => {
    const sizes = sizesOf(window)
    const ties = window.sources.filter(({ origin, isValue }) => origin !== null && !isValue)
    const cost = window.cost + OVERHEAD * window.elements.reduce((sum, size) => sum + size, 0)
    const { seed, failureProbability } = options
    return {
      sizes: { ties: new Map(ties.map(({ origin }) => [origin, sizes.get(origin as Value) ?? 1])), target },
      areas: new Map(ties.map(({ origin }) => [origin, areaOf(options.shapeOf(origin as Value))])),
      steps: Math.min(options.steps, stepsFor(options.budget / (2 * cost), window.sources.length)),
      seed,
      failureProbability,
      ...(expired === undefined ? {} : { expired }),
    }
  }
  for (const growth of GROWTHS) {
    const cuts = growth < Infinity ? cutsOf(network, growth) : new Set<Node>()
    const window = open((node) => cuts.has(node))
    if (window === null || window.depth === 0) return null
    const given = settings(window)
    if (given.steps < LEAST) return null
    if (isAccurate(window, given)) return loopBound(window, given)
  }
  return null
}

function stepsFor(passes: number, sources: number): number {
  const [none, one] = [passesOf(0, sources), passesOf(1, sources)]
  return Math.floor((passes - none) / (one - none))
}

/** Elements that share a channel, in tensors of images. */
function areaOf(shape: readonly (number | null)[] | null): number {
  return shape === null ? 1 : shape.slice(2).reduce<number>((area, dim) => area * (dim ?? 1), 1)
}

function splitBy({ center, root }: Pick<Split, 'center' | 'root'>, isCut: boolean): Split {
  const bound = largest(root) > 0 ? 1 : 0
  if (!isCut || bound === 0) return { center, root, bound }
  // slopes in [C − R, C + R] are in [−ℓ, ℓ] for ℓ = |C| + R
  const whole = (c: number, r: number) => Math.sqrt((Math.abs(c) + r * r) * (1 + 2 ** -48)) * (1 + 2 ** -48)
  if (typeof center === 'number' && typeof root === 'number')
    return { center: 0, root: whole(center, root), bound }
  const at = (factor: number | Float64Array, i: number) => (typeof factor === 'number' ? factor : factor[i])
  const { length } = (typeof center === 'number' ? root : center) as Float64Array
  return {
    center: 0,
    root: new Float64Array(length).map((_, i) => whole(at(center, i), at(root, i))),
    bound,
  }
}

/** Activations behind which changes have grown too much. */
function cutsOf(network: Network & Parts, most: number): ReadonlySet<Node> {
  const cuts = new Set<Node>()
  const growth = new Map<Value, number>()
  for (const node of network.nodes) {
    const part = network.partOf(node)
    let size = 0
    for (const value of node.inputs) {
      if (value !== null && network.varies(value)) size = Math.hypot(size, growth.get(value) ?? 1)
    }
    if (part?.kind === 'linear') size *= Math.max(1, part.gain)
    else if (part?.kind !== 'activation') size = 1
    else if (size > most) {
      cuts.add(node)
      size = 1
    }
    for (const value of node.outputs) if (value !== null) growth.set(value, size)
  }
  return cuts
}
