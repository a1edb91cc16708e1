import type { ElementType } from '../../core/tensor.ts'
import {
  floatAttribute,
  floatsAttribute,
  intAttribute,
  intsAttribute,
  stringsAttribute,
  tensorAttribute,
} from '../../graph/attribute.ts'
import type { Node } from '../../graph/graph.ts'
import type { StoredTensor } from '../../onnx/stored-tensor.ts'
import type { FoldingContext, InferenceContext } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { makes } from '../rules/jumps.ts'
import { dimOf, integersOf } from '../shape/integers.ts'
import { infoOf, knownOutput, requiredInput, unknownDims } from '../shape/operands.ts'

/** Tensors that stand in the node itself. */

/** The stored tensor of `value` or `sparse_value`; null for the other forms. */
function storedConstant(node: Node): StoredTensor | null {
  return tensorAttribute(node, node.attributes.has('sparse_value') ? 'sparse_value' : 'value')
}

/** A value that is written as a number, a string or a list of them. */
interface Literal {
  readonly type: ElementType
  readonly dims: readonly number[]
  /** Empty for strings. */
  readonly numbers: readonly number[]
}

const scalar = (type: ElementType, number: number): Literal => ({ type, dims: [], numbers: [number] })
const list = (type: ElementType, numbers: readonly number[]): Literal => ({
  type,
  dims: [numbers.length],
  numbers,
})

const literals = {
  value_float: (node) => scalar('float32', floatAttribute(node, 'value_float', 0)),
  value_floats: (node) => list('float32', floatsAttribute(node, 'value_floats', [])),
  value_int: (node) => scalar('int64', intAttribute(node, 'value_int', 0)),
  value_ints: (node) => list('int64', intsAttribute(node, 'value_ints', [])),
  value_string: () => ({ type: 'string', dims: [], numbers: [] }),
  value_strings: (node) => {
    const strings = stringsAttribute(node, 'value_strings', [])
    return { type: 'string', dims: [strings.length], numbers: [] }
  },
} satisfies Record<string, (node: Node) => Literal>

function literalOf(node: Node): Literal | null {
  for (const [name, read] of Object.entries(literals)) if (node.attributes.has(name)) return read(node)
  return null
}

function inferConstant(context: InferenceContext) {
  const { node } = context
  const forms = ['value', 'sparse_value', ...Object.keys(literals)].filter((name) =>
    node.attributes.has(name),
  )
  if (forms.length !== 1) context.fail(`one attribute must hold the value, ${forms.length} do`)
  const value = storedConstant(node) ?? literalOf(node)
  return [infoOf(value?.type ?? null, value?.dims ?? null)]
}

function foldConstant(context: FoldingContext) {
  const stored = storedConstant(context.node)
  if (stored !== null) return [stored.load()]
  const literal = literalOf(context.node)
  if (literal === null) return null
  const target = context.allocate(literal.type, literal.dims)
  target.data.set(literal.numbers)
  return [target]
}

function inferConstantOfShape(context: InferenceContext) {
  const target = requiredInput(context, 0)
  const type = tensorAttribute(context.node, 'value')?.type ?? 'float32'
  const entries = integersOf(target)
  if (entries?.some((entry) => entry < 0)) context.fail(`shape [${entries.join(',')}] has a negative entry`)
  return [infoOf(type, entries === null ? unknownDims(context, target) : entries.map(dimOf))]
}

function foldConstantOfShape(context: FoldingContext) {
  const known = knownOutput(context)
  if (known === null) return null
  const value = tensorAttribute(context.node, 'value')
  if (value !== null && value.size !== 1) context.fail(`value holds ${value.size} elements, one is expected`)
  const target = context.allocate(known.type, known.dims)
  if (value !== null) target.data.fill(value.load().data[0])
  return [target]
}

export const constantOperators = [
  { op: 'Constant', bound: makes, infer: inferConstant, fold: foldConstant, stored: storedConstant },
  { op: 'ConstantOfShape', bound: makes, since: 9, infer: inferConstantOfShape, fold: foldConstantOfShape },
] satisfies readonly Operator[]
