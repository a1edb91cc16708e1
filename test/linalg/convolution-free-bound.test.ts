import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRandom } from '../../src/core/random.ts'
import { encloseConvolution } from '../../src/linalg/convolution.ts'
import { freeConvolutionBound } from '../../src/linalg/convolution-free-bound.ts'
import type { ConvolutionOperator } from '../../src/linalg/linear-operator.ts'

const options = { tolerance: 1e-3, certify: 'deterministic', seed: 1, failureProbability: 1e-10 } as const

function convolution(shape: {
  groups: number
  perGroup: number
  outPerGroup: number
  taps: number
  stride: number
  dilation: number
  pad: number
  size: number | null
}): ConvolutionOperator {
  const { groups, perGroup, outPerGroup, taps, stride, dilation, pad, size } = shape
  const reach = (taps - 1) * dilation + 1
  const output = size === null ? 0 : Math.floor((size + 2 * pad - reach) / stride) + 1
  return {
    form: 'convolution',
    inChannels: groups * perGroup,
    outChannels: groups * outPerGroup,
    groups,
    kernel: [taps, 1],
    strides: [stride, 1],
    dilations: [dilation, 1],
    padsBegin: [pad, 0],
    padsEnd: [pad, 0],
    inputSize: size === null ? null : [size, 2],
    outputSize: size === null ? null : [output, 2],
    factor: -0.5,
    load: () => new Float32Array(0),
  }
}

const small = (max: number) => fc.integer({ min: 1, max })
const shapes = fc.record({
  groups: small(3),
  perGroup: small(3),
  outPerGroup: small(3),
  taps: small(4),
  stride: small(6),
  dilation: small(2),
  pad: fc.integer({ min: 0, max: 2 }),
  size: fc.option(fc.integer({ min: 7, max: 12 })),
})

describe('freeConvolutionBound', () => {
  it('is never below the norm', () => {
    const methods = new Set<string>()
    fc.assert(
      fc.property(shapes, fc.nat(), (shape, seed) => {
        const operator = convolution(shape)
        const random = createRandom(seed)
        const count = operator.outChannels * shape.perGroup * shape.taps
        const weights = Float32Array.from({ length: count }, () => random.gaussian() ** 3)
        const { upper, method } = freeConvolutionBound(operator, weights)
        expect(upper).toBeGreaterThanOrEqual(encloseConvolution(operator, weights, options).lower)
        methods.add(method)
      }),
      { numRuns: 150 },
    )
    expect([...methods].sort()).toEqual(['frobenius', 'holder', 'taps'])
  })

  it('is the norm where a kernel is one weight, and counts every tap of a row of ones', () => {
    const one = {
      groups: 1,
      perGroup: 1,
      outPerGroup: 1,
      taps: 1,
      stride: 1,
      dilation: 1,
      pad: 0,
      size: null,
    }
    expect(freeConvolutionBound(convolution(one), Float32Array.of(6)).upper).toBeCloseTo(3, 12)
    const row = convolution({ ...one, taps: 4 })
    expect(freeConvolutionBound(row, Float32Array.of(1, 1, 1, 1)).upper).toBeCloseTo(2, 12)
  })
})
