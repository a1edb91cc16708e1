import { InferenceSession } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import type { ElementType } from '../../src/core/tensor.ts'
import { elementStorage, elementTypeOf, rawBytes } from '../../src/onnx/element-types.ts'
import { readModelFile } from '../../src/onnx/model-file.ts'
import { type Message, model, node, tensor, writeTemporary } from '../helpers/onnx-builder.ts'

/** Every bit pattern of a type once, as raw data. */
function everyPattern(bits: number): Uint8Array {
  if (bits === 16)
    return new Uint8Array(Uint16Array.from({ length: 2 ** 16 }, (_, pattern) => pattern).buffer)
  if (bits === 8) return Uint8Array.from({ length: 256 }, (_, pattern) => pattern)
  if (bits === 4) return Uint8Array.from({ length: 8 }, (_, byte) => (2 * byte) | ((2 * byte + 1) << 4))
  return Uint8Array.of(0b11_10_01_00)
}

function loadInitializer(initializer: Message): number[] {
  const file = readModelFile(writeTemporary(model({ initializers: { w: initializer } })))
  return Array.from(file.tensor(file.proto.graph!.initializer[0]).load().data)
}

async function castByOnnxRuntime(initializer: Message): Promise<number[]> {
  const { dims } = initializer as { dims: number[] }
  const bytes = model({
    outputs: { y: dims },
    opset: 25,
    irVersion: 12,
    initializers: { w: initializer },
    nodes: [node('Cast', ['w'], ['y'], { to: 1 })],
  })
  const session = await InferenceSession.create(bytes, { graphOptimizationLevel: 'disabled' })
  const { y } = await session.run({})
  return Array.from(y.data as Float32Array)
}

const narrowTypes: ElementType[] = [
  ...(['float16', 'bfloat16', 'float8e4m3fn', 'float8e4m3fnuz', 'float8e5m2', 'float8e5m2fnuz'] as const),
  ...(['float8e8m0', 'int16', 'uint16', 'int8', 'uint8', 'bool', 'int4', 'uint4', 'int2', 'uint2'] as const),
]

describe('element types', () => {
  it.each(narrowTypes)('decodes every pattern of %s as ONNX Runtime does', async (type) => {
    const bytes = everyPattern(elementStorage[type].bits)
    const initializer: Message = { ...tensor([2 ** elementStorage[type].bits], [], type), rawData: bytes }
    const theirs = await castByOnnxRuntime(initializer)
    expect(loadInitializer(initializer)).toEqual(theirs)
  })

  it('decodes every pattern of float4e2m1 as the OCP microscaling standard lists them', () => {
    const positive = [0, 0.5, 1, 1.5, 2, 3, 4, 6]
    const values = [...positive, ...positive.map((value) => -value)]
    expect(loadInitializer({ ...tensor([16], [], 'float4e2m1'), rawData: everyPattern(4) })).toEqual(values)
  })

  it('has the extreme values that the standards give', () => {
    const finite = (type: ElementType) =>
      loadInitializer({ ...tensor([256], [], type), rawData: everyPattern(8) }).filter(Number.isFinite)
    expect(Math.max(...finite('float8e4m3fn'))).toBe(448)
    expect(Math.max(...finite('float8e4m3fnuz'))).toBe(240)
    expect(Math.max(...finite('float8e5m2'))).toBe(57344)
    expect(Math.max(...finite('float8e5m2fnuz'))).toBe(57344)
    expect(Math.max(...finite('float8e8m0'))).toBe(2 ** 127)
  })

  it.each([
    ['int32', 4, [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)]],
    ['uint32', 4, [0, 1, 2 ** 31, 2 ** 32 - 1]],
    ['int64', 8, [0, 1, -1, 2 ** 53, -(2 ** 53), 2 ** 62]],
    ['uint64', 8, [0, 1, 2 ** 53, 2 ** 63]],
    ['float64', 8, [0, -0, Math.PI, 5e-324, Number.POSITIVE_INFINITY]],
    ['float32', 4, [0, -0, Math.fround(0.1), 2 ** -149, Number.NEGATIVE_INFINITY]],
  ] as const)('keeps the values of %s', (type, width, values) => {
    expect(rawBytes(type, values.length)).toBe(width * values.length)
    expect(loadInitializer(tensor([values.length], values, type))).toEqual([...values])
  })

  it('rounds 64-bit integers to the nearest number', () => {
    const rawData = new Uint8Array(
      BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n, 2n ** 53n + 3n).buffer,
    )
    const expected = [2 ** 63, -(2 ** 63), 2 ** 53, 2 ** 53 + 4]
    expect(loadInitializer({ ...tensor([4], [], 'int64'), rawData })).toEqual(expected)
  })

  it('decodes complex numbers to pairs', () => {
    const values = Float32Array.of(1, -2, 3, 4.5)
    const initializer = {
      dims: [2],
      dataType: elementStorage.complex64.code,
      rawData: new Uint8Array(values.buffer),
    }
    expect(loadInitializer(initializer)).toEqual([...values])
  })

  it('maps codes to types and back, and knows no others', () => {
    const types = Object.keys(elementStorage) as ElementType[]
    expect(types.map((type) => elementTypeOf(elementStorage[type].code))).toEqual(types)
    expect(types.map((type) => elementStorage[type].code).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 26 }, (_, index) => index + 1),
    )
    expect([0, 27, -1, 999].map(elementTypeOf)).toEqual([null, null, null, null])
  })
})
