import { isFloatType } from '../../core/tensor.ts'
import type { Attribute, Node, Value } from '../../graph/graph.ts'
import type { TypedGraph } from '../../infer/typed-graph.ts'
import { isUniformDefault, valueOrDefault } from '../../ops/attribute-defaults.ts'
import { actsOnCodes, floatForm, weightOnlyForm } from '../../ops/float-forms.ts'
import type { Operand } from '../../ops/operand.ts'
import { codesOf, elementsOf, type Image, sameCodes, sameElements } from './image.ts'
import type { Codes } from './rounding.ts'

/** A node read as the operator on real numbers that it stands for. */
export interface Reading {
  readonly node: Node
  readonly op: string
  readonly domain: string
  /** By input of that operator: what stands there, and the image of it where it is data. */
  readonly operands: readonly { readonly image: Image | null; readonly operand: Operand | null }[]
  /** Whether the inputs stand as in the operator itself. */
  readonly isPlain: boolean
  /** The codes that the result is rounded to; null where it is not. */
  readonly result: Codes | null
  /** The codes of the operands, which the result has, too. */
  readonly codes: Codes | null
}

/** Null where an operand is data that stands for nothing, or is written otherwise than the node reads it. */
export function readingOf(
  typed: TypedGraph,
  node: Node,
  imageOf: (value: Value) => Image | null,
): Reading | null {
  const form = floatForm(node)
  if (form === null) return plainReading(typed, node, imageOf)
  const operands = []
  for (const place of form.operands) {
    const value = place === null ? null : node.inputs[place.at]
    if (place === null || !value || typed.operand(value).isConstant)
      operands.push({ image: null, operand: null })
    else {
      const image = imageOf(value)
      const expected = codesOf(typed, value, node.inputs[place.scale], node.inputs[place.zero])
      if (image?.codes == null || !sameCodes(image.codes, expected)) return null
      operands.push({ image, operand: typed.operand(value) })
    }
  }
  const [output] = node.outputs
  const { result } = form
  const codes =
    result === null || !output
      ? null
      : codesOf(typed, output, node.inputs[result.scale], node.inputs[result.zero])
  if (result !== null && codes === null) return null
  return { node, op: form.op, domain: form.domain, operands, isPlain: false, result: codes, codes: null }
}

function plainReading(
  typed: TypedGraph,
  node: Node,
  imageOf: (value: Value) => Image | null,
): Reading | null {
  const operands = []
  const coded: Image[] = []
  for (const value of node.inputs) {
    const operand = value === null ? null : typed.operand(value)
    const image = value === null || operand?.isConstant ? null : imageOf(value)
    if (operand !== null && !operand.isConstant && image === null) return null
    if (image !== null && image.codes !== null) coded.push(image)
    operands.push({ image, operand })
  }
  const [first] = coded
  const data = operands.filter(({ image }) => image !== null)
  if (first !== undefined) {
    const isOne = data.length === coded.length && coded.every(({ codes }) => sameCodes(codes, first.codes))
    if (!isOne || first.codes?.scale.length !== 1 || !actsOnCodes(node)) return null
  }
  const { op, domain } = weightOnlyForm(node) ?? node
  const isPlain = weightOnlyForm(node) === null
  // nothing but data, weights, scales and zero points
  if (!isPlain && node.inputs.slice(4).some((value) => value !== null)) return null
  return {
    node,
    op,
    domain,
    operands: isPlain ? operands : operands.slice(0, 1),
    isPlain,
    result: null,
    codes: first?.codes ?? null,
  }
}

/** A node read as itself, whatever it stands for; null where an operand is data that stands for nothing. */
export function twinReading(
  typed: TypedGraph,
  node: Node,
  imageOf: (value: Value) => Image | null,
): Reading | null {
  const operands = node.inputs.map((value) => {
    const operand = value === null ? null : typed.operand(value)
    return { image: value === null || operand?.isConstant ? null : imageOf(value), operand }
  })
  const isRead = operands.every(({ image, operand }) =>
    image === null ? operand === null || operand.isConstant : image.codes === null,
  )
  const { op, domain } = node
  return isRead ? { node, op, domain, operands, isPlain: true, result: null, codes: null } : null
}

/** Whether a node of the reference is the same as the reading's, every constant included. */
export function isTwin(reference: TypedGraph, node: Node, { node: other, operands }: Reading): boolean {
  if (node.op !== other.op || node.domain !== other.domain || node.version !== other.version) return false
  if (node.inputs.length !== operands.length || !sameAttributes(node, other, nothing)) return false
  return operands.every(({ operand, image }, i) => {
    const value = node.inputs[i]
    if (operand === null || value === null) return operand === null && value === null
    const own = reference.operand(value)
    if (image !== null) return !own.isConstant
    const [mine, theirs] = [elementsOf(own), elementsOf(operand)]
    return own.type === operand.type && mine !== null && theirs !== null && sameElements(mine, theirs)
  })
}

/** Attributes that say how the result is computed, not what it is, or what matters in training alone. */
const unimportant = new Set(['accuracy_level', 'momentum'])

/** Attributes of linear layers that are part of their operators, which are compared on their own. */
const ofLayers = new Set([
  ...['transB', 'alpha', 'kernel_shape', 'group', 'strides', 'pads', 'dilations', 'auto_pad'],
  ...['output_padding', 'output_shape', 'K', 'N', 'bits', 'block_size'],
])

/**
 * Whether a node of the reference is the operator that the reading is: one declaration, the same attributes or, where
 * both are layers, the same geometry; constants at the same inputs, equal where they are no real numbers.
 */
export function sameOperation(
  reference: TypedGraph,
  node: Node,
  other: TypedGraph,
  reading: Reading,
): boolean {
  if (node.op !== reading.op || node.domain !== reading.domain) return false
  const [mine, theirs] = [reference.layers(node), other.layers(reading.node)]
  const linear = mine.filter(({ kind }) => kind !== 'scale')
  if (linear.length > 0 || theirs.some(({ kind }) => kind !== 'scale')) {
    const sameRoles = mine.length === theirs.length && mine.every(({ role }, i) => role === theirs[i].role)
    if (!sameRoles || !mine.every((layer, i) => logical(layer) === logical(theirs[i]))) return false
  }
  const skipped = linear.length > 0 ? ofLayers : nothing
  if (!reading.isPlain) return sameAttributes(node, reading.node, skipped)
  const declared = reference.typed(node).operator
  if (declared === null || declared !== other.typed(reading.node).operator) return false
  return sameAttributes(node, reading.node, skipped) && sameConstants(reference, node, reading)
}

const size = (dims: readonly number[]) => dims.reduce((product, dim) => product * dim, 1)

/** Weights of a layer, packed ones counted singly. */
function logical({ operator, weightShape }: ReturnType<TypedGraph['layers']>[number]): number {
  return operator.form === 'matrix' ? operator.rows * operator.columns * operator.blocks : size(weightShape)
}

const nothing: ReadonlySet<string> = new Set()

function sameAttributes(a: Node, b: Node, skipped: ReadonlySet<string>): boolean {
  const names = new Set([...a.attributes.keys(), ...b.attributes.keys()])
  for (const name of names) {
    if (unimportant.has(name) || skipped.has(name)) continue
    const [first, second] = [a.attributes.get(name), b.attributes.get(name)]
    if (first !== undefined && second !== undefined ? !sameAttribute(first, second) : !isDefault(a, b, name))
      return false
  }
  return true
}

/** Whether the node that has the attribute says by it what the other one means without. */
function isDefault(a: Node, b: Node, name: string): boolean {
  const [first, second] = [valueOrDefault(a, name), valueOrDefault(b, name)]
  if (first !== undefined && first !== null && first === second) return true
  const given = (a.attributes.get(name) ?? b.attributes.get(name))!.value
  return isUniformDefault(name, given)
}

function sameAttribute(a: Attribute, b: Attribute): boolean {
  if (a.kind !== b.kind) return false
  if (a.kind === 'tensor' && b.kind === 'tensor') return a.value.sha256() === b.value.sha256()
  if (a.kind === 'graph' || a.kind === 'graphs' || a.kind === 'tensors' || a.kind === 'other') return false
  return JSON.stringify(a.value) === JSON.stringify(b.value)
}

/** Constants at the same inputs; integers and truth values are part of what is computed, real numbers are weights. */
function sameConstants(reference: TypedGraph, node: Node, { operands }: Reading): boolean {
  if (node.inputs.length !== operands.length) return false
  return operands.every(({ operand, image }, i) => {
    const value = node.inputs[i]
    if (operand === null || value === null) return operand === null && value === null
    const own = reference.operand(value)
    if (image !== null) return !own.isConstant
    if (!own.isConstant || own.shape?.length !== operand.shape?.length) return false
    if (!own.shape?.every((dim, axis) => dim === operand.shape?.[axis])) return false
    if (isFloatType(own.type) && isFloatType(operand.type)) return true
    const [mine, theirs] = [elementsOf(own), elementsOf(operand)]
    return own.type === operand.type && mine !== null && theirs !== null && sameElements(mine, theirs)
  })
}
