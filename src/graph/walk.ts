import type { Graph, Node } from './graph.ts'

/** The body graphs that a node owns, in the order of its attributes. */
export function bodiesOf(node: Node): readonly Graph[] {
  const bodies: Graph[] = []
  for (const attribute of node.attributes.values()) {
    if (attribute.kind === 'graph') bodies.push(attribute.value)
    if (attribute.kind === 'graphs') bodies.push(...attribute.value)
  }
  return bodies
}

/** Every node of a graph and of the bodies in it: a node first, then what its bodies hold. */
export function* nodesOf(graph: Graph): Generator<Node> {
  const open: Iterator<Node>[] = [graph.nodes.values()]
  while (open.length > 0) {
    const step = open.at(-1)!.next()
    if (step.done) {
      open.pop()
      continue
    }
    yield step.value
    for (const body of bodiesOf(step.value).toReversed()) open.push(body.nodes.values())
  }
}

/** The graph itself and every body in it. */
export function* graphsOf(graph: Graph): Generator<Graph> {
  yield graph
  for (const node of nodesOf(graph)) yield* bodiesOf(node)
}
