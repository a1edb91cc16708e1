import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRandom, gaussianVector } from '../../../src/core/random.ts'
import { allocate, allocateFloats, floatsAt, place, scoped, singlesAt } from '../../../src/linalg/arena.ts'
import { runCombination } from '../../../src/linalg/convolution/runs.ts'
import { kernels } from '../../../src/linalg/kernels.ts'

/** Runs of four numbers: outputs of every place, one run after another. */
function combine(rows: number, columns: number, places: number, add: boolean, seed: number) {
  return scoped(() => {
    const random = createRandom(seed)
    const matrix = Array.from({ length: rows }, () => [...gaussianVector(columns, random)])
    const input = gaussianVector(places * columns * 4, random)
    const before = gaussianVector(places * rows * 4, random)
    const x = place(input)
    const y = allocateFloats(before.length)
    floatsAt(y, before.length).set(before)
    const offsets = {
      inputs: Array.from({ length: columns }, (_, i) => 4 * i),
      outputs: Array.from({ length: rows }, (_, k) => 4 * k),
      places: Array.from({ length: 2 * places }, (_, i) => (i >> 1) * 4 * (i % 2 === 0 ? columns : rows)),
    }
    runCombination(matrix, offsets, 4, add).run(x, y)
    const expected = before.map((old, index) => {
      const [lane, k, own] = [index % 4, Math.floor(index / 4) % rows, Math.floor(index / (4 * rows))]
      const sum = matrix[k].reduce(
        (total, value, i) => total + value * input[(own * columns + i) * 4 + lane],
        0,
      )
      return add ? old + sum : sum
    })
    return { found: floatsAt(y, before.length).slice(), expected }
  })
}

/** Products with complex matrices in float32, as the kernel makes them and by definition. */
function multiply(count: number, channels: number, seed: number, single = false) {
  return scoped(() => {
    const random = createRandom(seed)
    const size = 2 * channels * channels
    const weights = Float32Array.from({ length: count * size }, () => random.gaussian())
    const pointer = allocate(4 * weights.length)
    singlesAt(pointer, weights.length).set(weights)
    const input = gaussianVector(count * 4 * channels, random)
    const x = place(input)
    const y = allocateFloats(input.length)
    const { multiplyFrequencies, multiplyFrequenciesSingle } = kernels()
    const run = single ? multiplyFrequenciesSingle : multiplyFrequencies
    run(pointer, count, channels, x, y, allocateFloats(4 * channels))
    const part = (frequency: number, row: number, column: number, imaginary: number) => {
      const height = Math.min(8, channels - (row & ~7))
      const panel = frequency * size + (row >> 3) * 16 * channels
      return weights[panel + height * (imaginary * channels + column) + (row & 7)]
    }
    const expected = input.map((_, index) => {
      const frequency = Math.floor(index / (4 * channels))
      const kind = Math.floor(index / channels) % 4
      const row = index % channels
      const [vector, imaginary] = [kind % 2, kind >> 1]
      const at = (which: number, c: number) => input[(frequency * 4 + 2 * which + vector) * channels + c]
      let sum = 0
      for (let c = 0; c < channels; c++) {
        const [re, im] = [part(frequency, row, c, 0), part(frequency, row, c, 1)]
        sum += imaginary === 0 ? re * at(0, c) - im * at(1, c) : re * at(1, c) + im * at(0, c)
      }
      return sum
    })
    return { found: floatsAt(y, input.length).slice(), expected }
  })
}

const close = ({ found, expected }: { found: Float64Array; expected: Float64Array }, within = 1e-11) =>
  found.forEach((value, i) => {
    expect(Math.abs(value - expected[i])).toBeLessThan(within)
  })

describe('the kernels between frequencies', () => {
  it('combine runs by any matrix', () => {
    const count = fc.integer({ min: 1, max: 11 })
    fc.assert(
      fc.property(
        count,
        count,
        fc.integer({ min: 1, max: 4 }),
        fc.boolean(),
        count,
        (rows, columns, places, add, seed) => {
          close(combine(rows, columns, places, add, seed))
        },
      ),
      { numRuns: 100 },
    )
  })

  it('multiply by complex matrices', () => {
    const few = fc.integer({ min: 1, max: 5 })
    fc.assert(
      fc.property(few, few, few, (count, fours, seed) => close(multiply(count, 4 * fours, seed))),
      { numRuns: 60 },
    )
  })

  it('multiply by complex matrices in float32', () => {
    const few = fc.integer({ min: 1, max: 5 })
    const fours = fc.oneof(few, fc.constantFrom(8, 9, 16, 17, 24))
    fc.assert(
      fc.property(few, fours, few, (count, channels, seed) => {
        close(multiply(count, 4 * channels, seed, true), 1e-5 * Math.sqrt(channels) * 4)
      }),
      { numRuns: 60 },
    )
  })

  it('give the same bytes everywhere', () => {
    const hash = createHash('sha256')
    hash.update(new Uint8Array(combine(7, 6, 3, true, 1).found.buffer))
    hash.update(new Uint8Array(multiply(3, 8, 2).found.buffer))
    hash.update(new Uint8Array(multiply(3, 72, 2, true).found.buffer))
    expect(hash.digest('hex').slice(0, 16)).toBe('0dc7e43343346884')
  })
})
