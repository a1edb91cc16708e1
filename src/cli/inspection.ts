import type { Graph, Model, Node } from '../graph/graph.ts'
import { displayDomain } from '../graph/opsets.ts'
import { bodiesOf } from '../graph/walk.ts'
import type { TypedGraph } from '../infer/typed-graph.ts'
import type { Operand } from '../ops/operator.ts'
import { escapeText } from '../report/escape.ts'

/** One line of an inspection, in fields; the first says what the line is. */
export type Line = readonly string[]

/** float32[1,3,?,?]; a rank that is not known is [*], a type that is not known is ?. */
function describeType({ type, shape, value }: Operand): string {
  const kind = value.declared.kind === 'tensor' ? (type ?? '?') : value.declared.kind
  return `${kind}[${shape === null ? '*' : shape.map((dim) => dim ?? '?').join(',')}]`
}

/** name:type[shape], with = in place of : where the elements are constant; - for an omitted input or output. */
function describeOperand(operand: Operand | null): string {
  if (operand === null) return '-'
  return `${escapeText(operand.value.name)}${operand.isConstant ? '=' : ':'}${describeType(operand)}`
}

function describeOperands(operands: readonly (Operand | null)[]): string {
  return operands.length === 0 ? '-' : operands.map(describeOperand).join(' ')
}

function describeLayers(typed: TypedGraph, node: Node): string {
  const layers = typed
    .layers(node)
    .map(({ kind, role }) => (role === '' ? kind : `${kind}[${escapeText(role)}]`))
  return layers.length === 0 ? '-' : layers.join(',')
}

/** constant: folded away; bound: a rule carries bounds through; no-rule: known, but no certificate behind it; unknown. */
function describeRule(typed: TypedGraph, node: Node): string {
  const { operator, outputs } = typed.typed(node)
  if (outputs.every((output) => output === null || output.isConstant)) return 'constant'
  if (operator === null) return 'unknown'
  return operator.bound === undefined ? 'no-rule' : 'bound'
}

function nodeLine(typed: TypedGraph, node: Node, place: string): Line {
  const { inputs, outputs } = typed.typed(node)
  const op = node.domain === '' ? node.op : `${node.domain}:${node.op}`
  return [
    'node',
    `${place}${node.id}`,
    escapeText(op),
    escapeText(node.name),
    describeRule(typed, node),
    describeLayers(typed, node),
    describeOperands(inputs),
    '->',
    describeOperands(outputs),
  ]
}

/** The nodes of a graph in order, each followed by those of its bodies, whose ids begin with the owner's. */
function* nodeLines(typed: TypedGraph, graph: Graph): Generator<Line> {
  const open = [{ nodes: graph.nodes, next: 0, place: '' }]
  while (open.length > 0) {
    const frame = open.at(-1)!
    if (frame.next === frame.nodes.length) {
      open.pop()
      continue
    }
    const node = frame.nodes[frame.next++]
    yield nodeLine(typed, node, frame.place)
    for (const body of bodiesOf(node).toReversed()) {
      open.push({ nodes: body.nodes, next: 0, place: `${frame.place}${node.id}/` })
    }
  }
}

function modelLines({ path, irVersion, opsets, producer, parameters }: Model): Line[] {
  return [
    [
      'model',
      escapeText(path),
      `ir=${irVersion}`,
      `parameters=${parameters}`,
      `producer=${escapeText(producer)}`,
    ],
    ...[...opsets].map(([domain, version]) => ['opset', escapeText(displayDomain(domain)), String(version)]),
  ]
}

/** The graph as read: model, opsets, inputs, nodes in order, outputs, notes. */
export function* inspect(typed: TypedGraph): Generator<Line> {
  const { graph, model, notes } = typed
  yield* modelLines(model)
  for (const value of graph.inputs) yield ['input', describeOperand(typed.operand(value))]
  yield* nodeLines(typed, graph)
  for (const value of graph.outputs) yield ['output', describeOperand(typed.operand(value))]
  for (const { rule, message } of notes) yield ['note', escapeText(rule), escapeText(message)]
}
