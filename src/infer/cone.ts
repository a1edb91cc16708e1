import type { Node, Value } from '../graph/graph.ts'

/** The nodes to fold for one value, each after those that it reads from, and how often they read each value. */
export interface Cone {
  readonly order: readonly Node[]
  readonly uses: Map<Value, number>
}

/**
 * Walks back from `target` to values that are at hand. `inputsOf` gives what a node needs in memory.
 * Linear in the nodes visited; iterative, since a file controls the depth.
 */
export function coneOf(
  target: Value,
  isAtHand: (value: Value) => boolean,
  inputsOf: (node: Node) => readonly Value[],
): Cone {
  const order: Node[] = []
  const uses = new Map<Value, number>()
  const entered = new Set<Node>()
  const stack: { readonly node: Node; readonly done: boolean }[] = []

  function enter(value: Value): void {
    const node = value.producer
    if (node === null || entered.has(node) || isAtHand(value)) return
    stack.push({ node, done: false })
  }

  enter(target)
  while (stack.length > 0) {
    const { node, done } = stack.pop()!
    if (done) {
      order.push(node)
      continue
    }
    if (entered.has(node)) continue
    entered.add(node)
    stack.push({ node, done: true })
    for (const input of inputsOf(node)) {
      uses.set(input, (uses.get(input) ?? 0) + 1)
      enter(input)
    }
  }
  return { order, uses }
}
