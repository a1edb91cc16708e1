/**
 * Writes small ONNX models for tests. The bytes come from protobufjs' reflection over src/onnx/onnx.proto, not from
 * the reader under test.
 *
 *     model({
 *       inputs: { x: [1, 4] },                               // float32; { type: 'int64', shape: ['n', 4] } for others
 *       outputs: ['y'],
 *       initializers: { w: tensor([3, 4], weights) },        // or plain arrays: [1, 2, 3] is float32[3]
 *       nodes: [node('Gemm', ['x', 'w'], ['y'], { transB: 1, alpha: float(2) })],
 *     })
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import protobuf from 'protobufjs'
import type { ElementType } from '../../src/core/tensor.ts'

const root = new protobuf.Root()
  .loadSync(resolve(import.meta.dirname, '../../src/onnx/onnx.proto'))
  .resolveAll()

/** A message as protobufjs takes it: camelCase fields. */
export type Message = Record<string, unknown>

/** Encodes any message of the format, for tests that need what the helpers below do not write. */
export function encode(type: string, message: Message): Uint8Array {
  const lookup = root.lookupType(`onnx.${type}`)
  return lookup.encode(lookup.fromObject(message)).finish()
}

/** Codes of `TensorProto.DataType`, from the schema. */
const dataTypes: Record<ElementType, number> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  complex64: 14,
  complex128: 15,
  bfloat16: 16,
  float8e4m3fn: 17,
  float8e4m3fnuz: 18,
  float8e5m2: 19,
  float8e5m2fnuz: 20,
  uint4: 21,
  int4: 22,
  float4e2m1: 23,
  float8e8m0: 24,
  uint2: 25,
  int2: 26,
}

/** How many bytes a raw element takes, and how to write it. Types without an entry take ready-made bytes. */
const rawWriters: Partial<
  Record<ElementType, [number, (view: DataView, offset: number, value: number) => void]>
> = {
  float32: [4, (view, offset, value) => view.setFloat32(offset, value, true)],
  float64: [8, (view, offset, value) => view.setFloat64(offset, value, true)],
  int8: [1, (view, offset, value) => view.setInt8(offset, value)],
  uint8: [1, (view, offset, value) => view.setUint8(offset, value)],
  bool: [1, (view, offset, value) => view.setUint8(offset, value)],
  int16: [2, (view, offset, value) => view.setInt16(offset, value, true)],
  uint16: [2, (view, offset, value) => view.setUint16(offset, value, true)],
  int32: [4, (view, offset, value) => view.setInt32(offset, value, true)],
  uint32: [4, (view, offset, value) => view.setUint32(offset, value, true)],
  int64: [8, (view, offset, value) => view.setBigInt64(offset, BigInt(value), true)],
  uint64: [8, (view, offset, value) => view.setBigUint64(offset, BigInt(value), true)],
}

/** A TensorProto with raw data. Types that rawWriters does not know take their stored bytes as a Uint8Array. */
export function tensor(
  dims: readonly number[],
  values: ArrayLike<number> | Uint8Array,
  type: ElementType = 'float32',
): Message {
  const writer = rawWriters[type]
  if (writer === undefined) return { dims, dataType: dataTypes[type], rawData: Uint8Array.from(values) }
  const [width, write] = writer
  const rawData = new Uint8Array(values.length * width)
  const view = new DataView(rawData.buffer)
  for (let index = 0; index < values.length; index++) write(view, index * width, values[index])
  return { dims, dataType: dataTypes[type], rawData }
}

/** int64 vector (or scalar, from a number): shapes, axes, sizes. */
export function int64s(values: number | readonly number[]): Message {
  return typeof values === 'number' ? tensor([], [values], 'int64') : tensor([values.length], values, 'int64')
}

/** float32 scalar. */
export function scalar(value: number): Message {
  return tensor([], [value])
}

const attributeTag = Symbol('attribute')
type AttributeMessage = Message & { [attributeTag]: true }
const attribute = (message: Message): AttributeMessage => ({ ...message, [attributeTag]: true })

export const float = (value: number) => attribute({ type: 1, f: value })
export const int = (value: number) => attribute({ type: 2, i: value })
export const floats = (values: readonly number[]) => attribute({ type: 6, floats: values })
export const ints = (values: readonly number[]) => attribute({ type: 7, ints: values })
export const strings = (values: readonly string[]) =>
  attribute({ type: 8, strings: values.map((value) => Buffer.from(value)) })
export const subgraph = (spec: GraphSpec) => attribute({ type: 5, g: graph(spec) })
export const sparse = (sparseTensor: Message) => attribute({ type: 11, sparseTensor })
/** Inside a function: the value of the caller's attribute. */
export const reference = (refAttrName: string, type: number) => attribute({ type, refAttrName })

/**
 * Integers become INT (write `float(1)` for FLOAT), other numbers FLOAT, arrays INTS when all are integers, else FLOATS;
 * strings STRING, messages of `tensor` TENSOR.
 */
export type AttributeValue = number | string | readonly number[] | readonly string[] | Message

function toAttribute(name: string, value: AttributeValue): Message {
  if (typeof value === 'number') return { name, ...(Number.isInteger(value) ? int(value) : float(value)) }
  if (typeof value === 'string') return { name, type: 3, s: Buffer.from(value) }
  if (Array.isArray(value)) {
    if (value.length > 0 && typeof value[0] === 'string') return { name, ...strings(value as string[]) }
    return { name, ...(value.every(Number.isInteger) ? ints(value) : floats(value)) }
  }
  return attributeTag in value ? { name, ...(value as Message) } : { name, type: 4, t: value }
}

export interface NodeOptions {
  readonly name?: string
  readonly domain?: string
  readonly overload?: string
}

/** '' in inputs or outputs leaves an optional one out. */
export function node(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  attributes: Record<string, AttributeValue> = {},
  options: NodeOptions = {},
): Message {
  const attribute = Object.entries(attributes).map(([name, value]) => toAttribute(name, value))
  return { opType, input, output, attribute, ...options }
}

/** Numbers are sizes, strings are symbols, null is unknown. */
export type ShapeSpec = readonly (number | string | null)[]
export type ValueSpec =
  | ShapeSpec
  | { readonly type: ElementType; readonly shape: ShapeSpec | null }
  | { readonly proto: Message }

function toShape(shape: ShapeSpec): Message {
  return {
    dim: shape.map((dim) =>
      dim === null ? {} : typeof dim === 'number' ? { dimValue: dim } : { dimParam: dim },
    ),
  }
}

function toValueInfo(name: string, spec: ValueSpec | null): Message {
  if (spec === null) return { name }
  if ('proto' in spec) return { name, type: spec.proto }
  const { type, shape } = 'type' in spec ? spec : { type: 'float32' as const, shape: spec }
  return {
    name,
    type: { tensorType: { elemType: dataTypes[type], ...(shape && { shape: toShape(shape) }) } },
  }
}

type ValueSpecs = Readonly<Record<string, ValueSpec>> | readonly string[]

function toValueInfos(specs: ValueSpecs = {}): Message[] {
  if (Array.isArray(specs)) return specs.map((name: string) => toValueInfo(name, null))
  return Object.entries(specs as Record<string, ValueSpec>).map(([name, spec]) => toValueInfo(name, spec))
}

export interface GraphSpec {
  readonly name?: string
  /** Float32 shapes by name, or names alone (in body graphs). */
  readonly inputs?: ValueSpecs
  readonly outputs?: ValueSpecs
  readonly valueInfo?: ValueSpecs
  readonly nodes?: readonly Message[]
  /** `tensor(...)`, or an array for a float32 vector. */
  readonly initializers?: Readonly<Record<string, Message | readonly number[]>>
  readonly sparseInitializers?: readonly Message[]
  /** Further fields of GraphProto. */
  readonly more?: Message
}

export function graph(spec: GraphSpec): Message {
  const initializer = Object.entries(spec.initializers ?? {}).map(([name, value]) => ({
    ...(Array.isArray(value) ? tensor([value.length], value) : (value as Message)),
    name,
  }))
  return {
    name: spec.name ?? 'graph',
    input: toValueInfos(spec.inputs),
    output: toValueInfos(spec.outputs),
    valueInfo: toValueInfos(spec.valueInfo),
    node: spec.nodes ?? [],
    initializer,
    sparseInitializer: spec.sparseInitializers ?? [],
    ...spec.more,
  }
}

export interface FunctionSpec {
  readonly name: string
  readonly domain: string
  readonly overload?: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly nodes: readonly Message[]
  /** Names of attributes without a default. */
  readonly attributes?: readonly string[]
  /** Attributes with their defaults. */
  readonly defaults?: Record<string, AttributeValue>
  readonly opsets?: Record<string, number>
}

const toOpsets = (opsets: Record<string, number>) =>
  Object.entries(opsets).map(([domain, version]) => ({ domain, version }))

function toFunction(spec: FunctionSpec): Message {
  return {
    name: spec.name,
    domain: spec.domain,
    overload: spec.overload ?? '',
    input: spec.inputs,
    output: spec.outputs,
    node: spec.nodes,
    attribute: spec.attributes ?? [],
    attributeProto: Object.entries(spec.defaults ?? {}).map(([name, value]) => toAttribute(name, value)),
    opsetImport: toOpsets(spec.opsets ?? { '': 21 }),
  }
}

export interface ModelSpec extends GraphSpec {
  /** Version of ai.onnx; 21 unless given. */
  readonly opset?: number
  /** Versions of further domains. */
  readonly opsets?: Record<string, number>
  readonly irVersion?: number
  readonly functions?: readonly FunctionSpec[]
  /** Further fields of ModelProto; they replace what stands here. */
  readonly moreModel?: Message
}

/** A whole model as the bytes of its file. */
export function model(spec: ModelSpec): Uint8Array {
  return encode('ModelProto', {
    irVersion: spec.irVersion ?? 10,
    producerName: 'test',
    opsetImport: toOpsets({ '': spec.opset ?? 21, ...spec.opsets }),
    graph: graph(spec),
    functions: (spec.functions ?? []).map(toFunction),
    ...spec.moreModel,
  })
}

let folder: string | null = null
let written = 0

/** Writes bytes to a new file in a folder of its own below the system's temporary folder. */
export function writeTemporary(bytes: Uint8Array | string, name = `model-${++written}.onnx`): string {
  if (folder === null) {
    const created = mkdtempSync(join(tmpdir(), 'lipschitz-test-'))
    process.once('exit', () => rmSync(created, { recursive: true, force: true }))
    folder = created
  }
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

/** `model`, written to a temporary file. */
export function modelFile(spec: ModelSpec): string {
  return writeTemporary(model(spec))
}
