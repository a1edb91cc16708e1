import fc from 'fast-check'
import { createRandom } from '../../../src/core/random.ts'
import type { ConvolutionOperator } from '../../../src/linalg/linear-operator.ts'
import { singularValues } from '../known-norms.ts'

export interface Case {
  readonly operator: ConvolutionOperator
  readonly weights: Float64Array
}

/** A convolution with the given geometry; outputs follow from the inputs. Unit weights unless given. */
export function convolution(
  geometry: Partial<ConvolutionOperator> & Pick<ConvolutionOperator, 'kernel' | 'inputSize'>,
  weights: Float64Array | null = null,
): ConvolutionOperator {
  const rank = geometry.kernel.length
  const fill = (value: number) => Array.from({ length: rank }, () => value)
  return {
    form: 'convolution',
    inChannels: 1,
    outChannels: 1,
    groups: 1,
    strides: fill(1),
    dilations: fill(1),
    padsBegin: fill(0),
    padsEnd: fill(0),
    outputSize: null,
    factor: 1,
    load: () => weights ?? new Float64Array(0),
    ...geometry,
  }
}

export function outputSize(operator: ConvolutionOperator): number[] {
  if (operator.outputSize !== null) return [...operator.outputSize]
  return operator.kernel.map((taps, a) => {
    const span = (operator.inputSize as number[])[a] + operator.padsBegin[a] + operator.padsEnd[a]
    return Math.max(0, Math.floor((span - operator.dilations[a] * (taps - 1) - 1) / operator.strides[a]) + 1)
  })
}

export function weightCount(operator: ConvolutionOperator): number {
  const taps = operator.kernel.reduce((product, count) => product * count, 1)
  return (operator.outChannels * operator.inChannels * taps) / operator.groups
}

/** The operator by the definition of ONNX Conv, as a dense matrix [output channel, position; input channel, position]. */
export function denseByDefinition({ operator, weights }: Case): {
  rows: number
  columns: number
  data: Float64Array
} {
  const inputs = operator.inputSize as number[]
  const outputs = outputSize(operator)
  const volume = (sizes: readonly number[]) => sizes.reduce((product, size) => product * size, 1)
  const rows = operator.outChannels * volume(outputs)
  const columns = operator.inChannels * volume(inputs)
  const data = new Float64Array(rows * columns)
  const perGroup = operator.inChannels / operator.groups
  const taps = volume(operator.kernel)
  const digits = (index: number, sizes: readonly number[]) => {
    const result = new Array<number>(sizes.length)
    for (let a = sizes.length - 1; a >= 0; a--) {
      result[a] = index % sizes[a]
      index = Math.floor(index / sizes[a])
    }
    return result
  }
  for (let o = 0; o < operator.outChannels; o++) {
    const group = Math.floor((o * operator.groups) / operator.outChannels)
    for (let q = 0; q < volume(outputs); q++) {
      const position = digits(q, outputs)
      for (let t = 0; t < taps; t++) {
        const tap = digits(t, operator.kernel)
        let index = 0
        let inside = true
        for (let a = 0; a < inputs.length; a++) {
          const at =
            operator.strides[a] * position[a] + operator.dilations[a] * tap[a] - operator.padsBegin[a]
          inside &&= at >= 0 && at < inputs[a]
          index = index * inputs[a] + at
        }
        if (!inside) continue
        for (let c = 0; c < perGroup; c++) {
          const column = (group * perGroup + c) * volume(inputs) + index
          data[(o * volume(outputs) + q) * columns + column] += weights[(o * perGroup + c) * taps + t]
        }
      }
    }
  }
  return { rows, columns, data }
}

interface Limits {
  readonly rank: number
  readonly size: number
  readonly kernel: number
  readonly channels: number
}

/** Any geometry: asymmetric pads, even kernels, kernels larger than the input, strides, dilations, groups. */
export function anyCase(limits: Limits): fc.Arbitrary<Case> {
  const axis = fc.record({
    kernel: fc.integer({ min: 1, max: limits.kernel }),
    input: fc.integer({ min: 1, max: limits.size }),
    stride: fc.integer({ min: 1, max: 3 }),
    dilation: fc.integer({ min: 1, max: 3 }),
    begin: fc.integer({ min: 0, max: 3 }),
    end: fc.integer({ min: 0, max: 3 }),
  })
  return fc
    .record({
      axes: fc.array(axis, { minLength: limits.rank, maxLength: limits.rank }),
      groups: fc.integer({ min: 1, max: 3 }),
      outputs: fc.integer({ min: 1, max: limits.channels }),
      inputs: fc.integer({ min: 1, max: limits.channels }),
      seed: fc.integer({ min: 1, max: 1 << 30 }),
      shape: fc.constantFrom('gaussian', 'smooth', 'sparse', 'equal'),
    })
    .map(({ axes, groups, outputs, inputs, seed, shape }) => {
      const operator = convolution({
        kernel: axes.map(({ kernel }) => kernel),
        inputSize: axes.map(({ input }) => input),
        strides: axes.map(({ stride }) => stride),
        dilations: axes.map(({ dilation }) => dilation),
        padsBegin: axes.map(({ begin }) => begin),
        padsEnd: axes.map(({ end }) => end),
        groups,
        outChannels: groups * outputs,
        inChannels: groups * inputs,
      })
      return { operator, weights: weightsOf(weightCount(operator), seed, shape) }
    })
    .filter(({ operator }) => outputSize(operator).every((size) => size > 0))
}

function weightsOf(count: number, seed: number, shape: string): Float64Array {
  const random = createRandom(seed)
  return Float64Array.from({ length: count }, () => {
    if (shape === 'equal') return 1
    if (shape === 'sparse') return random.uniform() < 0.7 ? 0 : random.gaussian()
    return shape === 'smooth' ? 1 + 0.1 * random.gaussian() : random.gaussian()
  })
}

/** The largest singular value of the operator by its definition. */
export function largestSingularValue(subject: Case): number {
  const { rows, columns, data } = denseByDefinition(subject)
  if (columns <= rows) return singularValues(rows, columns, data)[0]
  const transposed = new Float64Array(data.length)
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) transposed[j * rows + i] = data[i * columns + j]
  return singularValues(columns, rows, transposed)[0]
}
