import { describe, expect, it } from 'vitest'
import { createRandom, gaussianVector } from '../../../src/core/random.ts'
import { keptAxes, kernelOf, matrixOf, partsOf } from '../../../src/linalg/convolution/kernel.ts'
import { leastPoints } from '../../../src/linalg/convolution/torus.ts'
import { convolution, weightCount } from './cases.ts'

describe('the parts of a convolution', () => {
  it('are the stored matrix for 1×1 kernels and patch embeddings, without a copy', () => {
    const pointwise = convolution({
      kernel: [1, 1],
      inputSize: [7, 7],
      strides: [2, 2],
      inChannels: 3,
      outChannels: 4,
    })
    const patches = convolution({
      kernel: [4, 4],
      inputSize: [16, 16],
      strides: [4, 4],
      inChannels: 3,
      outChannels: 4,
    })
    for (const operator of [pointwise, patches]) {
      const weights = gaussianVector(weightCount(operator), createRandom(1))
      const [part, ...others] = partsOf(operator)
      expect(others).toEqual([])
      const matrix = matrixOf(operator, part, 0, weights)
      expect(matrix.rows).toBe(4)
      expect(matrix.columns).toBe(weights.length / 4)
      expect(matrix.data.buffer).toBe(weights.buffer)
    }
  })

  it('are one copy of many for a dilated kernel', () => {
    const dilated = convolution({
      kernel: [3],
      inputSize: [20],
      dilations: [4],
      padsBegin: [4],
      padsEnd: [4],
    })
    const parts = partsOf(dilated)
    expect(parts).toHaveLength(1)
    expect(keptAxes(parts[0])).toEqual([{ taps: 3, firstTap: 0, stride: 1, pad: 1, inputs: 5, outputs: 5 }])
  })

  it('take axes of one output into the input channels and axes of one input into the outputs', () => {
    const closing = convolution({ kernel: [5, 3], inputSize: [5, 8], inChannels: 2, outChannels: 3 })
    const kernel = kernelOf(closing, partsOf(closing)[0], 0, new Float64Array(weightCount(closing)))
    expect([kernel.outputs, kernel.inputs, kernel.axes.length]).toEqual([3, 10, 1])
    const opening = convolution({
      kernel: [3, 3],
      inputSize: [1, 8],
      inChannels: 2,
      outChannels: 3,
      padsBegin: [2, 1],
      padsEnd: [2, 1],
    })
    const opened = kernelOf(opening, partsOf(opening)[0], 0, new Float64Array(weightCount(opening)))
    expect([opened.outputs, opened.inputs, opened.axes.length]).toEqual([9, 2, 1])
  })

  it('leave out taps that never meet data', () => {
    const narrow = convolution({ kernel: [9], inputSize: [2], padsBegin: [4], padsEnd: [4] })
    const [axis] = keptAxes(partsOf(narrow)[0])
    expect(axis).toEqual({ taps: 3, firstTap: 3, stride: 1, pad: 1, inputs: 2, outputs: 2 })
  })

  it('close to a circle that is as small as the borders allow', () => {
    const axis = { taps: 3, firstTap: 0, stride: 1, inputs: 10, outputs: 10, pad: 1 }
    expect(leastPoints(axis)).toBe(11)
    expect(leastPoints({ ...axis, pad: 0, outputs: 8 })).toBe(10)
    expect(leastPoints({ ...axis, pad: 2, outputs: 12 })).toBe(12)
    expect(leastPoints({ ...axis, stride: 2, outputs: 5 })).toBe(6)
  })
})
