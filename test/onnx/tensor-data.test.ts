import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ElementType } from '../../src/core/tensor.ts'
import { elementStorage, rawBytes } from '../../src/onnx/element-types.ts'
import { readModelFile } from '../../src/onnx/model-file.ts'
import type { StoredTensor } from '../../src/onnx/stored-tensor.ts'
import { errorOf } from '../helpers/error.ts'
import { type Message, model, tensor, writeTemporary } from '../helpers/onnx-builder.ts'
import { block, float32, float64, join, modelWithTensor, number, tag, varint } from '../helpers/wire.ts'

function stored(bytes: Uint8Array): StoredTensor {
  const file = readModelFile(writeTemporary(bytes))
  return file.tensor(file.proto.graph!.initializer[0])
}

const fromMessage = (initializer: Message) => stored(model({ initializers: { w: initializer } }))
const values = (tensor: StoredTensor) => Array.from(tensor.load().data)

/** dims and data_type of a tensor on the wire. */
const header = (type: ElementType, ...dims: number[]) =>
  join(...dims.map((dim) => number(1, dim)), number(2, elementStorage[type].code))

describe('a stored tensor', () => {
  it('has the same elements and hash as raw data, as a packed and as an unpacked list', () => {
    fc.assert(
      fc.property(fc.array(fc.float({ noNaN: true }), { minLength: 1, maxLength: 20 }), (list) => {
        const raw = stored(modelWithTensor(header('float32', list.length), block(9, ...list.map(float32))))
        const packed = stored(modelWithTensor(header('float32', list.length), block(4, ...list.map(float32))))
        const records = list.map((value) => join(tag(4, 5), float32(value)))
        const unpacked = stored(modelWithTensor(header('float32', list.length), ...records))
        const pieces = list.map((value) => block(4, float32(value)))
        const scattered = stored(modelWithTensor(...pieces, header('float32', list.length)))
        for (const tensor of [raw, packed, unpacked, scattered]) {
          expect(values(tensor)).toEqual(list)
          expect(tensor.sha256()).toBe(raw.sha256())
        }
        expect(raw.range?.length).toBe(4 * list.length)
        expect(packed.range?.length).toBe(4 * list.length)
        expect(unpacked.range).toBeNull()
      }),
      { numRuns: 30 },
    )
  })

  it('has a range at which the file holds the elements', () => {
    const path = writeTemporary(model({ initializers: { w: tensor([2, 2], [1, 2, 3, 4]) } }))
    const file = readModelFile(path)
    const { range, sha256 } = file.tensor(file.proto.graph!.initializer[0])
    const bytes = readFileSync(path).subarray(range!.offset, range!.offset + range!.length)
    expect(range!.path).toBe(path)
    expect([...new Float32Array(new Uint8Array(bytes).buffer)]).toEqual([1, 2, 3, 4])
    expect(sha256()).toBe(createHash('sha256').update(bytes).digest('hex'))
  })

  it('reads every integer field as raw data of its type', () => {
    const cases: [ElementType, number, number[]][] = [
      ['int32', 5, [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)]],
      ['int16', 5, [0, 32767, -32768]],
      ['int8', 5, [127, -128, -1]],
      ['uint16', 5, [0, 65535]],
      ['uint8', 5, [0, 255]],
      ['bool', 5, [0, 1]],
      ['int64', 7, [0, -1, 2 ** 53, -(2 ** 53)]],
      ['uint32', 11, [0, 2 ** 32 - 1]],
      ['uint64', 11, [0, 2 ** 53]],
    ]
    for (const [type, field, list] of cases) {
      const packed = stored(modelWithTensor(header(type, list.length), block(field, ...list.map(varint))))
      const unpacked = stored(
        modelWithTensor(header(type, list.length), ...list.map((value) => number(field, value))),
      )
      expect(values(packed)).toEqual(list)
      expect(values(unpacked)).toEqual(list)
      expect(packed.sha256()).toBe(fromMessage(tensor([list.length], list, type)).sha256())
      expect(packed.range).toBeNull()
    }
  })

  it('reads bit patterns and packed bytes from int32_data', () => {
    const cases: [ElementType, number, number[], number[]][] = [
      ['float16', 2, [0x4200, 0xc200], [3, -3]],
      ['bfloat16', 2, [0x3f80, 0xbf80], [1, -1]],
      ['float8e4m3fn', 2, [0x38, 0xb8], [1, -1]],
      ['int4', 3, [0xf1, 0x02], [1, -1, 2]],
      ['uint4', 3, [0xf1, 0x02], [1, 15, 2]],
      ['float4e2m1', 2, [0xa7], [6, -1]],
      ['int2', 5, [0b11_10_01_00, 0b01], [0, 1, -2, -1, 1]],
    ]
    for (const [type, count, list, expected] of cases) {
      expect(values(stored(modelWithTensor(header(type, count), block(5, ...list.map(varint)))))).toEqual(
        expected,
      )
    }
  })

  it('reads a negative int32 that is written in five bytes', () => {
    const bytes = modelWithTensor(header('int32', 1), block(5, [0xff, 0xff, 0xff, 0xff, 0x0f]))
    expect(values(stored(bytes))).toEqual([-1])
  })

  it('reads doubles and complex numbers from their fields', () => {
    expect(
      values(stored(modelWithTensor(header('float64', 2), block(10, float64(0.1), float64(-2))))),
    ).toEqual([0.1, -2])
    const complex = stored(modelWithTensor(header('complex64', 1), block(4, float32(3), float32(4))))
    expect(values(complex)).toEqual([3, 4])
  })

  it('reads tensors that are larger than a piece', () => {
    const count = 1_000_003
    const rawData = Uint8Array.from({ length: Math.ceil(count / 2) }, (_, index) => (index * 7) & 255)
    const tensor = fromMessage({ dims: [count], dataType: elementStorage.uint4.code, rawData })
    const expected = Float32Array.from(
      { length: count },
      (_, index) => (rawData[index >> 1] >> (4 * (index & 1))) & 15,
    )
    expect(Buffer.from(tensor.load().data.buffer).equals(Buffer.from(expected.buffer))).toBe(true)
    const floats = Float32Array.from({ length: count }, (_, index) => index / 3)
    const single = fromMessage({ dims: [count], dataType: 1, rawData: new Uint8Array(floats.buffer) })
    expect(Buffer.from(single.load().data.buffer).equals(Buffer.from(floats.buffer))).toBe(true)
  })

  it('takes no notice of a location that it does not use', () => {
    const location = block(13, block(1, 'location'), block(2, '/etc/passwd'))
    expect(values(stored(modelWithTensor(header('float32', 1), location, block(9, float32(1)))))).toEqual([1])
  })

  it('counts strings without keeping them', () => {
    const strings = stored(modelWithTensor(header('string', 2), block(6, 'a'), block(6, 'b')))
    expect([strings.size, strings.load().data.length]).toEqual([2, 0])
    expect(errorOf(() => stored(modelWithTensor(header('string', 2), block(6, 'a')))).code).toBe('malformed')
  })

  it('is empty where a dim is zero', () => {
    const empty = stored(modelWithTensor(header('float32', 0, 2 ** 40)))
    expect([empty.size, empty.load().data.length]).toEqual([0, 0])
  })

  it.each<[string, string, Uint8Array]>([
    [
      'raw data a byte short',
      'malformed',
      modelWithTensor(header('float32', 2), block(9, new Uint8Array(7))),
    ],
    ['raw data a byte long', 'malformed', modelWithTensor(header('float32', 2), block(9, new Uint8Array(9)))],
    ['no data', 'malformed', modelWithTensor(header('float32', 2))],
    [
      'data without elements',
      'malformed',
      modelWithTensor(header('float32', 0), block(9, new Uint8Array(4))),
    ],
    ['a float short', 'malformed', modelWithTensor(header('float32', 2), block(4, float32(1)))],
    ['a float long', 'malformed', modelWithTensor(header('float32', 1), block(4, float32(1), float32(1)))],
    [
      'raw data and floats',
      'malformed',
      modelWithTensor(header('float32', 1), block(9, float32(1)), block(4, float32(1))),
    ],
    [
      'empty raw data and floats',
      'malformed',
      modelWithTensor(header('float32', 1), block(9), block(4, float32(1))),
    ],
    ['floats in int32_data', 'malformed', modelWithTensor(header('float32', 1), block(5, varint(1)))],
    ['a byte of 256', 'malformed', modelWithTensor(header('uint8', 1), block(5, varint(256)))],
    ['a byte of -129', 'malformed', modelWithTensor(header('int8', 1), block(5, varint(-129)))],
    ['a uint32 of 2^32', 'malformed', modelWithTensor(header('uint32', 1), block(11, varint(2 ** 32)))],
    [
      'eight nibbles in one int32',
      'malformed',
      modelWithTensor(header('int4', 8), block(5, varint(0x11111111))),
    ],
    ['raw strings', 'malformed', modelWithTensor(header('string', 1), block(9, 'a'))],
    ['a negative dim', 'malformed', modelWithTensor(header('float32', -1))],
    ['a huge dim beside a zero', 'limit', modelWithTensor(header('float32', 0, 2 ** 62))],
    ['too many elements', 'limit', modelWithTensor(header('float32', 2 ** 40))],
    ['an overflowing product', 'limit', modelWithTensor(header('float32', 2 ** 52, 2 ** 52, 2 ** 52))],
    ['2000 dims', 'limit', modelWithTensor(header('float32', ...new Array<number>(2000).fill(1)))],
    ['no type', 'malformed', modelWithTensor(number(1, 1))],
    ['an unknown type', 'unsupported', modelWithTensor(number(1, 1), number(2, 999))],
    [
      'a segment',
      'unsupported',
      modelWithTensor(header('float32', 1), block(3, number(1, 0)), block(9, float32(1))),
    ],
    [
      'an unknown location',
      'unsupported',
      modelWithTensor(header('float32', 1), number(14, 2), block(9, float32(1))),
    ],
  ])('refuses %s', (_, code, bytes) => {
    expect(errorOf(() => stored(bytes).load()).code).toBe(code)
  })

  it('names model and tensor in its errors', () => {
    const error = errorOf(() =>
      stored(modelWithTensor(header('float32', 2), block(8, 'conv.weight'), block(9, 'abc'))),
    )
    expect(error).toMatchObject({ code: 'malformed', tensor: 'conv.weight' })
    expect(error.model).toMatch(/\.onnx$/)
    expect(error.message).toContain('3 bytes')
  })

  it('notices that the file has changed since', () => {
    const path = writeTemporary(model({ initializers: { w: tensor([1], [1]) } }))
    const file = readModelFile(path)
    const tensorOfOld = file.tensor(file.proto.graph!.initializer[0])
    writeTemporary(model({ initializers: { w: tensor([2], [1, 2]) } }), path.split('/').pop())
    expect(errorOf(() => tensorOfOld.load()).code).toBe('unreadable')
    expect(errorOf(() => file.sha256()).code).toBe('unreadable')
  })

  it('takes as many bytes as its elements are packed in', () => {
    expect([1, 2, 3, 4, 5].map((count) => rawBytes('int4', count))).toEqual([1, 1, 2, 2, 3])
    expect([1, 4, 5, 8, 9].map((count) => rawBytes('uint2', count))).toEqual([1, 1, 2, 2, 3])
  })
})
