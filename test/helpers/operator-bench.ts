/**
 * Runs operator declarations on their own, without a model: `run` infers and folds one node over constant inputs and
 * checks that both agree; `inferOnly` infers over inputs of which only types and shapes are known.
 */
import type { ElementType, Shape, Tensor } from '../../src/core/tensor.ts'
import { sizeOf } from '../../src/core/tensor.ts'
import type { Attribute, Node, Value } from '../../src/graph/graph.ts'
import type { InferenceContext, Operand, ValueInfo } from '../../src/ops/operand.ts'
import { findOperator } from '../../src/ops/registry.ts'

export interface NodeSpec {
  readonly op: string
  readonly version?: number
  readonly domain?: string
  readonly attributes?: ReadonlyMap<string, Attribute> | Record<string, Attribute>
  readonly outputs?: number
}

export const int = (value: number): Attribute => ({ kind: 'int', value })
export const ints = (value: readonly number[]): Attribute => ({ kind: 'ints', value })
export const float = (value: number): Attribute => ({ kind: 'float', value })
export const text = (value: string): Attribute => ({ kind: 'string', value })

const wide: ReadonlySet<ElementType> = new Set(['float64', 'int32', 'int64', 'uint32', 'uint64'])

export function tensorOf(
  dims: readonly number[],
  values: ArrayLike<number>,
  type: ElementType = 'float32',
): Tensor {
  const data = wide.has(type) ? Float64Array.from(values) : Float32Array.from(values)
  if (data.length !== sizeOf(dims)) throw new Error(`${data.length} values for [${dims}]`)
  return { type, dims, data }
}

/** 1-D int64 tensor, or a scalar. */
export function int64Of(values: number | readonly number[]): Tensor {
  return typeof values === 'number'
    ? tensorOf([], [values], 'int64')
    : tensorOf([values.length], values, 'int64')
}

function valueNamed(name: string): Value {
  return {
    id: 0,
    name,
    origin: 'input',
    producer: null,
    stored: null,
    declared: { type: null, shape: null, kind: 'tensor', symbols: null },
  }
}

function nodeOf(spec: NodeSpec, inputs: readonly unknown[]): Node {
  const attributes = spec.attributes ?? {}
  return {
    id: 0,
    name: 'node',
    op: spec.op,
    domain: spec.domain ?? '',
    version: spec.version ?? 21,
    attributes: attributes instanceof Map ? attributes : new Map(Object.entries(attributes)),
    inputs: inputs.map((input, i) => (input === null ? null : valueNamed(`in${i}`))),
    outputs: Array.from({ length: spec.outputs ?? 1 }, (_, i) => valueNamed(`out${i}`)),
    captures: new Set(),
  }
}

/** An input of an operator under test: a constant, or only what is known of it. */
export type Input = Tensor | ValueInfo | null

function operandOf(input: Input, value: Value | null): Operand | null {
  if (input === null || value === null) return null
  const tensor = 'data' in input ? input : null
  const info: ValueInfo = tensor === null ? (input as ValueInfo) : { type: tensor.type, shape: tensor.dims }
  const constant = () => tensor
  return { ...info, value, isConstant: tensor !== null, stored: null, constant, smallConstant: constant }
}

export class Refused extends Error {}

const fail = (message: string): never => {
  throw new Refused(message)
}

function operatorOf(node: Node) {
  const operator = findOperator(node.domain, node.op, node.version)
  return operator ?? fail(`${node.op} is not known in version ${node.version}`)
}

/** What inference says of the outputs. */
export function inferOnly(spec: NodeSpec, inputs: readonly Input[], body?: InferenceContext['body']) {
  const node = nodeOf(spec, inputs)
  const operands = inputs.map((input, i) => operandOf(input, node.inputs[i]))
  return operatorOf(node).infer({
    node,
    input: (i) => operands[i] ?? null,
    fail,
    body: body ?? (() => fail('no body')),
  })
}

export function shapeOf(spec: NodeSpec, inputs: readonly Input[]): Shape | null {
  return inferOnly(spec, inputs)[0].shape
}

/** Infers and folds; null where folding gives up. Throws when a folded tensor is not what was inferred. */
export function run(spec: NodeSpec, inputs: readonly Input[]): readonly Tensor[] | null {
  const node = nodeOf(spec, inputs)
  const operator = operatorOf(node)
  const outputs = inferOnly(spec, inputs)
  const tensors = inputs.map((input) => (input !== null && 'data' in input ? input : null))
  const folded = operator.fold?.({
    node,
    inputs: tensors.slice(
      0,
      { elements: tensors.length, first: 1, shapes: 0 }[operator.foldsFrom ?? 'elements'],
    ),
    operands: inputs.map((input) =>
      input === null ? null : 'data' in input ? { type: input.type, shape: input.dims } : input,
    ),
    outputs,
    fail,
    allocate: (type, dims) => tensorOf(dims, new Float64Array(sizeOf(dims) ?? Number.NaN), type),
  })
  for (const [i, tensor] of (folded ?? []).entries()) {
    const { type, shape } = outputs[i]
    const agrees =
      shape === null ||
      (shape.length === tensor.dims.length &&
        shape.every((dim, axis) => dim === null || dim === tensor.dims[axis]))
    if (!agrees || (type !== null && type !== tensor.type) || sizeOf(tensor.dims) !== tensor.data.length) {
      throw new Error(`${spec.op} folds to ${tensor.type}[${tensor.dims}], inferred ${type}[${shape}]`)
    }
  }
  return folded ?? null
}

/** The first output's elements. */
export function valuesOf(spec: NodeSpec, inputs: readonly Input[]): number[] {
  const folded = run(spec, inputs)
  if (folded === null) throw new Error(`${spec.op} does not fold`)
  return Array.from(folded[0].data)
}
