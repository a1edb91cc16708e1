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
import type { FoldingContext, InferenceContext, Operator } from '../operator.ts'
import { knownIntegersOf } from '../shape/integers.ts'
import { infoOf, knownOutput, requiredInput, unknownDims } from '../shape/operands.ts'

/** Tensors that stand in the node itself. */

/** The stored tensor of `value` or `sparse_value`; null for the other forms. */
function storedConstant(node: Node): StoredTensor | null {
  return tensorAttribute(node, node.attributes.has('sparse_value') ? 'sparse_value' : 'value')
}

function inferConstant(context: InferenceContext) {
  const { node } = context
  const forms = ['value', 'sparse_value', 'value_float', 'value_floats', 'value_int', 'value_ints']
  const given = [...forms, 'value_string', 'value_strings'].filter((name) => node.attributes.has(name))
  if (given.length !== 1) return context.fail(`one attribute must hold the value, ${given.length} do`)
  const form = given[0]
  const scalar = ['value_float', 'value_int', 'value_string'].includes(form)
  if (form === 'value' || form === 'sparse_value') {
    const stored = storedConstant(node)
    return [infoOf(stored?.type ?? null, stored?.dims ?? null)]
  }
  const length =
    form === 'value_floats'
      ? floatsAttribute(node, form, []).length
      : form === 'value_ints'
        ? intsAttribute(node, form, []).length
        : form === 'value_strings'
          ? stringsAttribute(node, form, []).length
          : 0
  const type = form.startsWith('value_float') ? 'float32' : form.startsWith('value_int') ? 'int64' : 'string'
  return [infoOf(type, scalar ? [] : [length])]
}

function foldConstant(context: FoldingContext) {
  const { node } = context
  const stored = storedConstant(node)
  if (stored !== null) return [stored.load()]
  const known = knownOutput(context)
  if (known === null) return null
  const single = node.attributes.has('value_float')
    ? floatAttribute(node, 'value_float', 0)
    : intAttribute(node, 'value_int', 0)
  const several = node.attributes.has('value_floats')
    ? floatsAttribute(node, 'value_floats', [])
    : intsAttribute(node, 'value_ints', [])
  const target = context.allocate(known.type, known.dims)
  target.data.set(known.dims.length === 0 ? [single] : several)
  return [target]
}

function inferConstantOfShape(context: InferenceContext) {
  const target = requiredInput(context, 0)
  const type = tensorAttribute(context.node, 'value')?.type ?? 'float32'
  const dims = knownIntegersOf(target)
  if (dims?.some((dim) => dim < 0)) context.fail(`shape [${dims.join(',')}] has a negative entry`)
  if (dims !== null) return [infoOf(type, dims)]
  const entries = target.smallConstant()
  if (entries === null) return [infoOf(type, unknownDims(context, target))]
  return [
    infoOf(
      type,
      Array.from(entries.data, (entry) => (Number.isNaN(entry) ? null : entry)),
    ),
  ]
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
  { op: 'Constant', infer: inferConstant, fold: foldConstant, stored: storedConstant },
  { op: 'ConstantOfShape', since: 9, infer: inferConstantOfShape, fold: foldConstantOfShape },
] satisfies readonly Operator[]
