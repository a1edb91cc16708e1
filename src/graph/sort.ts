import type { Node, Value } from './graph.ts'
import { malformed } from './malformed.ts'

/**
 * The nodes in an order in which each comes after those that it reads from, bodies included: the given order
 * where it is one already, else depth first from the given order. Linear, iterative.
 * Throws `malformed` when there is a cycle.
 */
export function sortNodes(nodes: readonly Node[]): {
  readonly nodes: readonly Node[]
  readonly wasSorted: boolean
} {
  const positions = new Map(nodes.map((node, position) => [node, position]))
  const wasSorted = nodes.every((node, position) =>
    sourcesOf(node).every(
      (value) => value.producer === null || (positions.get(value.producer) ?? -1) < position,
    ),
  )
  if (wasSorted) return { nodes, wasSorted }

  const sorted: Node[] = []
  const states = new Map<Node, 'open' | 'done'>()
  const stack: Node[] = []
  for (const root of nodes) {
    stack.push(root)
    while (stack.length > 0) {
      const node = stack.at(-1)!
      const state = states.get(node)
      if (state !== undefined) {
        stack.pop()
        if (state === 'open') sorted.push(node)
        states.set(node, 'done')
        continue
      }
      states.set(node, 'open')
      for (const { producer } of sourcesOf(node)) {
        if (producer === null || !positions.has(producer)) continue
        const found = states.get(producer)
        if (found === 'open') throw malformed('the graph has a cycle', { node: node.name })
        if (found === undefined) stack.push(producer)
      }
    }
  }
  return { nodes: sorted, wasSorted }
}

/** Everything that the node reads, through its bodies too. */
function sourcesOf(node: Node): readonly Value[] {
  return [...node.inputs.filter((input) => input !== null), ...node.captures]
}
