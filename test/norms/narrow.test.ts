import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createRandom } from '../../src/core/random.ts'
import { allocate, bytesAt, scoped, singlesAt } from '../../src/linalg/arena.ts'
import { encloseMatrix } from '../../src/linalg/dense.ts'
import { kernels } from '../../src/linalg/kernels.ts'
import { encloseStreamed, surveyStreamed } from '../../src/linalg/streamed.ts'
import { measureForm } from '../../src/norms/form.ts'
import { NARROW_BLOCK, narrowBytes, placeNarrow } from '../../src/norms/narrow.ts'
import type { StoredSource } from '../../src/norms/source.ts'
import { elementStorage } from '../../src/onnx/element-types.ts'
import { openStoredFile } from '../../src/onnx/stored-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'lipschitz-narrow-'))
afterAll(() => rmSync(folder, { recursive: true }))

const types = [
  { type: 'float16', bytes: 2, kernel: 'widenF16' },
  { type: 'bfloat16', bytes: 2, kernel: 'widenBF16' },
  { type: 'int8', bytes: 1, kernel: 'widenI8' },
  { type: 'uint8', bytes: 1, kernel: 'widenU8' },
] as const
type Narrow = (typeof types)[number]

/** The elements as the table of element types has them. */
function decoded({ type }: Narrow, stored: Uint8Array, count: number): Float32Array {
  const target = new Float32Array(count)
  elementStorage[type].decode(stored, count, target, 0)
  return target
}

function storedSource({ type, bytes }: Narrow, data: Uint8Array): StoredSource {
  const path = join(folder, type)
  writeFileSync(path, Buffer.concat([Buffer.alloc(5), data]))
  const range = { path, stamp: openStoredFile(path).stamp, offset: 5, length: data.length }
  return { kind: 'stored', range, type, size: data.length / bytes }
}

/** Finite elements of moderate size; the matrix is near one of rank one, so that few passes do. */
function randomElements({ type, bytes }: Narrow, rows: number, columns: number, seed: number): Uint8Array {
  const random = createRandom(seed)
  const across = Float64Array.from({ length: columns }, () => random.gaussian())
  const data = new Uint8Array(rows * columns * bytes)
  const view = new DataView(data.buffer)
  for (let i = 0, k = 0; i < rows; i++) {
    const down = random.gaussian()
    for (let j = 0; j < columns; j++, k++) {
      const value = down * across[j] + 0.1 * ((k * 7919) % 13)
      if (bytes === 1) data[k] = Math.round(20 * value)
      // the upper half of a float32 is a bfloat16, and some float16
      else view.setUint16(2 * k, new Uint32Array(Float32Array.of(value).buffer)[0] >>> 16, true)
      if (type === 'float16') view.setUint16(2 * k, view.getUint16(2 * k, true) & 0xbbff, true)
    }
  }
  return data
}

describe('narrow elements', () => {
  for (const narrow of types) {
    it(`of ${narrow.type} are widened exactly, whatever their pattern and number`, () =>
      scoped(() => {
        const count = 256 ** narrow.bytes
        const stored = new Uint8Array(Uint16Array.from({ length: count }, (_, i) => i).buffer)
        const patterns = narrow.bytes === 2 ? stored : stored.filter((_, i) => i % 2 === 0)
        const expected = decoded(narrow, patterns, count)
        const from = allocate(patterns.length)
        const to = allocate(4 * count + 4)
        bytesAt(from, patterns.length).set(patterns)
        kernels()[narrow.kernel](from, count, to)
        expect(singlesAt(to, count)).toEqual(expected)
        for (const part of [0, 1, 7, 8, 9, 23]) {
          singlesAt(to, part + 1).fill(-99)
          kernels()[narrow.kernel](from + narrow.bytes * 77, part, to)
          expect(singlesAt(to, part)).toEqual(expected.slice(77, 77 + part))
          expect(singlesAt(to, part + 1)[part]).toBe(-99)
        }
      }))

    it(`of ${narrow.type} give the bytes that float32 gives`, () => {
      const [rows, columns] = [530, 203]
      const options = {
        tolerance: 1e-3,
        certify: 'probabilistic',
        seed: 3,
        failureProbability: 1e-10,
      } as const
      const data = randomElements(narrow, rows, columns, 8)
      const elements = decoded(narrow, data, rows * columns)
      const found = scoped(() => {
        const { read } = placeNarrow(storedSource(narrow, data), 0, rows * columns)
        const matrix = { rows, columns, single: true, read, blockBytes: NARROW_BLOCK }
        return encloseStreamed(matrix, options, surveyStreamed(matrix))
      })
      const wide = { rows, columns, single: true, read: wideReader(elements), blockBytes: NARROW_BLOCK }
      expect(found).toEqual(encloseStreamed(wide, options, surveyStreamed(wide)))
      const inMemory = encloseMatrix({ rows, columns, data: elements }, options)
      expect(found.lower).toBeLessThanOrEqual(inMemory.upper)
      expect(found.upper).toBeGreaterThanOrEqual(inMemory.lower)
    })
  }

  it('are kept as stored where there are many, told as any others are', () => {
    const [narrow] = types
    const [rows, columns] = [2100, 2003]
    const data = randomElements(narrow, rows, columns, 9)
    const source = storedSource(narrow, data)
    expect(narrowBytes(source)).toBe(data.length)
    const geometry = {
      form: 'matrix',
      rows,
      columns,
      blocks: 1,
      arrangement: 'diagonal',
      factor: 1,
    } as const
    const norm = { tolerance: 1e-3, certify: 'probabilistic', seed: 1, failureProbability: 1e-10 } as const
    const shared = { copies: 1, optionsFor: () => norm, recall: () => null, memory: 2 ** 29 }
    const found = measureForm(geometry, source, shared)
    const elements = decoded(narrow, data, rows * columns)
    const folded = { kind: 'folded', data: elements, sha256: found.weightSha256 } as const
    expect(found).toEqual(measureForm(geometry, folded, shared))
    expect(found.weightSha256).toBe(createHash('sha256').update(data).digest('hex'))

    new DataView(data.buffer).setUint16(2 * 1234, 0x7c00, true)
    const broken = measureForm(geometry, storedSource(narrow, data), shared)
    expect(broken).toMatchObject({ spectral: null, nonFinite: { index: 1234, value: 'Infinity' } })
  })

  it('are widened when they are loaded where there are few', () => {
    const [narrow] = types
    expect(narrowBytes(storedSource(narrow, randomElements(narrow, 20, 30, 1)))).toBe(null)
  })
})

function wideReader(elements: Float32Array) {
  return (first: number, target: Float32Array | Float64Array) =>
    target.set(elements.subarray(first, first + target.length))
}
