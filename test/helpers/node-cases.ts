/**
 * The standard's own node tests as Debian ships them (package libonnx-testdata): a model of one node (or of an
 * expanded function), inputs and expected outputs. Read by protobufjs' reflection, not by the reader under test.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import protobuf from 'protobufjs'
import type { ElementType, Tensor } from '../../src/core/tensor.ts'
import type { Attribute } from '../../src/graph/graph.ts'

const folder = '/usr/share/libonnx-testdata/data/node'

export const hasConformanceData = existsSync(folder)

const root = new protobuf.Root()
  .loadSync(resolve(import.meta.dirname, '../../src/onnx/onnx.proto'))
  .resolveAll()

type Message = Record<string, never> & { [key: string]: unknown }

function decode(type: string, path: string): Message {
  return root.lookupType(`onnx.${type}`).decode(readFileSync(path)) as unknown as Message
}

/** One node of a test's model, with its inputs and expected outputs; null for what is no numeric tensor. */
export interface ConformanceCase {
  readonly name: string
  readonly op: string
  readonly domain: string
  readonly version: number
  readonly attributes: ReadonlyMap<string, Attribute>
  readonly inputs: readonly (Tensor | null)[]
  readonly outputs: readonly (Tensor | null)[]
  /** Whether every input and output is a tensor of numbers, and no attribute is a graph. */
  readonly isNumeric: boolean
}

type Reader = [ElementType, number, (view: DataView, at: number) => number]

function half(bits: number): number {
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  const magnitude =
    exponent === 31
      ? fraction === 0
        ? Number.POSITIVE_INFINITY
        : Number.NaN
      : exponent === 0
        ? fraction * 2 ** -24
        : (1 + fraction / 1024) * 2 ** (exponent - 15)
  return bits & 0x8000 ? -magnitude : magnitude
}

const readers = new Map<number, Reader>([
  [1, ['float32', 4, (view, at) => view.getFloat32(at, true)]],
  [2, ['uint8', 1, (view, at) => view.getUint8(at)]],
  [3, ['int8', 1, (view, at) => view.getInt8(at)]],
  [4, ['uint16', 2, (view, at) => view.getUint16(at, true)]],
  [5, ['int16', 2, (view, at) => view.getInt16(at, true)]],
  [6, ['int32', 4, (view, at) => view.getInt32(at, true)]],
  [7, ['int64', 8, (view, at) => Number(view.getBigInt64(at, true))]],
  [9, ['bool', 1, (view, at) => view.getUint8(at)]],
  [10, ['float16', 2, (view, at) => half(view.getUint16(at, true))]],
  [11, ['float64', 8, (view, at) => view.getFloat64(at, true)]],
  [12, ['uint32', 4, (view, at) => view.getUint32(at, true)]],
  [13, ['uint64', 8, (view, at) => Number(view.getBigUint64(at, true))]],
])

const wide: ReadonlySet<ElementType> = new Set(['float64', 'int32', 'int64', 'uint32', 'uint64'])

/** A TensorProto that holds raw data (as all of these tests do), or float_data; null for other types. */
export function readTensor(proto: Message): Tensor | null {
  const reader = readers.get(proto.dataType as number)
  if (reader === undefined) return null
  const [type, width, read] = reader
  const dims = (proto.dims as unknown[]).map(Number)
  const size = dims.reduce((product, dim) => product * dim, 1)
  const data = wide.has(type) ? new Float64Array(size) : new Float32Array(size)
  const raw = proto.rawData as unknown as Uint8Array
  if (raw.length === size * width) {
    const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength)
    for (let i = 0; i < size; i++) data[i] = read(view, i * width)
    return { type, dims, data }
  }
  const packed = (['floatData', 'int32Data', 'int64Data', 'doubleData', 'uint64Data'] as const)
    .map((field) => proto[field] as unknown as unknown[])
    .find((values) => values?.length === size)
  if (packed === undefined || type === 'float16') return null
  data.set(packed.map(Number))
  return { type, dims, data }
}

const attributeReaders = new Map<number, (proto: Message) => Attribute>([
  [1, (proto) => ({ kind: 'float', value: proto.f as number })],
  [2, (proto) => ({ kind: 'int', value: Number(proto.i) })],
  [3, (proto) => ({ kind: 'string', value: Buffer.from(proto.s as Uint8Array).toString() })],
  [4, (proto) => ({ kind: 'tensor', value: storedTensorOf(proto.t as Message) })],
  [6, (proto) => ({ kind: 'floats', value: [...(proto.floats as number[])] })],
  [7, (proto) => ({ kind: 'ints', value: (proto.ints as unknown[]).map(Number) })],
  [
    8,
    (proto) => ({
      kind: 'strings',
      value: (proto.strings as Uint8Array[]).map((s) => Buffer.from(s).toString()),
    }),
  ],
])

function storedTensorOf(proto: Message) {
  const tensor = readTensor(proto)
  const { type, dims } = tensor ?? { type: 'string' as const, dims: (proto.dims as unknown[]).map(Number) }
  return {
    name: '',
    type,
    dims,
    size: dims.reduce((product, dim) => product * dim, 1),
    range: null,
    payload: null,
    load: () => tensor ?? { type, dims, data: new Float32Array() },
    sha256: () => '',
  }
}

/** The names of all tests, `_expanded` twins left out. */
export function conformanceNames(): string[] {
  if (!hasConformanceData) return []
  return readdirSync(folder).filter((name) => !name.endsWith('_expanded'))
}

/** Reads a test whose model is one node; null for other models. */
export function readConformanceCase(name: string): ConformanceCase | null {
  const model = decode('ModelProto', join(folder, name, 'model.onnx'))
  const graph = model.graph as Message
  const nodes = graph.node as Message[]
  if (nodes.length !== 1) return null
  const node = nodes[0]
  const domain = node.domain as unknown as string
  const opset = (model.opsetImport as Message[]).find((entry) => (entry.domain as unknown) === domain)
  const attributes = new Map<string, Attribute>()
  let isNumeric = true
  for (const proto of node.attribute as Message[]) {
    const read = attributeReaders.get(proto.type as unknown as number)
    if (read === undefined) isNumeric = false
    else attributes.set(proto.name as unknown as string, read(proto))
  }
  const data = join(folder, name, 'test_data_set_0')
  const load = (declared: Message, file: string): Tensor | null => {
    const isTensor = ((declared.type as Message)?.tensorType ?? null) !== null
    const path = join(data, file)
    const tensor = isTensor && existsSync(path) ? readTensor(decode('TensorProto', path)) : null
    if (tensor === null) isNumeric = false
    return tensor
  }
  const given = new Map(
    (graph.input as Message[]).map((value, i) => [
      value.name as unknown as string,
      load(value, `input_${i}.pb`),
    ]),
  )
  const expected = new Map(
    (graph.output as Message[]).map((value, i) => [
      value.name as unknown as string,
      load(value, `output_${i}.pb`),
    ]),
  )
  return {
    name,
    op: node.opType as unknown as string,
    domain,
    version: Number(opset?.version),
    attributes,
    inputs: (node.input as unknown as string[]).map((input) => given.get(input) ?? null),
    outputs: (node.output as unknown as string[]).map((output) => expected.get(output) ?? null),
    isNumeric,
  }
}
