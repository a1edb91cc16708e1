import type { Term } from '../core/term.ts'
import * as term from '../core/term.ts'
import type { Node, Value } from '../graph/graph.ts'
import type { TypedGraph } from '../infer/typed-graph.ts'
import { isFixed } from '../ops/rules/join.ts'
import type { Walk } from './walk.ts'

/** The bound of what one node writes, or of one audited input. */
export interface TracePoint {
  /** The node's name; an input's name where `op` is empty. */
  readonly node: string
  readonly op: string
  /** Places in the trace of what the node reads. */
  readonly from: readonly number[]
  /** From the audited inputs to the largest of the node's outputs; infinite where none is proven. */
  readonly lipschitz: Term
}

/**
 * How the bound grows along the main graph: the audited inputs, then every node whose outputs vary with them, in
 * topological order. Every walk's bound is proven, so the least of them counts at each value.
 */
export function traceBounds(
  typed: TypedGraph,
  inputs: readonly Value[],
  walks: readonly Walk[],
): TracePoint[] {
  const points: TracePoint[] = inputs.map(({ name }) => ({
    node: name,
    op: '',
    from: [],
    lipschitz: term.one,
  }))
  const places = new Map<Value, number>(inputs.map((input, place) => [input, place]))
  for (const node of typed.graph.nodes) {
    const varying = varyingOutputs(typed, node, walks)
    if (varying.every((value) => inputs.includes(value))) continue
    const from = [...node.inputs, ...node.captures].flatMap((value) => (value && places.get(value)) ?? [])
    const lipschitz = term.maximum(...varying.map((value) => leastBound(value, walks)))
    for (const value of varying) places.set(value, points.length)
    points.push({ node: node.name, op: node.op, from: [...new Set(from)], lipschitz })
  }
  return points
}

function varyingOutputs(typed: TypedGraph, node: Node, walks: readonly Walk[]): Value[] {
  return node.outputs.filter(
    (value) =>
      value !== null &&
      !typed.operand(value).isConstant &&
      walks.some((walk) => !isFixed(walk.boundOf(value))),
  ) as Value[]
}

function leastBound(value: Value, walks: readonly Walk[]): Term {
  const proven = walks
    .map((walk) => walk.boundOf(value))
    .map(({ lipschitz, refusal }) => (refusal === null ? lipschitz : term.infinite))
  return term.minimum(...proven)
}
