import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { largestEigenvalue, solveShifted, topEigenvector } from '../../src/linalg/tridiagonal.ts'
import { singularValues } from './known-norms.ts'

const entry = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 1, 1e-8, 1e-16))

const tridiagonal = fc.integer({ min: 1, max: 30 }).chain((order) =>
  fc
    .record({
      diagonal: fc.array(entry, { minLength: order, maxLength: order }),
      offDiagonal: fc.array(entry, { minLength: order, maxLength: order }),
    })
    .map(({ diagonal, offDiagonal }) => ({
      order,
      diagonal: Float64Array.from(diagonal, (value) => value + 1e-3),
      offDiagonal: Float64Array.from(offDiagonal),
    })),
)

/** T + shift·I as a dense matrix; with a shift above ‖T‖ its singular values are its eigenvalues. */
function dense(
  { order, diagonal, offDiagonal }: { order: number; diagonal: Float64Array; offDiagonal: Float64Array },
  shift: number,
) {
  const data = new Float64Array(order * order)
  for (let i = 0; i < order; i++) {
    data[i * order + i] = diagonal[i] + shift
    if (i + 1 < order) data[i * order + i + 1] = data[(i + 1) * order + i] = offDiagonal[i]
  }
  return data
}

describe('tridiagonal matrices', () => {
  it('have the largest eigenvalue that Jacobi rotations find', () => {
    fc.assert(
      fc.property(tridiagonal, (matrix) => {
        const expected = singularValues(matrix.order, matrix.order, dense(matrix, 4))[0] - 4
        expect(Math.abs(largestEigenvalue(matrix) - expected)).toBeLessThan(1e-13)
      }),
      { numRuns: 500 },
    )
  })

  it('have their top eigenvector by inverse iteration', () => {
    fc.assert(
      fc.property(tridiagonal, (matrix) => {
        const value = largestEigenvalue(matrix)
        const vector = topEigenvector(matrix, value)
        const data = dense(matrix, 0)
        const { order } = matrix
        for (let i = 0; i < order; i++) {
          let image = 0
          for (let j = 0; j < order; j++) image += data[i * order + j] * vector[j]
          expect(Math.abs(image - value * vector[i])).toBeLessThan(1e-12)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('are solved exactly above their spectrum and refused below', () => {
    fc.assert(
      fc.property(tridiagonal, fc.double({ min: 1e-3, max: 1, noNaN: true }), (matrix, gap) => {
        const { order } = matrix
        const value = largestEigenvalue(matrix)
        const b = new Float64Array(order)
        b[0] = 1
        const [x, pivots] = [new Float64Array(order), new Float64Array(order)]
        expect(solveShifted(matrix, value * (1 - 1e-12) - 1e-14, b, x, pivots)).toBe(false)
        expect(solveShifted(matrix, value + gap, b, x, pivots)).toBe(true)
        const data = dense(matrix, 0)
        for (let i = 0; i < order; i++) {
          let image = (value + gap) * x[i]
          for (let j = 0; j < order; j++) image -= data[i * order + j] * x[j]
          expect(Math.abs(image - b[i])).toBeLessThan(1e-9)
          expect(x[i]).toBeGreaterThanOrEqual(0)
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('matrices of no numbers', () => {
  it.each([
    [1, Number.NaN],
    [2, Number.NaN],
    [2, Infinity],
    [3, 0],
  ])('of order %i and %d come to an end', (order, value) => {
    const matrix = {
      order,
      diagonal: new Float64Array(order).fill(value),
      offDiagonal: new Float64Array(order).fill(value),
    }
    expect(topEigenvector(matrix, largestEigenvalue(matrix))).toHaveLength(order)
    expect(topEigenvector(matrix, Number.NaN)).toHaveLength(order)
  })
})
