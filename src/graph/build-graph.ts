import type { GraphProto } from '../onnx/generated/onnx.d.ts'
import type { ModelFile } from '../onnx/model-file.ts'
import { addNode, type Builder } from './builder.ts'
import { declarationsOf, declareInputs, declareOutputs } from './declare.ts'
import { createDrafter, type DraftGraph, draftGraph } from './draft.ts'
import type { Functions } from './functions.ts'
import type { Graph, Note } from './graph.ts'
import { makeNode } from './make-node.ts'
import { malformed } from './malformed.ts'
import { type NodeList, openCall } from './open-call.ts'
import type { Scope } from './scope.ts'
import { lookUp } from './scope.ts'
import { sortNodes } from './sort.ts'

export interface BuiltGraph {
  readonly graph: Graph
  readonly notes: readonly Note[]
}

/**
 * Builds the main graph with functions inlined, and every body in it, without recursion: bodies wait in a queue
 * until the graph around them knows all its names. Throws `malformed` where names collide, are missing, or
 * depend on one another in a circle, `limit` where bodies are nested too deep.
 */
export function buildGraph(
  file: ModelFile,
  main: GraphProto,
  opsets: ReadonlyMap<string, number>,
  functions: Functions,
): BuiltGraph {
  const builder: Builder = { file, functions, opsets, drafter: createDrafter(), waiting: [] }
  const root: Scope = {
    graph: draftGraph(main.name),
    prefix: '',
    values: new Map(),
    opsets,
    attributes: null,
    parent: null,
    owner: null,
    depth: 0,
  }
  const graphs: DraftGraph[] = []
  builder.waiting.push({ proto: main, scope: root })
  while (builder.waiting.length > 0) {
    const { proto, scope } = builder.waiting.pop()!
    build(builder, proto, scope)
    graphs.push(scope.graph)
  }
  return { graph: root.graph, notes: graphs.flatMap(sortGraph) }
}

function build(builder: Builder, proto: GraphProto, scope: Scope): void {
  const declarations = declarationsOf([...proto.output, ...proto.valueInfo], builder.file.limits)
  declareInputs(builder, proto, scope, declarations)
  declareOutputs(builder, proto.node, scope, declarations)
  inline(builder, { scope, nodes: proto.node.values() })
  const names = new Set<string>()
  for (const { name } of proto.output) {
    if (names.has(name)) throw malformed(`two outputs are named '${name}'`, { tensor: name })
    names.add(name)
    const value = lookUp(scope, name, scope.owner?.name)
    if (value === null)
      throw malformed(`the output '${name}' is an input that a call omits`, { tensor: name })
    scope.graph.outputs.push(value)
  }
}

/** Makes the nodes of a graph; calls of functions become the nodes of the function, in their place. */
function inline(builder: Builder, graph: NodeList): void {
  const lists = [graph]
  while (lists.length > 0) {
    const { nodes, scope } = lists.at(-1)!
    const next = nodes.next()
    if (next.done) {
      lists.pop()
      continue
    }
    const node = makeNode(builder, next.value, scope)
    const callee = builder.functions.called(next.value)
    if (callee === null) addNode(node, scope.graph)
    else lists.push(openCall(builder, callee, node, scope))
  }
}

/** Puts the nodes in order, with a note where they were not. */
function sortGraph(graph: DraftGraph): Note[] {
  const { nodes, wasSorted } = sortNodes(graph.nodes)
  graph.nodes = [...nodes]
  if (wasSorted) return []
  const message = `the nodes of graph '${graph.name}' are not in the order of their computation; they were sorted`
  return [{ rule: 'unsorted-nodes', message }]
}
