import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromNested, toNested } from '../../../src/cli/points/nested.ts'
import { encodeNpy } from '../../../src/cli/points/npy.ts'
import { readPoint, readSamples } from '../../../src/cli/points/point.ts'

const folder = mkdtempSync(join(tmpdir(), 'points-'))

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

const x = { name: 'x', shape: [1, 2, 2] }
const y = { name: 'y', shape: [2] }
const four = Float64Array.of(1, 2, 3, 4)

describe('points', () => {
  it('are zeros', () => {
    expect(readPoint('zeros', [x, y]).get('y')).toEqual({ dims: [2], data: new Float64Array(2) })
    expect(() => readPoint('zeros', [{ name: 'x', shape: [null, 2] }])).toThrow('is not known')
  })

  it('are read from arrays, also without axes of length 1', () => {
    const path = file('x.npy', encodeNpy({ dims: [2, 2], data: four }))
    expect(readPoint(path, [x]).get('x')).toEqual({ dims: [1, 2, 2], data: four })
  })

  it('are read from rows, and samples from one row each', () => {
    expect(readPoint(file('x.csv', '1,2\n3,4\n'), [x]).get('x')).toEqual({ dims: [1, 2, 2], data: four })
    expect(readSamples(file('s.csv', 'a,b,c,d\n1,2,3,4\n5,6,7,8\n'), x)).toEqual([
      four,
      Float64Array.of(5, 6, 7, 8),
    ])
    expect(() => readSamples(file('none.csv', '1,2,3\n'), x)).toThrow('is of shape [3]')
  })

  it('are not samples where there are none', () => {
    const path = file('empty.npy', encodeNpy({ dims: [0, 2, 2], data: new Float64Array() }))
    expect(() => readSamples(path, x)).toThrow('holds no sample')
  })

  it('are read from nested lists and from objects by name', () => {
    expect(readPoint(file('x.json', '[[[1, 2], [3, 4]]]'), [x]).get('x')?.data).toEqual(four)
    const named = readPoint(
      file('xy.json', '{"x": [[1, 2], [3, 4]], "y": [5, 6], "n": 3}'),
      [x, y],
      [{ name: 'n', shape: [] }],
    )
    expect(named.get('y')?.data).toEqual(Float64Array.of(5, 6))
    expect(named.get('n')).toEqual({ dims: [], data: Float64Array.of(3) })
  })

  it.each([
    ['a.json', '[[1], [2, 3]]', 'differ in length'],
    ['i.json', '[1, [2]]', 'where a number is expected'],
    ['b.json', '["1"]', 'where a number is expected'],
    ['c.json', '{', 'no JSON'],
    ['d.json', '[1, 2, 3]', 'is of shape [3], the input is [1,2,2]'],
    ['e.json', '{"z": 1}', "names the input 'z'"],
    ['f.json', '{}', "no elements for the input 'x'"],
    ['g.npy', 'abc', 'no .npy file'],
    ['h.json', '[[1e999, 2], [3, 4]]', 'which is no point'],
  ])('are refused with the reason: %s %s', (name, content, reason) => {
    expect(() => readPoint(file(name, content), [x])).toThrow(reason)
  })

  it('are refused where files are missing, or one array is for two inputs', () => {
    expect(() => readPoint(join(folder, 'missing.npy'), [x])).toThrow('no such file')
    expect(() => readPoint(file('x.npy', encodeNpy({ dims: [2], data: four.subarray(2) })), [x, y])).toThrow(
      '2 inputs may change',
    )
  })

  it('are many in a file of samples', () => {
    const path = file('samples.npy', encodeNpy({ dims: [3, 2], data: Float64Array.of(1, 2, 3, 4, 5, 6) }))
    expect(readSamples(path, y)).toEqual([
      Float64Array.of(1, 2),
      Float64Array.of(3, 4),
      Float64Array.of(5, 6),
    ])
  })

  it('as nested lists come back as they were', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 }), (dims) => {
        const size = dims.reduce((product, dim) => product * dim, 1)
        const data = Float64Array.from({ length: size }, (_, i) => i / 3)
        expect(fromNested(JSON.parse(JSON.stringify(toNested({ dims, data }))))).toEqual({ dims, data })
      }),
    )
  })
})
