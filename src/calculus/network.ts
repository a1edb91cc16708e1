import type { FloatArray, Tensor } from '../core/tensor.ts'
import type { Node, Value } from '../graph/graph.ts'
import type { TypedGraph } from '../infer/typed-graph.ts'
import type { LinearMap } from '../ops/linear-map.ts'

/** A typed graph as a function of real numbers: from inputs that vary to outputs, everything else held. */
export interface Network {
  readonly typed: TypedGraph
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  /** Inputs that are held, and at what. */
  readonly held: ReadonlyMap<Value, Tensor>
  /** The nodes of the main graph that an output needs. */
  readonly needed: ReadonlySet<Node>
  /** What is the same at every point, made when it is first asked for. */
  readonly constants: Map<Value, Tensor>
  readonly affine: Map<Node, AffineNode | null>
}

/** A node that is affine in what varies: A·x + b at every point. */
export interface AffineNode {
  readonly map: LinearMap
  /** The outputs for inputs of zeros; null where they are zero. */
  readonly offsets: readonly (Float64Array | null)[]
  readonly outputs: readonly { readonly type: Tensor['type']; readonly dims: readonly number[] }[]
  /**
   * What the offsets of the first output add up, in absolute values, where they may cancel; null where they are read,
   * undefined where nothing is known of it.
   */
  readonly offsetSize?: FloatArray | null
}

/** Prepares a network; computes nothing yet. */
export function createNetwork(
  typed: TypedGraph,
  inputs: readonly Value[],
  outputs: readonly Value[],
  held: ReadonlyMap<Value, Tensor> = new Map(),
): Network {
  const given = new Set([...inputs, ...held.keys()])
  const needed = neededNodes(typed, given, outputs)
  return { typed, inputs, outputs, held, needed, constants: new Map(), affine: new Map() }
}

/** The nodes from which an output follows without passing a value that is given. Iterative: a file controls the depth. */
export function neededNodes(
  typed: TypedGraph,
  given: ReadonlySet<Value>,
  outputs: readonly Value[],
): ReadonlySet<Node> {
  const found = new Set<Node>()
  const open = outputs.filter((value) => !given.has(value))
  while (open.length > 0) {
    const node = open.pop()!.producer
    if (node === null || found.has(node)) continue
    found.add(node)
    for (const value of [...node.inputs, ...node.captures]) {
      if (value !== null && !given.has(value) && !typed.operand(value).isConstant) open.push(value)
    }
  }
  return found
}
