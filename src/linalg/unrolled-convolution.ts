import type { FloatArray } from '../core/tensor.ts'
import { allocateFloats, floatsAt } from './arena.ts'
import { kernels } from './kernels.ts'
import type { ConvolutionOperator } from './linear-operator.ts'

/** A finite convolution as products of matrices; vectors are [channel, ...position]. */
export interface UnrolledConvolution {
  readonly inputs: number
  readonly outputs: number
  apply(x: Float64Array): Float64Array
  applyAdjoint(y: Float64Array): Float64Array
}

/** Elements of the unrolled input that are ever written down. */
const LIMIT = 2 ** 24

/**
 * Places a convolution of known sizes in the arena, where it stays valid until the enclosing `scoped` call returns: y is
 * K, out channels × (in channels · taps), times the input unrolled to (in channels · taps) × positions. Null where sizes
 * are not known, or groups are too narrow for products of matrices to pay. An element of the result is a sum of at most
 * in channels · taps products (of the adjoint: out channels · taps), in some order.
 */
export function unrolledConvolution(
  operator: ConvolutionOperator,
  weights: FloatArray,
): UnrolledConvolution | null {
  const { inChannels, outChannels, groups, kernel, inputSize, outputSize, factor } = operator
  if (inputSize === null || outputSize === null || outChannels / groups < 4) return null
  const product = (sizes: readonly number[]) => sizes.reduce((total, size) => total * size, 1)
  const [taps, area, positions] = [product(kernel), product(inputSize), product(outputSize)]
  const [own, made] = [inChannels / groups, outChannels / groups]
  const depth = own * taps
  if (depth * positions > LIMIT || positions === 0 || area === 0) return null
  const places = placesOf(operator, inputSize, outputSize)
  const filter = allocateFloats(outChannels * depth)
  const copy = floatsAt(filter, outChannels * depth)
  for (let i = 0; i < copy.length; i++) copy[i] = factor * weights[i]
  const unrolled = allocateFloats(depth * positions)
  const image = allocateFloats(made * positions)
  const packed = allocateFloats((Math.max(made, depth) + positions + 6) * 256)
  // one more element a channel, for what lies outside
  const row = new Float64Array(area + 1)

  return {
    inputs: inChannels * area,
    outputs: outChannels * positions,
    apply: (x) => {
      const y = new Float64Array(outChannels * positions)
      for (let group = 0; group < groups; group++) {
        const columns = floatsAt(unrolled, depth * positions)
        row[area] = 0
        for (let c = 0, to = 0; c < own; c++) {
          const from = (group * own + c) * area
          row.set(x.subarray(from, from + area))
          for (let i = 0; i < places.length; i++) columns[to++] = row[places[i]]
        }
        floatsAt(image, made * positions).fill(0)
        const own8 = filter + group * made * depth * 8
        kernels().product(
          own8,
          depth,
          1,
          unrolled,
          positions,
          1,
          made,
          positions,
          depth,
          image,
          positions,
          packed,
          1,
        )
        y.set(floatsAt(image, made * positions), group * made * positions)
      }
      return y
    },
    applyAdjoint: (y) => {
      const x = new Float64Array(inChannels * area)
      for (let group = 0; group < groups; group++) {
        const part = y.subarray(group * made * positions, (group + 1) * made * positions)
        floatsAt(image, made * positions).set(part)
        floatsAt(unrolled, depth * positions).fill(0)
        const own8 = filter + group * made * depth * 8
        kernels().product(
          own8,
          1,
          depth,
          image,
          positions,
          1,
          depth,
          positions,
          made,
          unrolled,
          positions,
          packed,
          1,
        )
        const columns = floatsAt(unrolled, depth * positions)
        for (let c = 0, from = 0; c < own; c++) {
          row.fill(0)
          for (let i = 0; i < places.length; i++) row[places[i]] += columns[from++]
          x.set(row.subarray(0, area), (group * own + c) * area)
        }
      }
      return x
    },
  }
}

/** For each tap and output position the input's position, or one behind the last where it is outside. */
function placesOf(
  { kernel, strides, dilations, padsBegin }: ConvolutionOperator,
  inputSize: readonly number[],
  outputSize: readonly number[],
): Int32Array {
  const area = inputSize.reduce((total, size) => total * size, 1)
  let places = Int32Array.of(0)
  let counts = [1, 1]
  for (const [axis, extent] of inputSize.entries()) {
    const [taps, outputs] = counts
    const [kernelSize, outputCount] = [kernel[axis], outputSize[axis]]
    const next = new Int32Array(taps * kernelSize * outputs * outputCount)
    let at = 0
    for (let tap = 0; tap < taps; tap++) {
      for (let k = 0; k < kernelSize; k++) {
        for (let o = 0; o < outputs; o++) {
          const base = places[tap * outputs + o]
          for (let q = 0; q < outputCount; q++) {
            const i = q * strides[axis] - padsBegin[axis] + k * dilations[axis]
            next[at++] = base < 0 || i < 0 || i >= extent ? -1 : base * extent + i
          }
        }
      }
    }
    places = next
    counts = [taps * kernelSize, outputs * outputCount]
  }
  for (let i = 0; i < places.length; i++) if (places[i] < 0) places[i] = area
  return places
}
