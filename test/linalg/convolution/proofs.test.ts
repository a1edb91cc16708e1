import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { scoped } from '../../../src/linalg/arena.ts'
import { energyBounds } from '../../../src/linalg/convolution/energy.ts'
import { keptAxes, kernelOf, partsOf, sumOfSliceNorms } from '../../../src/linalg/convolution/kernel.ts'
import { provenSupremum, spectrumOf } from '../../../src/linalg/convolution/spectrum.ts'
import { halfCircle, proverOf, wholeCircle } from '../../../src/linalg/convolution/supremum.ts'
import { symbolOf } from '../../../src/linalg/convolution/symbol.ts'
import { torusBound } from '../../../src/linalg/convolution/torus.ts'
import { anyCase, convolution, largestSingularValue } from './cases.ts'

/** Kernels of one channel for which the inequality of Bernstein and Szegő is an equality: |1 + e^{iDω}| = 2|cos(Dω/2)|. */
function extremal(degree: number): Float64Array {
  const weights = new Float64Array(degree + 1)
  weights[0] = 1
  weights[degree] = 1
  return weights
}

function kernelOfWeights(weights: Float64Array, size: number) {
  const operator = convolution({ kernel: [weights.length], inputSize: [size], padsBegin: [1], padsEnd: [1] })
  return kernelOf(operator, partsOf(operator)[0], 0, weights)
}

const fraction = fc.double({ min: 0.8, max: 1.2, noNaN: true })

describe('proofs over frequencies', () => {
  it('hold for the supremum just where it does not exceed the target', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fraction, (degree, share) => {
        scoped(() => {
          const prover = proverOf(symbolOf(kernelOfWeights(extremal(degree), 30)))
          const goal = { target: 2 * share, supremum: 2 * share, budget: 1e5 }
          const proven = prover.below([[halfCircle]], goal)
          expect(proven).toBe(share > 1 - 1e-9)
        })
      }),
    )
  })

  it('hold on a range of frequencies just where the symbol stays below the target there', () => {
    const start = fc.double({ min: 0, max: 3, noNaN: true })
    const length = fc.double({ min: 1e-3, max: 1, noNaN: true })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), start, length, fraction, (degree, low, width, share) => {
        scoped(() => {
          const prover = proverOf(symbolOf(kernelOfWeights(extremal(degree), 30)))
          const samples = Array.from({ length: 2001 }, (_, i) => low + (width * i) / 2000)
          const largest = Math.max(
            ...samples.map((frequency) => 2 * Math.abs(Math.cos((degree * frequency) / 2))),
          )
          const range = { low, high: low + width, origin: 0, step: 0 }
          const goal = { target: largest * share, supremum: 2, budget: 1e5 }
          const proven = prover.below([[range]], goal)
          if (share < 1 - 1e-9) expect(proven).toBe(false)
          if (share > 1 + 1e-3 && largest > 0.1) expect(proven).toBe(true)
        })
      }),
    )
  })

  it('never put a twisted torus below the finite operator, wherever the peak is said to be', () => {
    const subjects = fc.oneof(
      anyCase({ rank: 1, size: 20, kernel: 5, channels: 2 }),
      anyCase({ rank: 2, size: 6, kernel: 3, channels: 2 }),
    )
    const angle = fc.constantFrom(0, Math.PI, 0.4, 1.3, 2.2, -0.9)
    const shares = fc.double({ min: 0.9, max: 1.3, noNaN: true })
    fc.assert(
      fc.property(subjects, angle, angle, shares, ({ operator, weights }, first, second, share) => {
        const single = { ...operator, groups: 1, inChannels: operator.inChannels / operator.groups }
        const subject = {
          operator: { ...single, outChannels: operator.outChannels / operator.groups },
          weights,
        }
        const parts = partsOf(subject.operator)
        if (parts.length !== 1 || keptAxes(parts[0]).length === 0) return
        const sigma = largestSingularValue(subject)
        if (sigma === 0) return
        scoped(() => {
          const kernel = kernelOf(subject.operator, parts[0], 0, weights)
          const spectrum = spectrumOf(kernel, sumOfSliceNorms(kernel))
          provenSupremum(spectrum, 1e-4, 1000)
          const frequency = kernel.axes.map((_, a) => (a === 0 ? first : second))
          spectrum.peak = spectrum.finder.at(frequency, spectrum.peak.vector, 8)
          if (torusBound(kernel.axes, spectrum).below(sigma * share, 2000)) {
            expect(share).toBeGreaterThanOrEqual(1 - 1e-12)
          }
        })
      }),
      { numRuns: 150 },
    )
  })

  it('bound the symbol by its energy, and tightly for one channel', () => {
    fc.assert(
      fc.property(anyCase({ rank: 2, size: 9, kernel: 4, channels: 2 }), ({ operator, weights }) => {
        scoped(() => {
          for (const part of partsOf(operator)) {
            if (keptAxes(part).length === 0) continue
            const kernel = kernelOf(operator, part, 0, weights)
            if (kernel.slices.every((weight) => weight === 0)) continue
            const spectrum = spectrumOf(kernel, sumOfSliceNorms(kernel))
            const peak = spectrum.finder.provenAt(spectrum.peak)
            expect(energyBounds([kernel])[0]).toBeGreaterThanOrEqual(peak)
            if (spectrum.symbol.order === 1) expect(energyBounds([kernel])[0]).toBeLessThan(1.25 * peak)
          }
        })
      }),
    )
  })

  it('reach the supremum of a separable kernel in three dimensions', () => {
    const profile = [1, 2, 1]
    const weights = Float64Array.from(
      { length: 27 },
      (_, i) => profile[Math.floor(i / 9)] * profile[Math.floor(i / 3) % 3] * profile[i % 3],
    )
    const operator = convolution({
      kernel: [3, 3, 3],
      inputSize: [9, 9, 9],
      padsBegin: [1, 1, 1],
      padsEnd: [1, 1, 1],
    })
    scoped(() => {
      const kernel = kernelOf(operator, partsOf(operator)[0], 0, weights)
      const spectrum = spectrumOf(kernel, sumOfSliceNorms(kernel) * 2)
      const supremum = provenSupremum(spectrum, 2e-6, 20_000)
      expect(supremum).toBeGreaterThanOrEqual(64)
      expect(supremum).toBeLessThan(64 * (1 + 1e-4))
      expect(
        spectrum.prover.below([[halfCircle, wholeCircle, wholeCircle]], {
          target: 63.99,
          supremum: 63.99,
          budget: 20_000,
        }),
      ).toBe(false)
    })
  })
})
