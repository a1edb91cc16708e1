import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Enclosure, relativeWidth } from '../../../src/core/enclosure.ts'
import { createRandom } from '../../../src/core/random.ts'
import { scoped } from '../../../src/linalg/arena.ts'
import { encloseFinite, planFinite } from '../../../src/linalg/convolution/finite.ts'
import {
  type Kernel,
  keptAxes,
  kernelOf,
  partsOf,
  sumOfSliceNorms,
} from '../../../src/linalg/convolution/kernel.ts'
import { spectrumOf } from '../../../src/linalg/convolution/spectrum.ts'
import { encloseBySymbol } from '../../../src/linalg/convolution/symbolic.ts'
import { encloseConvolution, frobeniusOfConvolution } from '../../../src/linalg/convolution.ts'
import type { ConvolutionOperator } from '../../../src/linalg/linear-operator.ts'
import {
  anyCase,
  type Case,
  convolution,
  denseByDefinition,
  largestSingularValue,
  weightCount,
} from './cases.ts'

const options = { tolerance: 1e-3, certify: 'probabilistic', seed: 7, failureProbability: 1e-10 } as const

function expectToHold(enclosure: Enclosure, sigma: number): void {
  expect(enclosure.lower).toBeLessThanOrEqual(sigma * (1 + 1e-13))
  expect(enclosure.upper).toBeGreaterThanOrEqual(sigma * (1 - 1e-13))
}

/** Every part of every group by one way, whatever the product itself would choose; none for parts without an axis. */
function eachKernel(subject: Case, way: (kernel: Kernel) => Enclosure): Enclosure[] {
  const { operator, weights } = subject
  return partsOf(operator)
    .filter((part) => keptAxes(part).length > 0)
    .flatMap((part) =>
      Array.from({ length: operator.groups }, (_, group) =>
        scoped(() => {
          const kernel = kernelOf(operator, part, group, weights)
          return kernel.slices.every((weight) => weight === 0) ? [] : [way(kernel)]
        }),
      ).flat(),
    )
}

const oneAxis = anyCase({ rank: 1, size: 24, kernel: 7, channels: 3 })
const twoAxes = anyCase({ rank: 2, size: 7, kernel: 4, channels: 2 })
const threeAxes = anyCase({ rank: 3, size: 4, kernel: 3, channels: 2 })
const anyAxes = fc.oneof(oneAxis, twoAxes, threeAxes)

describe('the norm of a convolution', () => {
  it('is enclosed within the tolerance for every geometry', () => {
    fc.assert(
      fc.property(anyAxes, (subject) => {
        const enclosure = encloseConvolution(subject.operator, subject.weights, options)
        expectToHold(enclosure, largestSingularValue(subject))
        expect(relativeWidth(enclosure)).toBeLessThanOrEqual(options.tolerance)
      }),
      { numRuns: 100 },
    )
  })

  it('lies between windowed plane waves and twisted tori', () => {
    fc.assert(
      fc.property(anyAxes, fc.constantFrom(1e-3, 0.03, 0.3), (subject, tolerance) => {
        const found = eachKernel(subject, (kernel) =>
          encloseBySymbol(kernel, spectrumOf(kernel, sumOfSliceNorms(kernel)), tolerance),
        )
        if (found.length === 0) return
        const sigma = largestSingularValue(subject)
        expect(Math.max(...found.map(({ lower }) => lower))).toBeLessThanOrEqual(sigma * (1 + 1e-13))
        expect(Math.max(...found.map(({ upper }) => upper))).toBeGreaterThanOrEqual(sigma * (1 - 1e-13))
      }),
      { numRuns: 100 },
    )
  })

  it('is what Lanczos on the finite operator finds', () => {
    fc.assert(
      fc.property(anyAxes, (subject) => {
        const found = eachKernel(subject, (kernel) => encloseFinite(planFinite(kernel), options, 0))
        if (found.length === 0) return
        const sigma = largestSingularValue(subject)
        expect(Math.max(...found.map(({ lower }) => lower))).toBeLessThanOrEqual(sigma * (1 + 1e-13))
        expect(Math.max(...found.map(({ upper }) => upper))).toBeGreaterThanOrEqual(sigma * (1 - 1e-13))
        expect(Math.max(...found.map(({ lower }) => lower))).toBeGreaterThanOrEqual(sigma * 0.998)
      }),
      { numRuns: 80 },
    )
  })

  it('grows with the input towards the supremum that stands for unknown sizes', () => {
    fc.assert(
      fc.property(fc.oneof(oneAxis, twoAxes), (subject) => {
        const { operator, weights } = subject
        const unknown = { ...operator, inputSize: null, outputSize: null }
        const supremum = encloseConvolution(unknown, weights, options)
        expect(supremum.certificate).toBe('deterministic')
        expect(relativeWidth(supremum)).toBeLessThanOrEqual(options.tolerance)
        expect(supremum.upper).toBeGreaterThanOrEqual(largestSingularValue(subject) * (1 - 1e-13))
        const large = {
          ...operator,
          inputSize: operator.kernel.map(() => (operator.kernel.length === 1 ? 600 : 90)),
        }
        const reached = encloseConvolution(large, weights, options)
        expect(reached.lower).toBeLessThanOrEqual(supremum.upper)
        expect(reached.upper).toBeGreaterThanOrEqual(supremum.lower * 0.97)
      }),
      { numRuns: 40 },
    )
  })

  it('meets the tolerance where the symbol is flat and has no peak', () => {
    const weights = Float64Array.from([0, 0, -0.62, 0, -0.87, 0, 0, 0, 0])
    for (const strides of [
      [1, 2],
      [2, 1],
      [2, 2],
    ]) {
      const operator: ConvolutionOperator = {
        form: 'convolution',
        inChannels: 1,
        outChannels: 1,
        groups: 1,
        kernel: [3, 3],
        strides,
        dilations: [1, 1],
        padsBegin: [1, 1],
        padsEnd: [1, 1],
        inputSize: null,
        outputSize: null,
        factor: 1,
        load: () => weights,
      }
      const { lower, upper } = encloseConvolution(operator, weights, options)
      expect(lower).toBeLessThanOrEqual(Math.hypot(0.62, 0.87) * (1 + 1e-14))
      expect(upper).toBeGreaterThanOrEqual(Math.hypot(0.62, 0.87))
      expect((upper - lower) / upper).toBeLessThanOrEqual(options.tolerance)
    }
  })

  it('has its Frobenius norm by counting taps', () => {
    fc.assert(
      fc.property(anyAxes, (subject) => {
        const { data } = denseByDefinition(subject)
        const expected = Math.sqrt(data.reduce((sum, value) => sum + value * value, 0))
        expect(frobeniusOfConvolution(subject.operator, subject.weights)).toBeCloseTo(expected, 9)
      }),
    )
  })

  it('scales with the weights and the factor, however small or large', () => {
    const random = createRandom(3)
    const weights = Float64Array.from({ length: 4 * 3 * 9 }, () => random.gaussian())
    const operator = convolution({
      kernel: [3, 3],
      inputSize: [5, 6],
      inChannels: 3,
      outChannels: 4,
      padsBegin: [1, 1],
      padsEnd: [1, 1],
    })
    const sigma = largestSingularValue({ operator, weights })
    for (const scale of [1e-300, 1e-30, 1, 1e30, 1e300]) {
      const scaled = weights.map((weight) => weight * scale)
      const enclosure = encloseConvolution({ ...operator, factor: -2 }, scaled, options)
      expectToHold(enclosure, 2 * scale * sigma)
      expect(relativeWidth(enclosure)).toBeLessThanOrEqual(options.tolerance)
    }
  })

  it('is found where the symbol vanishes at whole frequencies', () => {
    for (const [channels, taps] of [
      [2, 2],
      [4, 3],
      [3, 4],
    ]) {
      const operator = convolution({
        kernel: [taps, taps],
        inputSize: null,
        inChannels: channels,
        outChannels: channels,
      })
      const sums = encloseConvolution(operator, new Float64Array(weightCount(operator)).fill(1), options)
      expectToHold(sums, channels * taps * taps)
      expect(relativeWidth(sums)).toBeLessThanOrEqual(options.tolerance)
    }
  })

  it('is zero, exactly, without weights and where no tap meets data', () => {
    const operator = convolution({ kernel: [3], inputSize: [4], padsBegin: [1], padsEnd: [1] })
    const zero = { lower: 0, upper: 0, certificate: 'deterministic' }
    expect(encloseConvolution(operator, new Float64Array(3), options)).toMatchObject(zero)
    const far = convolution({ kernel: [1], inputSize: [2], strides: [8], padsBegin: [5], padsEnd: [3] })
    expect(encloseConvolution(far, Float64Array.of(1), options)).toMatchObject(zero)
  })
})

describe('the deterministic certificate', () => {
  it('needs no probability and holds, within the tolerance wherever a matrix can be formed', () => {
    fc.assert(
      fc.property(anyAxes, (subject) => {
        const enclosure = encloseConvolution(subject.operator, subject.weights, {
          ...options,
          certify: 'deterministic',
        })
        expectToHold(enclosure, largestSingularValue(subject))
        expect(enclosure.certificate).toBe('deterministic')
        expect(enclosure.failureProbability).toBe(0)
        expect(relativeWidth(enclosure)).toBeLessThanOrEqual(options.tolerance)
      }),
      { numRuns: 60 },
    )
  })

  it('is wide rather than wrong for operators that are too large', () => {
    const random = createRandom(11)
    const operator = convolution({
      kernel: [3, 3],
      inputSize: [13, 13],
      inChannels: 32,
      outChannels: 32,
      padsBegin: [1, 1],
      padsEnd: [1, 1],
    })
    const weights = Float64Array.from({ length: weightCount(operator) }, () => random.gaussian())
    const proven = encloseConvolution(operator, weights, { ...options, certify: 'deterministic' })
    const likely = encloseConvolution(operator, weights, { ...options, tolerance: 1e-6 })
    expect(proven.certificate).toBe('deterministic')
    expect(proven.lower).toBeLessThanOrEqual(likely.upper)
    expect(proven.upper).toBeGreaterThanOrEqual(likely.lower)
    expect(relativeWidth(proven)).toBeLessThan(0.03)
  })
})
