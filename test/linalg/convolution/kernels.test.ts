import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRandom, gaussianVector } from '../../../src/core/random.ts'
import { allocateFloats, floatsAt, place, scoped } from '../../../src/linalg/arena.ts'
import { gatherProduct, padded } from '../../../src/linalg/convolution/gather.ts'
import { createHermitian } from '../../../src/linalg/convolution/hermitian.ts'
import { kernelOf, partsOf } from '../../../src/linalg/convolution/kernel.ts'
import { placedConvolution } from '../../../src/linalg/convolution/placed.ts'
import { type FourierSymbol, symbolOf } from '../../../src/linalg/convolution/symbol.ts'
import { convolution, denseByDefinition, weightCount } from './cases.ts'

/** A symbol of one axis with random taps: [taps, outputs, inputs]. */
function randomKernel(outputs: number, inputs: number, taps: number, stride: number, seed: number) {
  const operator = convolution({
    kernel: [taps],
    inputSize: [4 * taps],
    strides: [stride],
    inChannels: inputs,
    outChannels: outputs,
    padsBegin: [1],
  })
  const weights = gaussianVector(weightCount(operator), createRandom(seed))
  return { operator, weights, kernel: kernelOf(operator, partsOf(operator)[0], 0, weights) }
}

/** H(ω) by its definition, K̂K̂* or the conjugate of K̂*K̂, as [re, im] of each entry. */
function gramByDefinition(subject: ReturnType<typeof randomKernel>, frequency: number): [number, number][][] {
  const { kernel } = subject
  const { stride, taps } = kernel.axes[0]
  const columns = kernel.inputs * stride
  const symbol = Array.from({ length: kernel.outputs }, () =>
    Array.from({ length: columns }, (): [number, number] => [0, 0]),
  )
  for (let tap = 0; tap < taps; tap++) {
    const angle = Math.floor(tap / stride) * frequency
    for (let o = 0; o < kernel.outputs; o++) {
      for (let c = 0; c < kernel.inputs; c++) {
        const weight = kernel.slices[(tap * kernel.outputs + o) * kernel.inputs + c]
        const entry = symbol[o][(tap % stride) * kernel.inputs + c]
        entry[0] += weight * Math.cos(angle)
        entry[1] += weight * Math.sin(angle)
      }
    }
  }
  const tall = kernel.outputs <= columns
  const rows = tall ? symbol : symbol[0].map((_, j) => symbol.map((row) => row[j]))
  return rows.map((a) =>
    rows.map((b): [number, number] => {
      let re = 0
      let im = 0
      a.forEach(([p, q], k) => {
        re += p * b[k][0] + q * b[k][1]
        im += q * b[k][0] - p * b[k][1]
      })
      return [re, im]
    }),
  )
}

/** H of a symbol as its kernel multiplies with it. */
function gramByProducts(symbol: FourierSymbol, frequency: number): [number, number][][] {
  const matrix = createHermitian(symbol.order)
  matrix.evaluate(symbol, [frequency])
  const columns = Array.from({ length: symbol.order }, (_, j) => {
    const v = new Float64Array(2 * matrix.evenOrder)
    const z = new Float64Array(2 * matrix.evenOrder)
    v[j] = 1
    matrix.multiply(v, z)
    return z
  })
  return Array.from({ length: symbol.order }, (_, i) =>
    columns.map((z): [number, number] => [z[i], z[matrix.evenOrder + i]]),
  )
}

const anyKernel = fc
  .record({
    outputs: fc.integer({ min: 1, max: 9 }),
    inputs: fc.integer({ min: 1, max: 5 }),
    taps: fc.integer({ min: 2, max: 5 }),
    stride: fc.integer({ min: 1, max: 2 }),
    seed: fc.integer({ min: 1, max: 1 << 30 }),
  })
  .filter(({ taps, stride }) => taps > stride)
  .map(({ outputs, inputs, taps, stride, seed }) => randomKernel(outputs, inputs, taps, stride, seed))

const anyFrequency = fc.double({ min: -Math.PI, max: Math.PI, noNaN: true })

describe('kernels of convolutions', () => {
  it('evaluate the Gram polynomial and multiply with it', () => {
    fc.assert(
      fc.property(anyKernel, anyFrequency, (subject, frequency) => {
        scoped(() => {
          const symbol = symbolOf(subject.kernel)
          const expected = gramByDefinition(subject, frequency)
          const found = gramByProducts(symbol, frequency)
          const scale = Math.max(...expected.map((row, i) => row[i][0]))
          expected.forEach((row, i) => {
            row.forEach(([re, im], j) => {
              expect(Math.abs(found[i][j][0] - re)).toBeLessThan(1e-12 * scale)
              expect(Math.abs(found[i][j][1] - im)).toBeLessThan(1e-12 * scale)
            })
          })
        })
      }),
    )
  })

  it('factorise tI − H exactly where t exceeds the largest eigenvalue', () => {
    fc.assert(
      fc.property(anyKernel, anyFrequency, (subject, frequency) => {
        scoped(() => {
          const symbol = symbolOf(subject.kernel)
          const matrix = createHermitian(symbol.order)
          const isBelow = (t: number) => {
            matrix.evaluate(symbol, [frequency])
            return matrix.isBelow(t)
          }
          let low = 0
          let high = gramByDefinition(subject, frequency).reduce((trace, row, i) => trace + row[i][0], 1e-300)
          expect(isBelow(high * 1.001)).toBe(true)
          for (let round = 0; round < 60; round++) {
            const middle = (low + high) / 2
            if (isBelow(middle)) high = middle
            else low = middle
          }
          matrix.evaluate(symbol, [frequency])
          const v = gaussianVector(2 * matrix.evenOrder, createRandom(1))
          const z = new Float64Array(v.length)
          for (let step = 0; step < 3000; step++) {
            matrix.multiply(v, z)
            const norm = Math.hypot(...z)
            z.forEach((value, i) => {
              v[i] = value / norm
            })
          }
          matrix.multiply(v, z)
          const eigenvalue = z.reduce((sum, value, i) => sum + value * v[i], 0)
          expect(high / eigenvalue).toBeGreaterThan(1 - 1e-12)
          expect(high / eigenvalue).toBeLessThan(1 + 1e-3)
        })
      }),
      { numRuns: 30 },
    )
  })

  it('gather products as the plain sum does', () => {
    const shape = fc.record({
      positions: fc.integer({ min: 1, max: 11 }),
      taps: fc.integer({ min: 1, max: 4 }),
      results: fc.integer({ min: 1, max: 9 }),
      channels: fc.integer({ min: 1, max: 7 }),
      seed: fc.integer({ min: 1, max: 1 << 30 }),
    })
    fc.assert(
      fc.property(shape, ({ positions, taps, results, channels, seed }) => {
        scoped(() => {
          const random = createRandom(seed)
          const inputs = gaussianVector(60, random)
          const weights = gaussianVector(taps * results * channels, random)
          const offset = (limit: number) => Math.floor(random.uniform() * limit)
          const tapOffsets = Array.from({ length: taps }, () => offset(20))
          const places = Array.from({ length: positions }, (_, q) => [offset(30), q * padded(results)])
          const weight = (tap: number, result: number, channel: number) =>
            weights[(tap * results + result) * channels + channel]
          const product = gatherProduct(places.flat(), tapOffsets, results, channels, weight)
          const target = allocateFloats(positions * padded(results))
          floatsAt(target, positions * padded(results)).fill(1)
          product.run(place(inputs), target)
          const found = floatsAt(target, positions * padded(results))
          places.forEach(([from, to]) => {
            for (let result = 0; result < padded(results); result++) {
              let sum = 1
              for (let tap = 0; tap < taps && result < results; tap++) {
                for (let channel = 0; channel < channels; channel++) {
                  sum += weight(tap, result, channel) * inputs[from + tapOffsets[tap] + channel]
                }
              }
              expect(found[to + result]).toBeCloseTo(sum, 11)
            }
          })
        })
      }),
    )
  })

  it('multiply with TᵀT as the dense operator does', () => {
    const operator = convolution({
      kernel: [3, 2, 3],
      inputSize: [5, 4, 6],
      strides: [2, 1, 2],
      padsBegin: [1, 0, 2],
      padsEnd: [2, 1, 1],
      inChannels: 3,
      outChannels: 5,
    })
    const weights = gaussianVector(weightCount(operator), createRandom(8))
    const { rows, columns, data } = denseByDefinition({ operator, weights })
    scoped(() => {
      const map = placedConvolution(kernelOf(operator, partsOf(operator)[0], 0, weights))
      const random = createRandom(9)
      const [v, u] = [gaussianVector(map.columns, random), gaussianVector(map.columns, random)]
      const [z, y] = [new Float64Array(map.columns), new Float64Array(map.columns)]
      map.applyPair(v, u, z, y)
      const positions = map.columns / 3
      // the dense operator counts positions within channels, the map channels within positions; untouched inputs are gone
      const touched = Array.from({ length: columns / 3 }, (_, i) => i).filter((i) =>
        Array.from({ length: rows }, (_, r) => r).some((r) =>
          [0, 1, 2].some((c) => data[r * columns + (c * columns) / 3 + i] !== 0),
        ),
      )
      expect(touched).toHaveLength(positions)
      for (const [input, output] of [
        [v, z],
        [u, y],
      ]) {
        const image = new Float64Array(rows)
        const at = (i: number, c: number) => (c * columns) / 3 + touched[i]
        for (let r = 0; r < rows; r++) {
          for (let i = 0; i < positions; i++) {
            for (let c = 0; c < 3; c++) image[r] += data[r * columns + at(i, c)] * input[i * 3 + c]
          }
        }
        for (let i = 0; i < positions; i++) {
          for (let c = 0; c < 3; c++) {
            let sum = 0
            for (let r = 0; r < rows; r++) sum += data[r * columns + at(i, c)] * image[r]
            expect(output[i * 3 + c]).toBeCloseTo(sum, 9)
          }
        }
      }
    })
  })

  it('give the same bytes on every machine', () => {
    const operator = convolution({
      kernel: [4],
      inputSize: [16],
      inChannels: 5,
      outChannels: 7,
      padsBegin: [1],
    })
    const weights = Float64Array.from(
      { length: weightCount(operator) },
      (_, i) => ((i * 29) % 83) / 31 - 1.25,
    )
    const kernel = kernelOf(operator, partsOf(operator)[0], 0, weights)
    scoped(() => {
      const map = placedConvolution(kernel)
      const v = Float64Array.from({ length: map.columns }, (_, i) => ((i * 37) % 101) / 67 - 0.75)
      const z = new Float64Array(map.columns)
      map.apply(v, z)
      expect(createHash('sha256').update(new Uint8Array(z.buffer)).digest('hex').slice(0, 16)).toBe(
        'efb399b4f46d958e',
      )
    })
  })
})
