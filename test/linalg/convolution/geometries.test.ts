import { describe, expect, it } from 'vitest'
import { relativeWidth } from '../../../src/core/enclosure.ts'
import { createRandom, gaussianVector } from '../../../src/core/random.ts'
import { encloseConvolution } from '../../../src/linalg/convolution.ts'
import type { ConvolutionOperator } from '../../../src/linalg/linear-operator.ts'
import { convolution, outputSize, weightCount } from './cases.ts'

/** The pairs (output, input, weight) that a convolution joins, one group's channels at a time, by definition. */
function pairsOf(operator: ConvolutionOperator, weights: Float64Array) {
  const sizes = operator.inputSize as number[]
  const outs = outputSize(operator)
  const volume = (extents: readonly number[]) => extents.reduce((product, extent) => product * extent, 1)
  const places = (extents: readonly number[]) => {
    let found: number[][] = [[]]
    for (const extent of extents)
      found = found.flatMap((head) => Array.from({ length: extent }, (_, i) => [...head, i]))
    return found
  }
  const perGroup = operator.inChannels / operator.groups
  const taps = places(operator.kernel)
  const rows: number[] = []
  const columns: number[] = []
  const values: number[] = []
  places(outs).forEach((position, q) => {
    taps.forEach((tap, t) => {
      const at = position.map(
        (x, a) => operator.strides[a] * x + operator.dilations[a] * tap[a] - operator.padsBegin[a],
      )
      if (at.some((x, a) => x < 0 || x >= sizes[a])) return
      const index = at.reduce((sum, x, a) => sum * sizes[a] + x, 0)
      for (let o = 0; o < operator.outChannels; o++) {
        const group = Math.floor((o * operator.groups) / operator.outChannels)
        for (let c = 0; c < perGroup; c++) {
          rows.push(o * volume(outs) + q)
          columns.push((group * perGroup + c) * volume(sizes) + index)
          values.push(weights[(o * perGroup + c) * taps.length + t])
        }
      }
    })
  })
  return {
    rows: Int32Array.from(rows),
    columns: Int32Array.from(columns),
    values: Float64Array.from(values),
    height: operator.outChannels * volume(outs),
    width: operator.inChannels * volume(sizes),
  }
}

/** ‖Tx‖/‖x‖ after many power steps: at most the norm, and near it. */
function powerEstimate(operator: ConvolutionOperator, weights: Float64Array, steps: number): number {
  const { rows, columns, values, height, width } = pairsOf(operator, weights)
  let x = gaussianVector(width, createRandom(11))
  let norm = 0
  for (let step = 0; step < steps; step++) {
    const y = new Float64Array(height)
    for (let k = 0; k < values.length; k++) y[rows[k]] += values[k] * x[columns[k]]
    const image = Math.hypot(...y)
    norm = image / Math.hypot(...x)
    const z = new Float64Array(width)
    for (let k = 0; k < values.length; k++) z[columns[k]] += (values[k] * y[rows[k]]) / image
    x = z
  }
  return norm
}

const options = { tolerance: 1e-3, certify: 'probabilistic', seed: 3, failureProbability: 1e-11 } as const

const geometries: Record<string, Parameters<typeof convolution>[0]> = {
  'a filter of 512 taps': { kernel: [512], inputSize: [700], padsBegin: [256], padsEnd: [255] },
  'filters of 128 taps with stride 16': { kernel: [128], inputSize: [800], strides: [16], outChannels: 6 },
  'two taps a long way apart': {
    kernel: [2],
    inputSize: [900],
    dilations: [128],
    padsBegin: [128],
    inChannels: 4,
    outChannels: 4,
  },
  'a dilation of 12 on an image': {
    kernel: [3, 3],
    inputSize: [33, 33],
    dilations: [12, 12],
    padsBegin: [12, 12],
    padsEnd: [12, 12],
    inChannels: 3,
    outChannels: 2,
  },
  depthwise: {
    kernel: [3, 3],
    inputSize: [14, 14],
    padsBegin: [1, 1],
    padsEnd: [1, 1],
    groups: 24,
    inChannels: 24,
    outChannels: 24,
  },
  'depthwise with stride 2 and pads behind only': {
    kernel: [3, 3],
    inputSize: [20, 20],
    strides: [2, 2],
    padsEnd: [1, 1],
    groups: 8,
    inChannels: 8,
    outChannels: 8,
  },
  'asymmetric pads': {
    kernel: [4, 3],
    inputSize: [15, 17],
    padsBegin: [3, 0],
    padsEnd: [0, 2],
    inChannels: 5,
    outChannels: 6,
  },
  'a transposed convolution': {
    kernel: [4, 4],
    inputSize: [16, 16],
    strides: [2, 2],
    padsBegin: [1, 1],
    padsEnd: [1, 1],
    inChannels: 4,
    outChannels: 12,
  },
  'three axes': {
    kernel: [3, 3, 3],
    inputSize: [7, 8, 9],
    padsBegin: [1, 1, 1],
    padsEnd: [1, 1, 1],
    inChannels: 3,
    outChannels: 4,
  },
  'three axes with stride 2': {
    kernel: [3, 3, 3],
    inputSize: [8, 9, 10],
    strides: [2, 2, 2],
    padsBegin: [1, 1, 1],
    padsEnd: [1, 1, 1],
    inChannels: 4,
    outChannels: 4,
  },
}

describe('unusual geometries', () => {
  for (const [name, geometry] of Object.entries(geometries)) {
    it(`${name}: within the tolerance of what many power steps find`, () => {
      const operator = convolution(geometry)
      const random = createRandom(5)
      const weights = gaussianVector(weightCount(operator), random).map(
        (value, i) => value + (i % 3 === 1 ? 0.5 : 0),
      )
      const found = encloseConvolution(operator, weights, options)
      expect(relativeWidth(found)).toBeLessThanOrEqual(options.tolerance)
      const estimate = powerEstimate(operator, weights, 60)
      expect(found.upper).toBeGreaterThanOrEqual(estimate * (1 - 1e-12))
      expect(found.lower).toBeLessThanOrEqual(found.upper)
      expect(estimate).toBeGreaterThanOrEqual(found.lower * 0.97)
    })
  }
})
