import { LipschitzError } from '../core/errors.ts'
import type { FunctionProto, NodeProto } from '../onnx/generated/onnx.d.ts'
import { addNode, type Builder, versionOf } from './builder.ts'
import { undeclared } from './declaration.ts'
import { declarationsOf, declareOutputs } from './declare.ts'
import { decodeAttribute } from './decode-attribute.ts'
import type { DraftNode } from './draft.ts'
import type { Attribute, Value } from './graph.ts'
import { malformed } from './malformed.ts'
import { resolveOpsets } from './opsets.ts'
import type { Scope } from './scope.ts'

/** A list of nodes that is being added to a graph: its own, or those of a function that is called in it. */
export interface NodeList {
  readonly scope: Scope
  readonly nodes: Iterator<NodeProto>
}

/** Binds a call's operands to the function's names, in a scope of its own; returns the nodes to be inlined. */
export function openCall(builder: Builder, callee: FunctionProto, node: DraftNode, caller: Scope): NodeList {
  if (node.inputs.length > callee.input.length || node.outputs.length > callee.output.length) {
    throw malformed(`function ${callee.name} is called with too many inputs or outputs`, {
      node: node.name,
    })
  }
  const scope: Scope = {
    graph: caller.graph,
    prefix: `${node.name}/`,
    values: new Map(),
    opsets: resolveOpsets(callee.opsetImport, `function ${callee.name}`),
    attributes: new Map([...defaultsOf(builder, callee, node), ...node.attributes]),
    parent: null,
    owner: null,
    depth: caller.depth,
  }
  for (const [index, name] of callee.input.entries()) {
    if (name === '' || scope.values.has(name))
      throw malformed(`two inputs of function ${callee.name} are named '${name}'`)
    scope.values.set(name, node.inputs[index] ?? null)
  }
  const declarations = declarationsOf(callee.valueInfo, builder.file.limits)
  const results = new Set<string>()
  for (const [index, name] of callee.output.entries()) {
    if (results.has(name)) throw malformed(`two outputs of function ${callee.name} are named '${name}'`)
    const result = node.outputs[index] ?? null
    if (scope.values.has(name)) {
      passThrough(builder, scope, scope.values.get(name) ?? null, result, node)
      continue
    }
    results.add(name)
    const declared = declarations.get(name) ?? undeclared
    scope.values.set(name, result ?? builder.drafter.value(scope.prefix + name, 'node', declared))
  }
  declareOutputs(builder, callee.node, scope, declarations, results)
  return { scope, nodes: callee.node.values() }
}

/** A function that returns one of its inputs: the graph writes this one node of its own, so that values keep one name. */
function passThrough(
  builder: Builder,
  scope: Scope,
  from: Value | null,
  to: Value | null,
  call: DraftNode,
): void {
  if (to === null) return
  if (from === null) throw malformed('the function returns an input that the call omits', { node: call.name })
  const version = versionOf(builder, '', scope, call.name)
  const fields = {
    name: `${scope.prefix}${to.name}`,
    op: 'Identity',
    domain: '',
    version,
    attributes: new Map(),
  }
  addNode(builder.drafter.node({ ...fields, inputs: [from], outputs: [to] }), scope.graph)
}

/** The values of attributes that the call may leave out. */
function defaultsOf({ file }: Builder, callee: FunctionProto, node: DraftNode): Map<string, Attribute> {
  const body = () => {
    throw new LipschitzError('unsupported', `function ${callee.name} has a graph as default`, {
      node: node.name,
    })
  }
  const place = { file, node: node.name, body }
  return new Map(callee.attributeProto.map((proto) => [proto.name, decodeAttribute(proto, place, true)]))
}
