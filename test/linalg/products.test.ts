import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRandom, gaussianVector } from '../../src/core/random.ts'
import { allocateFloats, floatsAt, place, scoped } from '../../src/linalg/arena.ts'
import { kernels } from '../../src/linalg/kernels.ts'

const size = fc.integer({ min: 1, max: 70 })

/** Σ a·b in the order of the definition. */
function entry(
  terms: number,
  a: Float64Array,
  aAt: (k: number) => number,
  b: Float64Array,
  bAt: (k: number) => number,
) {
  let sum = 0
  let size = 0
  for (let k = 0; k < terms; k++) {
    sum += a[aAt(k)] * b[bAt(k)]
    size += Math.abs(a[aAt(k)] * b[bAt(k)])
  }
  return { sum, slack: 4 * (terms + 2) * 2 ** -53 * size }
}

/** A symmetric positive definite matrix: BBᵀ + I. */
function definite(order: number, seed: number): Float64Array {
  const b = gaussianVector(order * order, createRandom(seed))
  const matrix = new Float64Array(order * order)
  for (let i = 0; i < order; i++) {
    for (let j = 0; j < order; j++) {
      const { sum } = entry(
        order,
        b,
        (k) => i * order + k,
        b,
        (k) => j * order + k,
      )
      matrix[i * order + j] = sum / order + (i === j ? 1 : 0)
    }
  }
  return matrix
}

describe('products of matrices', () => {
  it('add A·B in any layout, or take it off', () => {
    fc.assert(
      fc.property(
        size,
        size,
        fc.oneof(size, fc.integer({ min: 250, max: 530 })),
        fc.boolean(),
        fc.boolean(),
        fc.constantFrom(1, -1),
        fc.integer(),
        (rows, columns, depth, turnedA, turnedB, sign, seed) =>
          scoped(() => {
            const random = createRandom(seed)
            const [a, b] = [gaussianVector(rows * depth, random), gaussianVector(depth * columns, random)]
            const start = gaussianVector(rows * columns, random)
            const [pa, pb, pc] = [place(a), place(b), place(start)]
            const packed = allocateFloats((rows + columns + 6) * 256)
            const [aRow, aColumn] = turnedA ? [1, rows] : [depth, 1]
            const [bRow, bColumn] = turnedB ? [1, depth] : [columns, 1]
            kernels().product(
              pa,
              aRow,
              aColumn,
              pb,
              bRow,
              bColumn,
              rows,
              columns,
              depth,
              pc,
              columns,
              packed,
              sign,
            )
            const c = floatsAt(pc, rows * columns)
            for (let i = 0; i < rows; i += 3) {
              for (let j = 0; j < columns; j += 2) {
                const { sum, slack } = entry(
                  depth,
                  a,
                  (k) => i * aRow + k * aColumn,
                  b,
                  (k) => k * bRow + j * bColumn,
                )
                const expected = start[i * columns + j] + sign * sum
                expect(Math.abs(c[i * columns + j] - expected)).toBeLessThanOrEqual(slack + 1e-14)
              }
            }
          }),
      ),
      { numRuns: 60 },
    )
  })

  it('invert triangles', () => {
    fc.assert(
      fc.property(size, fc.integer(), (order, seed) =>
        scoped(() => {
          const l = gaussianVector(order * order, createRandom(seed)).map((value) => value / order)
          for (let i = 0; i < order; i++) l[i * order + i] = 1 + Math.abs(l[i * order + i])
          const [source, target] = [place(l), allocateFloats(order * order)]
          kernels().invertTriangle(source, order, target)
          const x = floatsAt(target, order * order)
          for (let i = 0; i < order; i++) {
            for (let j = 0; j <= i; j++) {
              let sum = 0
              for (let k = j; k <= i; k++) sum += l[i * order + k] * x[k * order + j]
              expect(sum).toBeCloseTo(i === j ? 1 : 0, 10)
            }
          }
        }),
      ),
      { numRuns: 60 },
    )
  })

  it('eliminate the first columns and leave the Schur complement', () => {
    fc.assert(
      fc.property(size, fc.double({ min: 0, max: 1, noNaN: true }), fc.integer(), (order, part, seed) =>
        scoped(() => {
          const matrix = definite(order, seed)
          const count = Math.round(part * order)
          const packed = allocateFloats((order + 3) * 48)
          const [some, all] = [place(matrix), place(matrix)]
          expect(kernels().eliminate(some, order, count, packed)).toBe(1)
          expect(kernels().cholesky(all, order, packed)).toBe(1)
          const rest = order - count
          const left = Float64Array.from({ length: rest * rest }, (_, at) => {
            const [i, j] = [count + Math.floor(at / rest), count + (at % rest)]
            return floatsAt(some, order * order)[Math.max(i, j) * order + Math.min(i, j)]
          })
          const schur = place(left)
          expect(kernels().cholesky(schur, rest, packed)).toBe(1)
          const [whole, tail] = [floatsAt(all, order * order), floatsAt(schur, rest * rest)]
          for (let i = 0; i < rest; i++) {
            for (let j = 0; j <= i; j++)
              expect(tail[i * rest + j]).toBeCloseTo(whole[(count + i) * order + count + j], 9)
          }
        }),
      ),
      { numRuns: 40 },
    )
  })

  it('stop at a pivot that is not positive', () => {
    scoped(() => {
      const matrix = place(Float64Array.from([1, 0, 2, 1]))
      expect(kernels().eliminate(matrix, 2, 1, allocateFloats(5 * 48))).toBe(1)
      const broken = place(Float64Array.from([-1, 0, 2, 1]))
      expect(kernels().eliminate(broken, 2, 1, allocateFloats(5 * 48))).toBe(0)
    })
  })
})
