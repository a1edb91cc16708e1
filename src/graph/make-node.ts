import { LipschitzError } from '../core/errors.ts'
import { beyondLimit } from '../core/limits.ts'
import type { AttributeProto, GraphProto, NodeProto } from '../onnx/generated/onnx.d.ts'
import { type Builder, versionOf } from './builder.ts'
import { decodeAttribute, hasValue, isOfType } from './decode-attribute.ts'
import { type DraftNode, draftGraph } from './draft.ts'
import type { Attribute, Graph } from './graph.ts'
import { malformed } from './malformed.ts'
import { canonicalDomain } from './opsets.ts'
import type { Scope } from './scope.ts'
import { lookUp } from './scope.ts'

/** Makes a node, not yet part of its graph: names looked up, attributes decoded, bodies left waiting. */
export function makeNode(builder: Builder, proto: NodeProto, scope: Scope): DraftNode {
  const written = proto.output.find((output) => output !== '')
  const own = proto.name === '' ? (written ?? proto.opType) : proto.name
  const name = scope.prefix + own
  if (proto.opType === '') throw malformed('a node has no operator', { node: name })
  const { operands } = builder.file.limits
  if (Math.max(proto.input.length, proto.output.length) > operands)
    throw beyondLimit('operands', `it has more than ${operands} inputs or outputs`, { node: name })
  const domain = canonicalDomain(proto.domain)
  const node = builder.drafter.node({
    name,
    op: proto.opType,
    domain,
    version: versionOf(builder, domain, scope, name),
    attributes: new Map(),
    inputs: proto.input.map((input) => (input === '' ? null : lookUp(scope, input, name))),
    outputs: proto.output.map((output) => (output === '' ? null : scope.values.get(output)!)),
  })
  readAttributes(builder, proto, node, scope)
  return node
}

function readAttributes(builder: Builder, proto: NodeProto, node: DraftNode, scope: Scope): void {
  const { file } = builder
  const place = { file, node: node.name, body: (body: GraphProto) => openBody(builder, body, node, scope) }
  for (const attribute of proto.attribute) {
    const { name } = attribute
    if (node.attributes.has(name)) throw malformed(`attribute '${name}' is given twice`, { node: node.name })
    const isReference = attribute.refAttrName !== ''
    const value = isReference
      ? passedAttribute(attribute, scope, node.name)
      : decodeAttribute(attribute, place, file.proto.irVersion >= 2)
    node.attributes.set(name, value)
  }
}

/** The attribute of the call that an attribute inside a function refers to. */
function passedAttribute(proto: AttributeProto, { attributes }: Scope, node: string): Attribute {
  const { name, refAttrName } = proto
  if (attributes === null || hasValue(proto)) {
    const reason = attributes === null ? 'outside of functions' : 'and holds a value too'
    throw malformed(`attribute '${name}' refers to '${refAttrName}' ${reason}`, { node })
  }
  const passed = attributes.get(refAttrName)
  if (passed === undefined) {
    throw malformed(`attribute '${refAttrName}' of the function is not given and has no default`, { node })
  }
  if (proto.type !== 0 && !isOfType(passed, proto.type)) {
    throw malformed(`attribute '${name}' refers to '${refAttrName}', which is of another type`, { node })
  }
  if (passed.kind !== 'graph' && passed.kind !== 'graphs') return passed
  throw new LipschitzError('unsupported', `attribute '${refAttrName}' hands a graph to a function`, { node })
}

function openBody({ file, waiting }: Builder, proto: GraphProto, owner: DraftNode, parent: Scope): Graph {
  const depth = parent.depth + 1
  const { bodyDepth } = file.limits
  if (depth > bodyDepth) {
    throw beyondLimit('bodyDepth', `bodies are nested more than ${bodyDepth} deep`, {
      node: owner.name,
    })
  }
  const scope: Scope = { ...parent, graph: draftGraph(proto.name), values: new Map(), parent, owner, depth }
  waiting.push({ proto, scope })
  return scope.graph
}
