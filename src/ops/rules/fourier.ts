import * as mag from '../../core/magnitude.ts'
import { addUp, mulUp } from '../../core/rounding.ts'
import { sizeOf } from '../../core/tensor.ts'
import { intAttribute } from '../../graph/attribute.ts'
import { type BoundContext, type BoundOperand, type BoundRule, everything } from '../bound.ts'
import { inverseRootOf, rootOf } from './broadcast.ts'
import { elementsOf, scalarOf } from './constant.ts'
import { isFixed, through } from './join.ts'

/**
 * Fourier transforms of length n. F has orthogonal columns of length √n, so that ‖F‖₂ = √n on complex and on real signals,
 * zero-padded or cropped ones, and on the distinct half of the frequencies (attained at constant signals); the inverse
 * (1/n)·Fᴴ has 1/√n. From half of the frequencies to a real signal, each inner one counts for two: √2/√n.
 */

const unknownLength = 'transforms a length that is not known; give --input-shape'

/** The length of the transform: an input, or that of the axis. */
function lengthOf(context: BoundContext, x: BoundOperand): number | null {
  const { node } = context
  const axis = node.version < 20 ? intAttribute(node, 'axis', 1) : scalarOf(context.input(2), -2)
  const given = context.input(1)
  if (given !== null) return scalarOf(given)
  const output = axis === null ? null : (context.output(0)?.shape?.at(axis) ?? null)
  return isOneSided(context) && !isInverse(context)
    ? axis === null
      ? null
      : (x.shape?.at(axis) ?? null)
    : output
}

const isOneSided = (context: BoundContext) => intAttribute(context.node, 'onesided', 0) !== 0
const isInverse = (context: BoundContext) => intAttribute(context.node, 'inverse', 0) !== 0

const transform: BoundRule = (context) => {
  const x = context.input(0)
  if (x === null) return [context.refuse('has no data')]
  if ([1, 2].some((i) => context.input(i) !== null && !isFixed(context.input(i)!)))
    return [context.refuse('transforms a length or an axis that is computed from data')]
  const length = lengthOf(context, x)
  if (length === null || !(length >= 1)) return [context.refuse(unknownLength)]
  const halves = isOneSided(context) && length > 2 ? rootOf(2) : mag.one
  const gain = isInverse(context) ? mag.multiply(halves, inverseRootOf(length)) : rootOf(length)
  return [through(x, gain, everything, mulUp(mag.toNumber(gain), x.norm))]
}

/**
 * Transforms of windows w of n samples at steps of s: |Δy|² = Σ over frames of n·|w·Δx|² = n·Σ_t Δx_t²·Σ_i w²(t − i·s), so that the
 * constant is √n times the largest root of the windows' squares that add up at one sample: exact for all frequencies, at
 * most √2 too large for half of them.
 */
const shortTime: BoundRule = (context) => {
  const [x, step, window, frame] = [0, 1, 2, 3].map((i) => context.input(i))
  if (x === null) return [context.refuse('has no data')]
  if ([step, window, frame].some((operand) => operand !== null && !isFixed(operand)))
    return [context.refuse('has a window or steps that are computed from data')]
  const stride = scalarOf(step)
  const weights = window === null ? null : elementsOf(window)
  const length = frame === null ? (weights?.length ?? null) : scalarOf(frame)
  if (stride === null || length === null || !(stride >= 1) || (window !== null && weights === null))
    return [context.refuse('has a window or steps that are not known')]
  const gain = mag.multiply(
    rootOf(length),
    mag.squareRoot(mag.magnitude(overlappingSquares(weights, length, stride))),
  )
  return [through(x, gain, everything, mulUp(mag.toNumber(gain), x.norm))]
}

/** max_t Σ_i w²(t − i·stride), rounded up. */
function overlappingSquares(weights: ArrayLike<number> | null, length: number, stride: number): number {
  if (weights === null) return Math.ceil(length / stride)
  let most = 0
  for (let start = 0; start < Math.min(stride, weights.length); start++) {
    let sum = 0
    for (let t = start; t < weights.length; t += stride) sum = addUp(sum, mulUp(weights[t], weights[t]))
    most = Math.max(most, sum)
  }
  return most
}

/** ONNX Runtime's Rfft over the last `signal_ndim` axes, not normalised. */
const realTransform: BoundRule = (context) => {
  const x = context.input(0)
  const axes = intAttribute(context.node, 'signal_ndim', 1)
  const dims = x?.shape?.slice(-axes) ?? null
  const length = dims?.reduce<number | null>(
    (product, dim) => (product === null || dim === null ? null : product * dim),
    1,
  )
  if (x === null || length === null || length === undefined) return [context.refuse(unknownLength)]
  if (intAttribute(context.node, 'normalized', 0) !== 0)
    return [context.refuse('is normalised, which ONNX Runtime does not define')]
  return [through(x, rootOf(length), everything)]
}

/**
 * ONNX Runtime's Irfft over the last `signal_ndim` axes before that of real and imaginary parts, divided by the number n of elements that
 * it makes of a signal: 1/√n, times √2 as each frequency but some counts for two. With `onesided` the last axis of m frequencies
 * becomes 2m − 1 elements.
 */
const inverseRealTransform: BoundRule = (context) => {
  const x = context.input(0)
  const axes = intAttribute(context.node, 'signal_ndim', 1)
  const dims = x?.shape?.slice(-axes - 1, -1) ?? []
  const sizes = dims.map((dim, i) =>
    dim !== null && i === axes - 1 && isOneSidedByDefault(context) ? 2 * dim - 1 : dim,
  )
  const length = sizeOf(sizes)
  if (x === null || dims.length !== axes || length === null || !(length >= 1))
    return [context.refuse(unknownLength)]
  if (intAttribute(context.node, 'normalized', 0) !== 0)
    return [context.refuse('is normalised, which ONNX Runtime does not define')]
  return [through(x, mag.multiply(rootOf(2), inverseRootOf(length)), everything)]
}

const isOneSidedByDefault = ({ node }: BoundContext) => intAttribute(node, 'onesided', 1) !== 0

export const fourierRules = {
  DFT: transform,
  STFT: shortTime,
  Rfft: realTransform,
  Irfft: inverseRealTransform,
} satisfies Record<string, BoundRule>
