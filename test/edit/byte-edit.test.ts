import { readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import fc from 'fast-check'
import proto from 'onnx-proto'
import { describe, expect, it } from 'vitest'
import { encodeElements, isWritable } from '../../src/edit/element-encoding.ts'
import { locationEdits } from '../../src/edit/location-edit.ts'
import { spliceFile } from '../../src/edit/splice.ts'
import { elementStorage } from '../../src/onnx/element-types.ts'
import { openStoredFile } from '../../src/onnx/stored-file.ts'
import { type Message, modelFile, node, subgraph, tensor } from '../helpers/onnx-builder.ts'

const external = (location: string, more: Message[] = []) => ({
  dims: [1],
  dataType: 1,
  dataLocation: 1,
  externalData: [{ key: 'offset', value: '4' }, { key: 'location', value: location }, ...more],
})

let count = 0
/** The model with its locations renamed, as an independent decoder reads it, and as the reader's own scan sees it. */
function renamed(path: string, rename: (location: string) => string | null) {
  const target = join(dirname(path), `renamed-${++count}.onnx`)
  const file = openStoredFile(path)
  const edits = locationEdits(file, (location) => {
    const name = rename(location)
    return name === null ? null : { name, sha1: () => 'f'.repeat(40) }
  })
  spliceFile(file, edits, target)
  return proto.onnx.ModelProto.decode(readFileSync(target))
}

const names = fc.string({ minLength: 1, maxLength: 300, unit: fc.constantFrom('a', 'b', 'ö', '/') })

describe('locations of external data', () => {
  it('are renamed to any length, in graphs, bodies and attributes, and nothing else', () => {
    fc.assert(
      fc.property(names, names, names, fc.nat({ max: 300 }), (first, second, target, padding) => {
        const body = { outputs: ['o'], nodes: [], initializers: { o: external(second) } }
        const path = modelFile({
          outputs: ['y'],
          initializers: { w: external(first), v: tensor([padding], new Float32Array(padding)) },
          nodes: [
            node('If', ['c'], ['y'], { then_branch: subgraph(body), else_branch: subgraph(body) }),
            node('Constant', [], ['k'], { value: external(first) as never }),
          ],
        })
        const before = proto.onnx.ModelProto.decode(readFileSync(path)).toJSON()
        const after = renamed(path, (location) => (location === first ? target : null)).toJSON()
        const expected = JSON.parse(JSON.stringify(before), (_, value) =>
          value?.key === 'location' && value.value === first ? { ...value, value: target } : value,
        )
        expect(after).toEqual(expected)
      }),
      { numRuns: 60 },
    )
  })

  it('bring the checksum of the new file with them', () => {
    const path = modelFile({
      outputs: ['w'],
      initializers: { w: external('old.bin', [{ key: 'checksum', value: '0'.repeat(40) }]) },
    })
    const [found] = renamed(path, () => 'new.bin').graph!.initializer!
    expect(found.externalData!.map(({ value }) => value)).toEqual(['4', 'new.bin', 'f'.repeat(40)])
    expect(basename(path)).toMatch(/onnx$/)
  })
})

describe('elements', () => {
  const types = ['float32', 'float64', 'float16', 'bfloat16'] as const

  it.each(types)('of type %s are written as the reader decodes them, rounded to nearest', (type) => {
    const largest = type === 'float16' ? 65000 : 1e30
    const finite = fc.double({ noNaN: true, min: -largest, max: largest })
    fc.assert(
      fc.property(fc.array(finite, { minLength: 1, maxLength: 20 }), (values) => {
        const bytes = encodeElements(type, Float64Array.from(values))
        const { array, decode, bits } = elementStorage[type]
        const decoded = new array(values.length)
        decode(bytes, values.length, decoded, 0)
        const precision = { float32: 24, float64: 53, float16: 11, bfloat16: 8 }[type]
        const least = { float32: 2 ** -150, float64: 0, float16: 2 ** -25, bfloat16: 2 ** -134 }[type]
        expect(bytes.length).toBe((values.length * bits) / 8)
        for (const [i, value] of values.entries())
          expect(Math.abs(decoded[i] - value)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -precision + least)
        // what was decoded is written to the same bytes
        expect(encodeElements(type, decoded)).toEqual(bytes)
      }),
      { numRuns: 200 },
    )
  })

  it('beyond the range of the type are refused, as are types of few bits', () => {
    expect(() => encodeElements('float16', Float64Array.of(70000))).toThrow('beyond the range of float16')
    expect(isWritable('int8')).toBe(false)
    expect(() => encodeElements('int8', Float64Array.of(1))).toThrow(RangeError)
  })
})
