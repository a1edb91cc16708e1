import { addDown, addUp, mulUp } from '../../core/rounding.ts'
import type { FloatArray } from '../../core/tensor.ts'
import { intAttribute } from '../../graph/attribute.ts'
import type { BoundContext, Box, BoxRule, Interval } from '../bound.ts'
import { isIntegerType } from '../fold/element.ts'
import { dequantized } from '../numeric/dequantized.ts'
import { codeRange, type Scales, scaleOf, zeroOf } from '../rules/codes.ts'
import { elementsOf } from '../rules/constant.ts'
import { difference, intersection, interval, product, reciprocal, sum } from '../rules/interval.ts'
import { convolutionLayout } from '../rules/weight-layout.ts'
import { hullOf, lengthOf, mapBox } from './box.ts'
import { mappedBox } from './linear.ts'

/** Boxes of codes q that stand for s·(q − z): rounded to the nearest code, and cut off at the ends of their type. */

interface Coding {
  readonly scale: Scales
  readonly zero: Interval
  readonly codes: Interval
}

function codingOf(context: BoundContext, scale: number, zero: number, codes: Interval): Coding | null {
  const [factor, shift] = [scaleOf(context.input(scale)), zeroOf(context.input(zero))]
  return factor === null || shift === null || !(factor.range.lo > 0)
    ? null
    : { scale: factor, zero: shift, codes }
}

/** To the nearest code; what lies beyond them becomes the last of them. */
function coded(real: Interval, { scale, zero, codes }: Coding): Interval {
  const { lo, hi } = sum(product(real, reciprocal(scale.range)), zero)
  const clamped = (code: number) => Math.min(codes.hi, Math.max(codes.lo, code))
  return interval(clamped(addDown(lo, -0.5)), clamped(addUp(hi, 0.5)))
}

function decoded(own: Interval, { scale, zero, codes }: Coding): Interval {
  return product(difference(intersection(codes, own), zero), scale.range)
}

const typeOf = (context: BoundContext) => codeRange(context.output(0)?.type ?? null)

/** x/s + z, rounded. */
export const quantizedBox: BoxRule = (context, boxOf) => {
  const type = context.output(0)?.type ?? null
  // floating-point codes of few bits are further apart than 1
  if (type === null || !isIntegerType(type)) return [null]
  const [box, coding] = [boxOf(0), codingOf(context, 1, 2, codeRange(type))]
  return [box && coding && mapBox(box, (range) => coded(range, coding))]
}

/** s·(q − z). */
export const dequantizedBox: BoxRule = (context, boxOf) => {
  const coding = codingOf(context, 1, 2, codeRange(context.input(0)?.info.type ?? null))
  const box = boxOf(0)
  return [box && coding && mapBox(box, (own) => decoded(own, coding))]
}

/** QLinearConv: the convolution of the real numbers, and codes of its result. */
export const quantizedConvolutionBox: BoxRule = (context, boxOf) => {
  if (intAttribute(context.node, 'channels_last', 0) !== 0) return [null]
  const [box, weights] = [boxOf(0), context.input(3)]
  const from = codingOf(context, 1, 2, codeRange(context.input(0)?.info.type ?? null))
  const to = codingOf(context, 6, 7, typeOf(context))
  const shape = context.input(0)?.shape ?? null
  const values = realWeights(context, 3)
  if (box === null || weights === null || from === null || to === null || values === null || shape === null)
    return [null]
  const affine = convolutionLayout({ ...context, input: (i) => (i === 1 ? weights : null) })
  const real = mapBox(box, (own) => decoded(own, from))
  const placed = affine && { data: 0, affine, values, inputAxis: 1, outputAxis: 1, keepsOthers: false }
  const image = placed && mappedBox(real, { range: hullOf(real), norm: lengthOf(real, shape) }, placed)
  const bias = biasesOf(context, from.scale, 4, 8, image?.dims[1] ?? 0)
  if (image === null || bias === null) return [null]
  const inner = image.dims.slice(2).reduce((size, dim) => size * dim, 1)
  return [shifted(image, (i) => bias(Math.floor(i / inner) % image.dims[1]), to)]
}

function shifted({ dims, lo, hi }: Box, bias: (i: number) => Interval, to: Coding): Box {
  const ends = Array.from(lo, (least, i) => coded(sum({ lo: least, hi: hi[i] }, bias(i)), to))
  return {
    dims,
    lo: Float64Array.from(ends, (end) => end.lo),
    hi: Float64Array.from(ends, (end) => end.hi),
  }
}

/** The real numbers that constant weights stand for, channels of outputs first. */
export function realWeights(context: BoundContext, at: number): FloatArray | null {
  const { node, fail } = context
  const operand = (i: number) => context.input(i)?.operand ?? null
  const weights = operand(at)
  if (weights === null || !weights.isConstant || weights.constant() === null) return null
  const layer = { node, fail, input: operand, output: (i: number) => context.output(i) }
  return dequantized(layer, weights, { scale: at + 1, zeroPoint: at + 2 }, 0)?.() ?? null
}

/** A bias of integers, in units of the scales of data and weights; null where it is not known. */
function biasesOf(
  context: BoundContext,
  data: Scales,
  weightScale: number,
  at: number,
  count: number,
): ((output: number) => Interval) | null {
  if (context.input(at) === null) return () => interval(0, 0)
  const [bias, scales] = [elementsOf(context.input(at)), elementsOf(context.input(weightScale))]
  if (bias === null || scales === null || bias.length !== count) return null
  if (scales.length !== 1 && scales.length !== count) return null
  return (output) => {
    const scale = scales[scales.length === 1 ? 0 : output]
    const slack = mulUp(2 ** -50, Math.abs(scale * bias[output]))
    const own = scale * bias[output]
    return product(interval(own - slack, own + slack), data.range)
  }
}
