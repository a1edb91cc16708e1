import { LipschitzError } from '../core/errors.ts'
import { graphLimits } from '../core/limits.ts'
import type { FunctionProto, GraphProto, NodeProto, ValueInfoProto } from '../onnx/generated/onnx.d.ts'
import type { ModelFile } from '../onnx/model-file.ts'
import { joinDeclarations, readDeclaration, undeclared } from './declaration.ts'
import { decodeAttribute, hasValue } from './decode-attribute.ts'
import type { DraftGraph, DraftNode, DraftValue } from './draft.ts'
import { createDrafter, draftGraph } from './draft.ts'
import type { Functions } from './functions.ts'
import type { Attribute, Declaration, Graph, Note, Value } from './graph.ts'
import { malformed } from './malformed.ts'
import { canonicalDomain, resolveOpsets } from './opsets.ts'
import type { Scope } from './scope.ts'
import { isTaken, lookUp } from './scope.ts'
import { sortNodes } from './sort.ts'

export interface BuiltGraph {
  readonly graph: Graph
  readonly notes: readonly Note[]
}

/** A list of nodes that is being added to a graph: its own, or those of a function that is called in it. */
interface Call {
  readonly scope: Scope
  readonly nodes: Iterator<NodeProto>
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
  const drafter = createDrafter()
  const notes: Note[] = []
  const irVersion = file.proto.irVersion
  const waiting: { readonly proto: GraphProto; readonly scope: Scope }[] = []
  const graphs: DraftGraph[] = []

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
  waiting.push({ proto: main, scope: root })
  while (waiting.length > 0) {
    const { proto, scope } = waiting.pop()!
    build(proto, scope)
    graphs.push(scope.graph)
  }
  for (const graph of graphs) finish(graph)
  return { graph: root.graph, notes }

  function build(proto: GraphProto, scope: Scope): void {
    const declarations = declarationsOf([...proto.output, ...proto.valueInfo])
    declareInputs(proto, scope)
    declareOutputs(proto.node, scope, declarations)
    inline({ scope, nodes: proto.node.values() })
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

  function declareInputs(proto: GraphProto, scope: Scope): void {
    const inputs = new Map<string, ValueInfoProto>()
    for (const info of proto.input) {
      if (inputs.has(info.name)) throw malformed(`two inputs are named '${info.name}'`, { tensor: info.name })
      inputs.set(info.name, info)
    }
    const stored = [...proto.initializer.map(file.tensor), ...proto.sparseInitializer.map(file.sparseTensor)]
    for (const tensor of stored) {
      const input = inputs.get(tensor.name)
      const declared = input === undefined ? undeclared : readDeclaration(input)
      const value = drafter.value(scope.prefix + tensor.name, 'initializer', declared, tensor)
      declare(scope, tensor.name, value, 'initializer')
      scope.graph.initializers.push(value)
      if (input !== undefined && irVersion >= 4) scope.graph.overridable.push(value)
    }
    for (const [name, info] of inputs) {
      if (scope.values.has(name)) continue
      const value = drafter.value(scope.prefix + name, 'input', readDeclaration(info))
      declare(scope, name, value, 'input')
      scope.graph.inputs.push(value)
    }
  }

  /** Makes the values that nodes write, before any is read: nodes may come in any order. */
  function declareOutputs(
    nodes: readonly NodeProto[],
    scope: Scope,
    declarations: ReadonlyMap<string, Declaration>,
    results: ReadonlySet<string> = new Set(),
  ): void {
    const written = new Set<string>()
    for (const node of nodes) {
      for (const name of node.output) {
        if (name === '') continue
        if (written.has(name)) throw malformed(`two nodes write '${name}'`, { node: node.name, tensor: name })
        written.add(name)
        if (results.has(name)) continue
        const value = drafter.value(scope.prefix + name, 'node', declarations.get(name) ?? undeclared)
        declare(scope, name, value, `output of ${node.opType}`)
      }
    }
    for (const name of results) {
      if (!written.has(name))
        throw malformed(`nothing in the function writes its output '${name}'`, { tensor: name })
    }
  }

  /** Makes the nodes of a graph; calls of functions become the nodes of the function, in their place. */
  function inline(graph: Call): void {
    const calls: Call[] = [graph]
    while (calls.length > 0) {
      const call = calls.at(-1)!
      const next = call.nodes.next()
      if (next.done) {
        calls.pop()
        continue
      }
      const node = makeNode(next.value, call.scope)
      const callee = functions.called(next.value)
      if (callee === null) addNode(node, call.scope.graph)
      else calls.push(openCall(callee, node, call.scope))
    }
  }

  function makeNode(proto: NodeProto, scope: Scope): DraftNode {
    const written = proto.output.find((output) => output !== '')
    const own = proto.name === '' ? (written ?? proto.opType) : proto.name
    const name = scope.prefix + own
    if (proto.opType === '') throw malformed('a node has no operator', { node: name })
    const domain = canonicalDomain(proto.domain)
    const node = drafter.node({
      name,
      op: proto.opType,
      domain,
      version: versionOf(domain, scope, name),
      attributes: new Map(),
      inputs: proto.input.map((input) => (input === '' ? null : lookUp(scope, input, name))),
      outputs: proto.output.map((output) => (output === '' ? null : scope.values.get(output)!)),
    })
    readAttributes(proto, node, scope)
    return node
  }

  function versionOf(domain: string, scope: Scope, node: string): number {
    const version = scope.opsets.get(domain) ?? opsets.get(domain)
    if (version !== undefined) return version
    if (domain === '') throw malformed('the model imports no version of ai.onnx', { node })
    // Runtimes take operators of their own domains without an import; those have one version.
    return 1
  }

  function readAttributes(proto: NodeProto, node: DraftNode, scope: Scope): void {
    const place = { file, node: node.name, body: (body: GraphProto) => openBody(body, node, scope) }
    const names = new Set<string>()
    for (const attribute of proto.attribute) {
      if (names.has(attribute.name))
        throw malformed(`attribute '${attribute.name}' is given twice`, { node: node.name })
      names.add(attribute.name)
      if (attribute.refAttrName === '') {
        node.attributes.set(attribute.name, decodeAttribute(attribute, place, irVersion >= 2))
        continue
      }
      const { refAttrName } = attribute
      if (scope.attributes === null || hasValue(attribute)) {
        const reason = scope.attributes === null ? 'outside of functions' : 'and holds a value too'
        throw malformed(`attribute '${attribute.name}' refers to '${refAttrName}' ${reason}`, {
          node: node.name,
        })
      }
      const passed = scope.attributes.get(refAttrName)
      if (passed === undefined) {
        throw malformed(`attribute '${refAttrName}' of the function is not given and has no default`, {
          node: node.name,
        })
      }
      if (passed.kind === 'graph' || passed.kind === 'graphs') {
        throw new LipschitzError('unsupported', `attribute '${refAttrName}' hands a graph to a function`, {
          node: node.name,
        })
      }
      node.attributes.set(attribute.name, passed)
    }
  }

  function openBody(proto: GraphProto, owner: DraftNode, parent: Scope): Graph {
    const depth = parent.depth + 1
    if (depth > graphLimits.bodyDepth) {
      throw new LipschitzError('limit', `bodies are nested more than ${graphLimits.bodyDepth} deep`, {
        node: owner.name,
      })
    }
    const scope: Scope = { ...parent, graph: draftGraph(proto.name), values: new Map(), parent, owner, depth }
    waiting.push({ proto, scope })
    return scope.graph
  }

  /** Binds a call's operands to the function's names, in a scope of its own; returns what is to be inlined. */
  function openCall(callee: FunctionProto, node: DraftNode, caller: Scope): Call {
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
      attributes: new Map([...defaultsOf(callee, node), ...node.attributes]),
      parent: null,
      owner: null,
      depth: caller.depth,
    }
    for (const [index, name] of callee.input.entries()) {
      if (name === '' || scope.values.has(name))
        throw malformed(`two inputs of function ${callee.name} are named '${name}'`)
      scope.values.set(name, node.inputs[index] ?? null)
    }
    const declarations = declarationsOf(callee.valueInfo)
    const results = new Set<string>()
    for (const [index, name] of callee.output.entries()) {
      if (results.has(name)) throw malformed(`two outputs of function ${callee.name} are named '${name}'`)
      const result = node.outputs[index] ?? null
      if (scope.values.has(name)) {
        passThrough(scope, scope.values.get(name) ?? null, result, node)
        continue
      }
      results.add(name)
      const declared = declarations.get(name) ?? undeclared
      scope.values.set(name, result ?? drafter.value(scope.prefix + name, 'node', declared))
    }
    declareOutputs(callee.node, scope, declarations, results)
    return { scope, nodes: callee.node.values() }
  }

  /** A function that returns one of its inputs. */
  function passThrough(scope: Scope, from: Value | null, to: Value | null, call: DraftNode): void {
    if (to === null) return
    if (from === null)
      throw malformed('the function returns an input that the call omits', { node: call.name })
    const version = versionOf('', scope, call.name)
    const fields = {
      name: `${scope.prefix}${to.name}`,
      op: 'Identity',
      domain: '',
      version,
      attributes: new Map(),
    }
    addNode(drafter.node({ ...fields, inputs: [from], outputs: [to] }), scope.graph)
  }

  function defaultsOf(callee: FunctionProto, node: DraftNode): Map<string, Attribute> {
    const body = () => {
      throw new LipschitzError('unsupported', `function ${callee.name} has a graph as default`, {
        node: node.name,
      })
    }
    const place = { file, node: node.name, body }
    return new Map(callee.attributeProto.map((proto) => [proto.name, decodeAttribute(proto, place, true)]))
  }

  function declare(scope: Scope, name: string, value: DraftValue, what: string): void {
    if (name === '') throw malformed(`an ${what} has no name`)
    // A body's formal input hides what it is named like; whatever else does so is read differently by runtimes.
    const taken = what === 'input' ? scope.values.has(name) : isTaken(scope, name)
    if (taken) throw malformed(`'${name}' is written as ${what} and elsewhere too`, { tensor: name })
    scope.values.set(name, value)
  }

  function finish(graph: DraftGraph): void {
    const { nodes, wasSorted } = sortNodes(graph.nodes)
    graph.nodes = [...nodes]
    if (wasSorted) return
    const message = `the nodes of graph '${graph.name}' are not in the order of their computation; they were sorted`
    notes.push({ rule: 'unsorted-nodes', message })
  }
}

function addNode(node: DraftNode, graph: DraftGraph): void {
  for (const output of node.outputs) if (output !== null) (output as DraftValue).producer = node
  graph.nodes.push(node)
}

function declarationsOf(infos: readonly ValueInfoProto[]): Map<string, Declaration> {
  const declarations = new Map<string, Declaration>()
  for (const info of infos) {
    const declared = readDeclaration(info)
    const earlier = declarations.get(info.name)
    declarations.set(info.name, earlier === undefined ? declared : joinDeclarations(earlier, declared))
  }
  return declarations
}
