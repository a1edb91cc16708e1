import { LipschitzError } from '../core/errors.ts'
import { beyondLimit } from '../core/limits.ts'
import { isFloatType, sizeOf, type Tensor } from '../core/tensor.ts'
import type { Graph, Node, Value } from '../graph/graph.ts'
import type { Variable } from '../ops/algebra.ts'
import type { TracedTensor } from '../ops/calculus.ts'
import type { LinearMap } from '../ops/linear-map.ts'
import { createAlgebra } from '../ops/maps/algebra.ts'
import { type ComposedMap, compose, type Step } from '../ops/maps/composed.ts'
import type { Operator } from '../ops/operator.ts'
import { makeAffine } from './affine-node.ts'
import type { AffineNode, Network } from './network.ts'
import {
  asFloat64,
  contextAt,
  derivativeAt,
  infoOfTensor,
  refused,
  valuesAt,
  widenedTensor,
} from './node-at.ts'

/** An array in which the slope of an elementwise node jumps where an element is one of the kinks. */
export interface KinkedArray {
  readonly value: Value
  /** What the node makes of it. */
  readonly result: Value
  readonly data: Tensor['data']
  readonly kinks: readonly number[]
}

/** A network at one point: its values and its derivative there. */
export interface Trace {
  readonly outputs: readonly Tensor[]
  /** From the inputs to the outputs; at kinks the derivative of one side. */
  readonly jacobian: ComposedMap
  /** Nodes of bodies that were run, each as often as it was. */
  readonly bodyNodes: number
  /** What elementwise nodes of the main graph with kinks read. */
  readonly kinked: readonly KinkedArray[]
  /** Any value of the main graph that was needed; null for others. */
  tensorOf(value: Value): Tensor | null
  /** The derivative between values of the main graph on the way from the inputs. */
  derivative(sources: readonly Value[], targets: readonly Value[]): ComposedMap
}

/**
 * Evaluates the network in float64 at a point, elements of each input in their order, and remembers the linear maps of
 * all nodes. Floating-point types of the file are taken as float64: what is computed are the real numbers that the
 * network stands for, up to rounding. Throws `unsupported`, with the node, where a node on the way has no value or no
 * derivative, or a size is not known; `limit` where the values together exceed the budget.
 */
export function traceAt(network: Network, point: readonly Float64Array[]): Trace {
  const { typed, inputs, outputs } = network
  const steps: Step[] = []
  const held = new Map<Value, TracedTensor>()
  const kinked: KinkedArray[] = []
  let slots = 0
  let elements = 0
  let bodyNodes = 0

  inputs.forEach((value, i) => {
    held.set(value, { tensor: { type: 'float64', dims: knownShape(value), data: point[i] }, slot: slots++ })
  })
  for (const [value, tensor] of network.held) held.set(value, { tensor: widenedTensor(tensor), slot: -1 })
  const given = new Set(held.keys())

  function knownShape(value: Value): readonly number[] {
    const { shape } = typed.operand(value)
    if (shape === null || sizeOf(shape) === null)
      throw new LipschitzError('unsupported', `the shape of '${value.name}' is not known`, {
        tensor: value.name,
        hint: `give it with --input-shape ${value.name}=…`,
      })
    return shape as readonly number[]
  }

  function constantOf(value: Value): Tensor {
    const known = network.constants.get(value)
    if (known !== undefined) return known
    const tensor = typed.operand(value).constant()
    if (tensor === null)
      throw new LipschitzError('unsupported', `the elements of '${value.name}' are not known`, {
        tensor: value.name,
      })
    network.constants.set(value, widenedTensor(tensor))
    return network.constants.get(value)!
  }

  function read(value: Value): TracedTensor {
    const traced = held.get(value)
    if (traced !== undefined) return traced
    if (!typed.operand(value).isConstant)
      throw new LipschitzError(
        'unsupported',
        `'${value.name}' has no value here: it is no tensor, or not given`,
        {
          tensor: value.name,
        },
      )
    return { tensor: constantOf(value), slot: -1 }
  }

  function write(value: Value | null, tensor: Tensor, varies: boolean): number {
    elements += tensor.data.length
    const { pointElements } = typed.model.limits
    if (elements > pointElements)
      throw beyondLimit('pointElements', `its values take more than ${pointElements} elements`)
    const slot = varies ? slots++ : -1
    if (value !== null && !given.has(value)) held.set(value, { tensor, slot })
    return slot
  }

  function runNode(node: Node): void {
    const known = network.affine.get(node)
    if (known != null) {
      writeAffine(
        node,
        known,
        node.inputs.map((value) => (value === null ? null : (held.get(value) ?? null))),
      )
      return
    }
    const { operator, outputs } = typed.typed(node)
    if (operator === null) throw refused(node, 'is not known')
    const traced = node.inputs.map((value) => (value === null ? null : read(value)))
    if (operator.unroll !== undefined) {
      runBodies(node, operator, traced)
      return
    }
    const changing = traced.some((input) => input !== null && input.slot >= 0)
    const affine = changing ? affineNode(node, operator, traced) : null
    if (affine !== null) {
      writeAffine(node, affine, traced)
      return
    }
    const context = contextAt(node, operator, traced, outputs)
    const results = valuesAt(context)
    const varies = changing && operator.locallyConstant !== true && operator.foldsFrom !== 'shapes'
    const kinks = varies && network.needed.has(node) ? operator.kinks?.(context) : undefined
    if (kinks !== undefined && traced[0] != null && traced[0].slot >= 0)
      kinked.push({ value: node.inputs[0]!, result: node.outputs[0]!, data: traced[0].tensor.data, kinks })
    const map = varies ? derivativeAt({ ...context, outputs: results.map(infoOfTensor), results }) : null
    writeAll(node, results, map, traced)
  }

  function writeAll(
    node: Node,
    results: readonly (Tensor | null)[],
    map: LinearMap | null,
    traced: readonly (TracedTensor | null)[],
  ): void {
    const written = node.outputs.map((value, i) => {
      const tensor = results[i] ?? null
      if (value === null || tensor === null) return -1
      return write(value, tensor, map !== null && isFloatType(tensor.type))
    })
    if (map === null) return
    steps.push({ map, inputs: traced.map((input) => input?.slot ?? -1), outputs: written })
  }

  /** The node as A·x + b, where that is the same at every point. */
  function affineNode(
    node: Node,
    operator: Operator,
    traced: readonly (TracedTensor | null)[],
  ): AffineNode | null {
    const known = network.affine.get(node)
    if (known !== undefined) return known
    const isFixed = traced.every(
      (input, i) => input === null || input.slot >= 0 || typed.operand(node.inputs[i]!).isConstant,
    )
    const isMain = network.needed.has(node)
    const made =
      isFixed && isMain && operator.linear !== undefined
        ? makeAffine(node, operator, traced, typed.typed(node).outputs)
        : null
    if (isMain) network.affine.set(node, made)
    return made
  }

  function writeAffine(
    node: Node,
    { map, offsets, outputs }: AffineNode,
    traced: readonly (TracedTensor | null)[],
  ): void {
    const images = map.apply(
      traced.map((input) => (input === null || input.slot < 0 ? null : asFloat64(input.tensor.data))),
    )
    const results = outputs.map(({ type, dims }, i): Tensor => {
      const [image, offset] = [images[i] ?? null, offsets[i] ?? null]
      const size = sizeOf(dims) ?? 0
      return { type, dims, data: sumOf(image, offset) ?? new Float64Array(size) }
    })
    writeAll(node, results, map, traced)
  }

  function runBodies(node: Node, operator: Operator, traced: readonly (TracedTensor | null)[]): void {
    const results = operator.unroll?.({
      node,
      inputs: traced,
      fail: (message) => {
        throw refused(node, message)
      },
      body: (graph, given) => runBody(graph, given),
      define: (given, definition) => {
        const algebra = createAlgebra()
        const variables = given.map(({ tensor, slot }) => algebra.input(tensor, slot >= 0))
        const result = definition(algebra, variables)
        return record(
          given,
          algebra.derivative(variables, [result]),
          result,
          given[0]?.tensor.type ?? 'float64',
        )
      },
    })
    if (results == null) throw refused(node, 'cannot be followed')
    node.outputs.forEach((value, i) => {
      const result = results[i] ?? null
      if (value !== null && result !== null && !given.has(value)) held.set(value, result)
    })
  }

  function record(
    given: readonly TracedTensor[],
    map: LinearMap,
    { dims, data, slot }: Variable,
    type: Tensor['type'],
  ): TracedTensor {
    const tensor: Tensor = { type, dims, data }
    const own = write(null, tensor, slot >= 0)
    if (own >= 0) steps.push({ map, inputs: given.map((input) => input.slot), outputs: [own] })
    return { tensor, slot: own }
  }

  /** Bodies stand inside one another at most as deep as graphs may. */
  function runBody(graph: Graph, given: readonly TracedTensor[]): readonly TracedTensor[] {
    graph.inputs.forEach((value, i) => {
      if (given[i] !== undefined) held.set(value, given[i])
    })
    bodyNodes += graph.nodes.length + 1
    if (bodyNodes > typed.model.limits.walkedNodes)
      throw beyondLimit('walkedNodes', 'its loops take too many steps to follow')
    runNodes(graph, null)
    return graph.outputs.map(read)
  }

  function runNodes(graph: Graph, needed: ReadonlySet<Node> | null): void {
    for (const node of graph.nodes) {
      if (needed !== null && !needed.has(node)) continue
      if (
        node.outputs.every((value) => value === null || typed.operand(value).isConstant) &&
        needed === null
      ) {
        // A constant of a body is read where it is needed, but a loop may have made it another one before.
        for (const value of node.outputs) if (value !== null) held.delete(value)
        continue
      }
      try {
        runNode(node)
      } catch (error) {
        throw error instanceof LipschitzError ? error.with({ node: node.name }) : error
      }
    }
  }

  runNodes(typed.graph, network.needed)
  const targets = outputs.map(read)
  const slotOf = (value: Value) => held.get(value)?.slot ?? -1
  return {
    outputs: targets.map(({ tensor }) => tensor),
    bodyNodes,
    jacobian: composeVarying(
      steps,
      slots,
      inputs.map(slotOf),
      targets.map(({ slot }) => slot),
    ),
    kinked,
    tensorOf: (value) => held.get(value)?.tensor ?? null,
    derivative: (from, to) => composeVarying(steps, slots, from.map(slotOf), to.map(slotOf)),
  }
}

/** As `compose`; what does not vary changes by nothing. */
function composeVarying(
  steps: readonly Step[],
  slots: number,
  sources: readonly number[],
  targets: readonly number[],
): ComposedMap {
  const place = (slot: number) => (slot < 0 ? slots : slot)
  return compose(steps, slots + 1, sources.map(place), targets.map(place))
}

function sumOf(a: Float64Array | null, b: Float64Array | null): Float64Array | null {
  if (a === null || b === null) return a ?? b
  const sum = new Float64Array(a.length)
  for (let i = 0; i < sum.length; i++) sum[i] = a[i] + b[i]
  return sum
}
