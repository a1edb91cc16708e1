import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import proto from 'onnx-proto'
import { describe, expect, it } from 'vitest'
import { elementTypeOf } from '../../src/onnx/element-types.ts'
import type { AttributeProto, GraphProto, TensorProto } from '../../src/onnx/generated/onnx.js'
import { type ModelFile, readModelFile } from '../../src/onnx/model-file.ts'

/** onnx-proto: another decoder, generated from another schema by another generation of protobufjs. */
type OtherModel = proto.onnx.IModelProto
type OtherGraph = proto.onnx.IGraphProto
type OtherTensor = proto.onnx.ITensorProto
type OtherAttribute = proto.onnx.IAttributeProto

const text = (bytes: Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString('latin1')
const numbers = (values: readonly unknown[] | null | undefined) => (values ?? []).map(Number)
const present = (other: object, field: string) => Object.hasOwn(other, field)

/** The values of a tensor in the other decoder, for types that JavaScript itself can read; null for the others. */
function otherValues(tensor: OtherTensor): number[] | null {
  const raw = present(tensor, 'rawData') ? tensor.rawData! : null
  if (raw === null) {
    const lists = [tensor.floatData, tensor.doubleData, tensor.int32Data, tensor.int64Data, tensor.uint64Data]
    return [1, 3, 6, 7, 2, 9, 11, 13].includes(tensor.dataType ?? 0) ? lists.flatMap(numbers) : null
  }
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength)
  const readers: Record<number, readonly [number, (offset: number) => number]> = {
    1: [4, (offset) => view.getFloat32(offset, true)],
    2: [1, (offset) => view.getUint8(offset)],
    3: [1, (offset) => view.getInt8(offset)],
    5: [2, (offset) => view.getInt16(offset, true)],
    6: [4, (offset) => view.getInt32(offset, true)],
    7: [8, (offset) => Number(view.getBigInt64(offset, true))],
    9: [1, (offset) => view.getUint8(offset)],
    11: [8, (offset) => view.getFloat64(offset, true)],
    13: [8, (offset) => Number(view.getBigUint64(offset, true))],
  }
  const reader = readers[tensor.dataType ?? 0]
  if (reader === undefined) return null
  return Array.from({ length: raw.length / reader[0] }, (_, index) => reader[1](index * reader[0]))
}

let tensorsCompared = 0

function compareTensor(file: ModelFile, ours: TensorProto, other: OtherTensor): void {
  expect(ours.name).toBe(other.name ?? '')
  expect(ours.dims).toEqual(numbers(other.dims))
  expect(ours.dataType).toBe(other.dataType ?? 0)
  if (ours.dataLocation === 1) return
  const stored = file.tensor(ours)
  expect(stored.type).toBe(elementTypeOf(ours.dataType))
  const values = otherValues(other)
  const { data } = stored.load()
  if (values === null) return
  tensorsCompared++
  expect(data.length).toBe(values.length)
  if (values.some((value, index) => !Object.is(value, data[index]))) expect(Array.from(data)).toEqual(values)
}

function compareAttribute(
  file: ModelFile,
  ours: AttributeProto,
  other: OtherAttribute,
  pending: Pair[],
): void {
  expect(ours.name).toBe(other.name ?? '')
  expect(ours.type).toBe(other.type ?? 0)
  expect(ours.refAttrName).toBe(other.refAttrName ?? '')
  expect(ours.f).toBe(present(other, 'f') ? other.f : null)
  expect(ours.i).toBe(present(other, 'i') ? Number(other.i) : null)
  expect(ours.s === null ? null : text(ours.s)).toBe(present(other, 's') ? text(other.s) : null)
  expect(ours.floats).toEqual(numbers(other.floats))
  expect(ours.ints).toEqual(numbers(other.ints))
  expect(ours.strings.map(text)).toEqual((other.strings ?? []).map(text))
  expect(ours.t === null).toBe(!present(other, 't'))
  if (ours.t !== null) compareTensor(file, ours.t, other.t!)
  if (ours.g !== null) pending.push([ours.g, other.g!])
  for (const [index, graph] of ours.graphs.entries()) pending.push([graph, other.graphs![index]])
}

type Pair = [GraphProto, OtherGraph]

function compareModel(file: ModelFile, other: OtherModel): void {
  expect(file.proto.irVersion).toBe(Number(other.irVersion ?? 0))
  expect(file.proto.producerName).toBe(other.producerName ?? '')
  const opsets = (other.opsetImport ?? []).map(({ domain, version }) => [domain ?? '', Number(version)])
  expect(file.proto.opsetImport.map(({ domain, version }) => [domain, version])).toEqual(opsets)
  expect(file.proto.functions.map((ours) => ours.node.length)).toEqual(
    (other.functions ?? []).map((theirs) => theirs.node!.length),
  )
  const pending: Pair[] = [[file.proto.graph!, other.graph!]]
  for (let pair = pending.pop(); pair !== undefined; pair = pending.pop()) {
    const [ours, theirs] = pair
    expect(
      ours.node.map((node) => [node.opType, node.name, node.domain, ...node.input, ':', ...node.output]),
    ).toEqual(
      theirs.node!.map((node) => [
        ...[node.opType ?? '', node.name ?? '', node.domain ?? ''],
        ...[...(node.input ?? []), ':', ...(node.output ?? [])],
      ]),
    )
    for (const role of ['input', 'output', 'valueInfo'] as const) {
      expect(ours[role].map(({ name }) => name)).toEqual((theirs[role] ?? []).map(({ name }) => name ?? ''))
    }
    for (const [index, node] of ours.node.entries()) {
      const attributes = theirs.node![index].attribute ?? []
      expect(node.attribute.length).toBe(attributes.length)
      for (const [at, attribute] of node.attribute.entries())
        compareAttribute(file, attribute, attributes[at], pending)
    }
    expect(ours.initializer.length).toBe(theirs.initializer?.length ?? 0)
    for (const [index, tensor] of ours.initializer.entries())
      compareTensor(file, tensor, theirs.initializer![index])
  }
}

function modelsBelow(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.onnx'))
    .map((path) => join(folder, path))
    .sort()
}

const root = resolve(import.meta.dirname, '../..')

describe.each([
  ['the fixtures', modelsBelow(join(root, 'fixtures'))],
  ['the collection of real models', modelsBelow(join(root, '../shared/models'))],
  ['the ONNX backend tests', modelsBelow('/usr/share/libonnx-testdata')],
])('reading %s as onnx-proto does', (_, models) => {
  it.skipIf(models.length === 0)('agrees on structure, attributes and every tensor', () => {
    tensorsCompared = 0
    for (const path of models) {
      const file = readModelFile(path)
      try {
        compareModel(file, proto.onnx.ModelProto.decode(readFileSync(path)))
      } catch (error) {
        throw new Error(path, { cause: error })
      }
      expect([...file.unknownFields]).toEqual([])
    }
    expect(tensorsCompared).toBeGreaterThan(0)
  })
})
