import { beyondLimit, type Limits } from '../core/limits.ts'
import type { FunctionProto, GraphProto, NodeProto } from '../onnx/generated/onnx.d.ts'
import { malformed } from './malformed.ts'
import { canonicalDomain, displayDomain, isRuntimeDomain } from './opsets.ts'

/** The functions of a model, by the operators that they define. */
export interface Functions {
  /** The function that a node calls; null when the node is an operator. */
  called(node: NodeProto): FunctionProto | null
}

/**
 * Indexes the functions and checks, before anything is expanded, that no function calls itself, and that the
 * graph with all calls inlined stays within the limit: counted by dynamic programming, in time linear in the file.
 * Throws `malformed` for two functions of one name, for recursion and for functions in a runtime's own domain
 * (which it ignores, so that the file would mean something else there), `limit` beyond the budgets.
 */
export function indexFunctions(
  protos: readonly FunctionProto[],
  main: GraphProto,
  limits: Limits,
): Functions {
  const index = new Map<string, FunctionProto>()
  for (const proto of protos) {
    if (proto.name === '') throw malformed('a function has no name')
    if (isRuntimeDomain(canonicalDomain(proto.domain))) {
      throw malformed(
        `function ${proto.name} shadows an operator of ${displayDomain(canonicalDomain(proto.domain))}`,
      )
    }
    const key = keyOf(proto.domain, proto.name, proto.overload)
    if (index.has(key)) throw malformed(`two functions are named ${displayName(proto)}`)
    index.set(key, proto)
  }
  const called = (node: NodeProto) =>
    index.size === 0 ? null : (index.get(keyOf(node.domain, node.opType, node.overload)) ?? null)
  checkExpansion(main, protos, called, limits)
  return { called }
}

function keyOf(domain: string, name: string, overload: string): string {
  return JSON.stringify([canonicalDomain(domain), name, overload])
}

function displayName(proto: FunctionProto): string {
  return `${proto.domain}::${proto.name}${proto.overload === '' ? '' : `:${proto.overload}`}`
}

interface Expansion {
  readonly nodes: number
  readonly depth: number
}

function checkExpansion(
  main: GraphProto,
  protos: readonly FunctionProto[],
  called: (node: NodeProto) => FunctionProto | null,
  limits: Limits,
): void {
  const expansions = new Map<FunctionProto, Expansion>()
  const open = new Set<FunctionProto>()

  function expansionOf(nodes: readonly NodeProto[]): Expansion {
    let total = 0
    let depth = 0
    for (const node of nodesBelow(nodes)) {
      const callee = called(node)
      const expansion = callee === null ? undefined : expansions.get(callee)
      total += expansion?.nodes ?? 1
      depth = Math.max(depth, expansion?.depth ?? 0)
    }
    if (total > limits.inlinedNodes) {
      throw beyondLimit(
        'inlinedNodes',
        `with its functions inlined the graph has more than ${limits.inlinedNodes} nodes`,
      )
    }
    // Bounded by the limit above, so that it stays exact; one more for a function without nodes.
    return { nodes: total + 1, depth: depth + 1 }
  }

  const stack: { readonly proto: FunctionProto; readonly done: boolean }[] = []
  for (const root of protos) {
    stack.push({ proto: root, done: false })
    while (stack.length > 0) {
      const { proto, done } = stack.pop()!
      if (done) {
        open.delete(proto)
        const expansion = expansionOf(proto.node)
        if (expansion.depth > limits.functionDepth) {
          throw beyondLimit(
            'functionDepth',
            `functions call one another more than ${limits.functionDepth} deep`,
          )
        }
        expansions.set(proto, expansion)
        continue
      }
      if (expansions.has(proto)) continue
      if (open.has(proto)) throw malformed(`function ${displayName(proto)} calls itself`)
      open.add(proto)
      stack.push({ proto, done: true })
      for (const node of nodesBelow(proto.node)) {
        const callee = called(node)
        if (callee === null || expansions.has(callee)) continue
        if (open.has(callee)) throw malformed(`function ${displayName(callee)} calls itself`)
        stack.push({ proto: callee, done: false })
      }
    }
  }
  expansionOf(main.node)
}

/** The nodes, and those of all bodies below them. */
function* nodesBelow(nodes: readonly NodeProto[]): Generator<NodeProto> {
  const pending = [nodes]
  while (pending.length > 0) {
    for (const node of pending.pop()!) {
      yield node
      for (const attribute of node.attribute) {
        if (attribute.g !== null) pending.push(attribute.g.node)
        for (const graph of attribute.graphs) pending.push(graph.node)
      }
    }
  }
}
