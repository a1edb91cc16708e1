import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeNpy, encodeNpy } from '../../../src/cli/points/npy.ts'

/** A file as the format's specification says, from its parts. */
function npy(version: number, header: string, data: Uint8Array): Uint8Array {
  const text = new TextEncoder().encode(`${header}\n`)
  const length =
    version === 1 ? [text.length & 255, text.length >> 8] : [text.length & 255, text.length >> 8, 0, 0]
  return Uint8Array.from([
    0x93,
    ...new TextEncoder().encode('NUMPY'),
    version,
    0,
    ...length,
    ...text,
    ...data,
  ])
}

const bytesOf = (array: ArrayBufferView) => new Uint8Array(array.buffer)
const header = (descr: string, shape: string, order = 'False') =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`

describe('.npy files', () => {
  it('come back as they were written', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }), (dims) => {
        const size = dims.reduce((product, dim) => product * dim, 1)
        const data = Float64Array.from({ length: size }, (_, i) => Math.sin(i))
        expect(decodeNpy(encodeNpy({ dims, data }))).toEqual({ dims, data })
        expect(decodeNpy(encodeNpy({ dims, data }, 'f4')).data).toEqual(Float64Array.from(data, Math.fround))
      }),
    )
  })

  it.each([1, 2, 3])('are read in version %i', (version) => {
    const data = bytesOf(Float32Array.of(1, 2, 3, 4, 5, 6))
    expect(decodeNpy(npy(version, header('<f4', '(2, 3)'), data))).toEqual({
      dims: [2, 3],
      data: Float64Array.of(1, 2, 3, 4, 5, 6),
    })
  })

  it('are read in Fortran order', () => {
    const data = bytesOf(Float64Array.of(1, 4, 2, 5, 3, 6))
    expect(decodeNpy(npy(1, header('<f8', '(2, 3)', 'True'), data)).data).toEqual(
      Float64Array.of(1, 2, 3, 4, 5, 6),
    )
  })

  it.each([
    ['<f2', bytesOf(Uint16Array.of(0x3c00, 0xc000, 0x0001)), [1, -2, 2 ** -24]],
    ['>f4', Uint8Array.of(0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0), [1, -2, 0]],
    ['|i1', bytesOf(Int8Array.of(-1, 2, 3)), [-1, 2, 3]],
    ['<i8', bytesOf(BigInt64Array.of(-5n, 6n, 7n)), [-5, 6, 7]],
    ['<u8', bytesOf(BigUint64Array.of(5n, 6n, 7n)), [5, 6, 7]],
    ['<u2', bytesOf(Uint16Array.of(5, 6, 65535)), [5, 6, 65535]],
    ['|b1', Uint8Array.of(0, 1, 1), [0, 1, 1]],
  ])('are read with elements of type %s', (descr, data, expected) => {
    expect([...decodeNpy(npy(1, header(descr, '(3,)'), data)).data]).toEqual(expected)
  })

  it.each([
    [Uint8Array.of(1, 2, 3), 'no .npy file'],
    [npy(9, header('<f4', '(1,)'), new Uint8Array(4)), 'version 9'],
    [npy(1, header('|O', '(1,)'), new Uint8Array(8)), "type '|O'"],
    [npy(1, header('<c8', '(1,)'), new Uint8Array(8)), "type '<c8'"],
    [npy(1, header('<f4', '(2,)'), new Uint8Array(4)), 'takes 8'],
    [npy(1, header('<f4', '(99999999, 99999999)'), new Uint8Array(4)), 'is not possible'],
    [npy(1, '{}', new Uint8Array(4)), 'header'],
    [npy(1, header('<f4', '(1,)'), new Uint8Array(4)).subarray(0, 20), 'ends within its header'],
  ])('are refused with the reason, case %#', (bytes, reason) => {
    expect(() => decodeNpy(bytes)).toThrow(reason)
  })
})
