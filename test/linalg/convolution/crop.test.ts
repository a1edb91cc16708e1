import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { scoped } from '../../../src/linalg/arena.ts'
import type { SizedAxis } from '../../../src/linalg/convolution/axis.ts'
import { croppedTorusBound } from '../../../src/linalg/convolution/crop.ts'
import {
  type Kernel,
  keptAxes,
  kernelOf,
  partsOf,
  sumOfSliceNorms,
} from '../../../src/linalg/convolution/kernel.ts'
import { denseConvolution } from '../../../src/linalg/convolution/matrix.ts'
import { spectrumOf } from '../../../src/linalg/convolution/spectrum.ts'
import { singularValues } from '../known-norms.ts'
import { anyCase } from './cases.ts'

function largestSingularValue(kernel: Kernel): number {
  const { rows, columns, data } = denseConvolution(kernel)
  if (columns <= rows) return singularValues(rows, columns, data as Float64Array)[0]
  const transposed = new Float64Array(data.length)
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) transposed[j * rows + i] = data[i * columns + j]
  return singularValues(columns, rows, transposed)[0]
}

describe('croppedTorusBound', () => {
  for (const limits of [
    { rank: 1, size: 12, kernel: 5, channels: 4, runs: 250 },
    { rank: 2, size: 6, kernel: 3, channels: 3, runs: 120 },
    { rank: 3, size: 4, kernel: 3, channels: 2, runs: 40 },
  ]) {
    it(`is never below the norm, whatever its level, ${limits.rank} axes`, () => {
      let sharper = 0
      let met = 0
      fc.assert(
        fc.property(
          anyCase(limits),
          fc.double({ min: 0.3, max: 1.1, noNaN: true }),
          ({ operator, weights }, share) => {
            for (const part of partsOf(operator)) {
              if (keptAxes(part).length === 0) continue
              const kernel = kernelOf(operator, part, 0, weights)
              if (kernel.slices.every((value) => value === 0)) continue
              scoped(() => {
                const spectrum = spectrumOf(kernel, sumOfSliceNorms(kernel))
                const supremum = Math.sqrt(spectrum.peak.value)
                const level = spectrum.peak.value * share
                const bound = croppedTorusBound(kernel.axes as readonly SizedAxis[], spectrum, level, 400)
                if (bound === null) return
                met++
                expect(bound).toBeGreaterThanOrEqual(largestSingularValue(kernel) * (1 - 1e-13))
                if (bound < supremum * (1 - 1e-3)) sharper++
              })
            }
          },
        ),
        { numRuns: limits.runs },
      )
      expect(met).toBeGreaterThan(limits.runs / 20)
      expect(sharper).toBeGreaterThan(met / 4)
    })
  }
})
