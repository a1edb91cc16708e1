import type { GraphProto } from '../onnx/generated/onnx.d.ts'
import type { ModelFile } from '../onnx/model-file.ts'
import type { Drafter, DraftGraph, DraftNode, DraftValue } from './draft.ts'
import type { Functions } from './functions.ts'
import { malformed } from './malformed.ts'
import type { Scope } from './scope.ts'

/** What the steps of building a graph share. */
export interface Builder {
  readonly file: ModelFile
  readonly functions: Functions
  /** The versions that the model imports; a function may import others. */
  readonly opsets: ReadonlyMap<string, number>
  readonly drafter: Drafter
  /** Bodies that are built once the graph around them knows all its names. */
  readonly waiting: { readonly proto: GraphProto; readonly scope: Scope }[]
}

/** The version of a domain that holds in a scope. Throws `malformed` where ai.onnx is not imported. */
export function versionOf({ opsets }: Builder, domain: string, scope: Scope, node: string): number {
  const version = scope.opsets.get(domain) ?? opsets.get(domain)
  if (version !== undefined) return version
  if (domain === '') throw malformed('the model imports no version of ai.onnx', { node })
  // Runtimes take operators of their own domains without an import; those have one version.
  return 1
}

/** Puts a node into its graph, as the producer of what it writes. */
export function addNode(node: DraftNode, graph: DraftGraph): void {
  for (const output of node.outputs) if (output !== null) (output as DraftValue).producer = node
  graph.nodes.push(node)
}
