import type { ElementType, Shape } from '../../core/tensor.ts'
import type { Graph, Node, Note } from '../../graph/graph.ts'
import { bodiesOf } from '../../graph/walk.ts'
import type { TypedGraph } from '../../infer/typed-graph.ts'
import { groupOf } from '../../ops/groups.ts'
import type { Operand } from '../../ops/operand.ts'
import type { BoundsOf, ValueBound } from './value-bound.ts'

/** A model as it was read, and what is proven of every value; names as the file has them. */
export interface Inspection {
  readonly path: string
  readonly irVersion: number
  readonly parameters: number
  readonly producer: string
  readonly opsets: ReadonlyMap<string, number>
  readonly inputs: readonly InspectedValue[]
  readonly nodes: readonly InspectedNode[]
  readonly outputs: readonly InspectedValue[]
  readonly notes: readonly Note[]
}

export interface InspectedValue {
  readonly name: string
  /** The element type; null where it is not known. */
  readonly type: ElementType | null
  /** `tensor`, or what else the value is. */
  readonly kind: string
  readonly shape: Shape | null
  readonly constant: boolean
  /** Null where nothing was bounded, or the value was not come to. */
  readonly bound: ValueBound | null
}

/**
 * constant: folded away; bound: a rule carries bounds through; no-rule: known, but no certificate behind it; unknown: no
 * such operator in this version.
 */
export type RuleKind = 'constant' | 'bound' | 'no-rule' | 'unknown'

export interface InspectedNode {
  /** Its place in the graph; within a body behind those of the owners: 12/3. */
  readonly id: string
  readonly domain: string
  readonly op: string
  readonly name: string
  readonly rule: RuleKind
  /** The group of rules that its rule stands in, and so the page below docs/operators; null where it has none. */
  readonly group: string | null
  readonly layers: readonly { readonly kind: string; readonly role: string }[]
  /** Null where an optional one is omitted. */
  readonly inputs: readonly (InspectedValue | null)[]
  readonly outputs: readonly (InspectedValue | null)[]
  /** Why there is no bound, where it ends at this node. */
  readonly reason: string | null
}

export function inspect(typed: TypedGraph, boundsOf: BoundsOf): Inspection {
  const { graph, model, notes } = typed
  const values = graph.inputs.map((value) => inspectValue(typed.operand(value), boundsOf))
  return {
    path: model.path,
    irVersion: model.irVersion,
    parameters: model.parameters,
    producer: model.producer,
    opsets: model.opsets,
    inputs: values,
    nodes: inspectNodes(typed, boundsOf),
    outputs: graph.outputs.map((value) => inspectValue(typed.operand(value), boundsOf)),
    notes,
  }
}

function inspectValue(operand: Operand, boundsOf: BoundsOf): InspectedValue {
  const { value, type, shape, isConstant } = operand
  const bound = isConstant ? null : boundsOf.value(value)
  return { name: value.name, type, kind: value.declared.kind, shape, constant: isConstant, bound }
}

/** The nodes of a graph in order, each followed by those of its bodies. */
function inspectNodes(typed: TypedGraph, boundsOf: BoundsOf): InspectedNode[] {
  const nodes: InspectedNode[] = []
  const frameOf = (graph: Graph, place: string) => ({ nodes: graph.nodes, next: 0, place })
  const open = [frameOf(typed.graph, '')]
  while (open.length > 0) {
    const frame = open.at(-1)!
    if (frame.next === frame.nodes.length) {
      open.pop()
      continue
    }
    const node = frame.nodes[frame.next++]
    const id = `${frame.place}${node.id}`
    nodes.push(inspectNode(typed, boundsOf, node, id))
    for (const body of bodiesOf(node).toReversed()) open.push(frameOf(body, `${id}/`))
  }
  return nodes
}

function inspectNode(typed: TypedGraph, boundsOf: BoundsOf, node: Node, id: string): InspectedNode {
  const { inputs, outputs } = typed.typed(node)
  const inspected = (operand: Operand | null) => operand && inspectValue(operand, boundsOf)
  return {
    id,
    domain: node.domain,
    op: node.op,
    name: node.name,
    rule: ruleOf(typed, node),
    group: groupAt(typed, node),
    layers: typed.layers(node).map(({ kind, role }) => ({ kind, role })),
    inputs: inputs.map(inspected),
    outputs: outputs.map(inspected),
    reason: boundsOf.reason(node),
  }
}

function groupAt(typed: TypedGraph, node: Node): string | null {
  const bound = typed.typed(node).operator?.bound
  return bound === undefined || ruleOf(typed, node) !== 'bound' ? null : groupOf(node.op, bound)
}

function ruleOf(typed: TypedGraph, node: Node): RuleKind {
  const { operator, outputs } = typed.typed(node)
  if (outputs.every((output) => output === null || output.isConstant)) return 'constant'
  if (operator === null) return 'unknown'
  return operator.bound === undefined ? 'no-rule' : 'bound'
}
