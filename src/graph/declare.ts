import type { Limits } from '../core/limits.ts'
import type { GraphProto, NodeProto, ValueInfoProto } from '../onnx/generated/onnx.d.ts'
import type { Builder } from './builder.ts'
import { joinDeclarations, readDeclaration, undeclared } from './declaration.ts'
import type { DraftValue } from './draft.ts'
import type { Declaration } from './graph.ts'
import { malformed } from './malformed.ts'
import type { Scope } from './scope.ts'
import { isTaken } from './scope.ts'

/** Makes the values of a graph's inputs and initializers. Throws `malformed` where names collide. */
export function declareInputs(
  { file, drafter }: Builder,
  proto: GraphProto,
  scope: Scope,
  declarations: ReadonlyMap<string, Declaration>,
): void {
  const declaredOf = (name: string, info: ValueInfoProto | undefined) => {
    const elsewhere = declarations.get(name) ?? undeclared
    return info === undefined
      ? elsewhere
      : joinDeclarations(readDeclaration(info, file.limits), elsewhere, name)
  }
  const inputs = new Map<string, ValueInfoProto>()
  for (const info of proto.input) {
    if (inputs.has(info.name)) throw malformed(`two inputs are named '${info.name}'`, { tensor: info.name })
    inputs.set(info.name, info)
  }
  const stored = [...proto.initializer.map(file.tensor), ...proto.sparseInitializer.map(file.sparseTensor)]
  for (const tensor of stored) {
    const input = inputs.get(tensor.name)
    if (input !== undefined && scope.owner !== null) {
      throw malformed(`the input '${tensor.name}' of a body has a stored value`, { node: scope.owner.name })
    }
    const value = drafter.value(
      scope.prefix + tensor.name,
      'initializer',
      declaredOf(tensor.name, input),
      tensor,
    )
    declare(scope, tensor.name, value, 'initializer')
    scope.graph.initializers.push(value)
    if (input !== undefined && file.proto.irVersion >= 4) scope.graph.overridable.push(value)
  }
  for (const [name, info] of inputs) {
    if (scope.values.has(name)) continue
    const value = drafter.value(scope.prefix + name, 'input', declaredOf(name, info))
    declare(scope, name, value, 'input')
    scope.graph.inputs.push(value)
  }
}

/**
 * Makes the values that nodes write, before any is read: nodes may come in any order. `results` are names that have
 * their values already, from the call of a function, and that some node must write.
 */
export function declareOutputs(
  { drafter }: Builder,
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

function declare(scope: Scope, name: string, value: DraftValue, what: string): void {
  if (name === '') throw malformed(`an ${what} has no name`)
  // A body's formal input hides what it is named like; whatever else does so is read differently by runtimes.
  const taken = what === 'input' ? scope.values.has(name) : isTaken(scope, name)
  if (taken) throw malformed(`'${name}' is written as ${what} and elsewhere too`, { tensor: name })
  scope.values.set(name, value)
}

/** What the file says of values, by name. */
export function declarationsOf(infos: readonly ValueInfoProto[], limits: Limits): Map<string, Declaration> {
  const declarations = new Map<string, Declaration>()
  for (const info of infos) {
    const declared = readDeclaration(info, limits)
    const earlier = declarations.get(info.name)
    declarations.set(
      info.name,
      earlier === undefined ? declared : joinDeclarations(earlier, declared, info.name),
    )
  }
  return declarations
}
