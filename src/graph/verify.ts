import { LipschitzError } from '../core/errors.ts'
import type { Graph, Node, Value } from './graph.ts'
import { bodiesOf } from './walk.ts'

interface Visit {
  readonly graph: Graph
  /** The node whose body this is. */
  readonly owner: Node | null
  /** Values that the graph itself has made so far. */
  readonly made: Set<Value>
  /** How many nodes are done. */
  done: number
  /** Bodies of the node in hand that are still to be visited; null when it was not begun. */
  bodies: Graph[] | null
}

/**
 * Checks what all later passes rely on: every value has one place where it is made, a node reads only what was
 * made before it, in its own graph or in one around it, and `captures` names the latter. Linear, iterative.
 * Throws `internal`: a file cannot bring this about.
 */
export function verifyGraph(main: Graph): void {
  const everMade = new Set<Value>()
  const visits: Visit[] = []
  open(main, null)

  while (visits.length > 0) {
    const visit = visits.at(-1)!
    const node = visit.graph.nodes[visit.done]
    if (node === undefined) {
      for (const output of visit.graph.outputs) read(output, visit.owner)
      visits.pop()
    } else if (visit.bodies === null) {
      for (const input of node.inputs) if (input !== null) read(input, node)
      visit.bodies = [...bodiesOf(node)]
    } else if (visit.bodies.length > 0) {
      open(visit.bodies.pop()!, node)
    } else {
      for (const output of node.outputs) if (output !== null) make(visit, output, node)
      visit.done++
      visit.bodies = null
    }
  }

  function open(graph: Graph, owner: Node | null): void {
    const visit: Visit = { graph, owner, made: new Set(), done: 0, bodies: null }
    for (const value of [...graph.inputs, ...graph.initializers]) make(visit, value, null)
    visits.push(visit)
  }

  function make(visit: Visit, value: Value, producer: Node | null): void {
    if (everMade.has(value) || value.producer !== producer)
      fail(`value '${value.name}' is made twice`, producer)
    everMade.add(value)
    visit.made.add(value)
  }

  function read(value: Value, node: Node | null): void {
    for (let depth = visits.length - 1; depth >= 0; depth--) {
      if (visits[depth].made.has(value)) return
      const { owner } = visits[depth]
      if (owner?.captures.has(value) === false) {
        fail(`'${owner.name}' does not say that its bodies read '${value.name}'`, node)
      }
    }
    fail(`value '${value.name}' is read before it is made`, node)
  }
}

function fail(message: string, node: Node | null): never {
  throw new LipschitzError('internal', message, { node: node?.name })
}
