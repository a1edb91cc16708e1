import type { Attribute, Node } from '../../graph/graph.ts'
import { newestOpsets } from '../../graph/opsets.ts'
import { standardOperators } from './operators.ts'

/** What the standard says of the form of a node, from one version on. */
interface Signature {
  readonly since: number
  readonly inputs: readonly [number, number]
  readonly outputs: readonly [number, number]
  /** Kinds by name; required ones are listed apart. */
  readonly attributes: ReadonlyMap<string, string>
  readonly required: readonly string[]
  /** Whether the operator was taken away. */
  readonly isGone: boolean
}

const letters: Record<Attribute['kind'], string> = {
  float: 'f',
  int: 'i',
  string: 's',
  tensor: 't',
  graph: 'g',
  floats: 'F',
  ints: 'I',
  strings: 'S',
  tensors: 'T',
  graphs: 'G',
  other: 'o',
}

function parse(row: string): Signature {
  const [since, ...fields] = row.split(' ')
  const [leastInputs, mostInputs, leastOutputs, mostOutputs] = fields.map((field) =>
    field === '*' ? Infinity : Number(field),
  )
  const attributes = fields.slice(4).map((field) => field.split(/:|(?=!)/))
  return {
    since: Number(since),
    inputs: [leastInputs, mostInputs],
    outputs: [leastOutputs, mostOutputs],
    attributes: new Map(attributes.map(([name, kind]) => [name, kind])),
    required: attributes.filter(([, , mark]) => mark === '!').map(([name]) => name),
    isGone: fields[0] === 'gone',
  }
}

const parsed = new Map<string, readonly Signature[]>()

/** The signatures of an operator, the oldest first; null where the standard does not know it. */
function signaturesOf(domain: string, op: string): readonly Signature[] | null {
  const key = domain === '' ? op : `${domain}.${op}`
  if (!Object.hasOwn(standardOperators, key)) return null
  const signatures = parsed.get(key) ?? standardOperators[key].map(parse)
  parsed.set(key, signatures)
  return signatures
}

/** Operators that runtimes knew before the standard did, by the same meaning. */
const known: ReadonlySet<string> = new Set(['LayerNormalization'])

/** Whether the standard has an operator, but not in this version: before it came, or after it went. */
export function isOutOfVersion(domain: string, op: string, version: number): boolean {
  const signatures = signaturesOf(domain, op)
  if (signatures === null) return false
  const current = signatures.findLast(({ since }) => since <= version)
  return current === undefined ? !known.has(op) : current.isGone
}

const counted = ([least, most]: readonly [number, number]) =>
  least === most ? `${least}` : most === Infinity ? `at least ${least}` : `${least} to ${most}`

/**
 * What about the form of a node the standard does not allow: attributes that the operator does not have, of
 * another kind, or missing; too few or too many inputs and outputs. Runtimes refuse such nodes, and what they mean is for
 * nobody to tell. Null where there is nothing, where the operator is not of the standard, and for versions that are newer
 * than what is known here.
 */
export function objectionTo(node: Node): string | null {
  if (node.version > (newestOpsets.get(node.domain) ?? 1)) return null
  const signature = signaturesOf(node.domain, node.op)?.findLast(({ since }) => since <= node.version)
  if (signature === undefined || signature.isGone) return null
  for (const [name, { kind }] of node.attributes) {
    const expected = signature.attributes.get(name)
    if (expected === undefined) return `attribute '${name}' is none of ${node.op} in version ${node.version}`
    if (expected !== letters[kind]) return `attribute '${name}' of ${node.op} is of another kind`
  }
  const missing = signature.required.find((name) => !node.attributes.has(name))
  if (missing !== undefined) return `${node.op} lacks its attribute '${missing}'`
  const given = node.inputs.findLastIndex((input) => input !== null) + 1
  if (given < signature.inputs[0] || node.inputs.length > signature.inputs[1])
    return `${node.op} has ${node.inputs.length} inputs, not ${counted(signature.inputs)}`
  if (node.outputs.length > signature.outputs[1])
    return `${node.op} has ${node.outputs.length} outputs, not ${counted(signature.outputs)}`
  return null
}
