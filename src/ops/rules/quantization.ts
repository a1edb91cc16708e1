import * as mag from '../../core/magnitude.ts'
import type { NormName } from '../../core/norm-name.ts'
import { divUp } from '../../core/rounding.ts'
import { type ElementType, isFloatType, sizeOf } from '../../core/tensor.ts'
import * as term from '../../core/term.ts'
import {
  type BoundContext,
  type BoundOperand,
  type BoundRule,
  everything,
  type Interval,
  type TensorBound,
} from '../bound.ts'
import { dequantizedBox, quantizedBox, quantizedConvolutionBox } from '../boxes/quantized.ts'
import { withBoxes } from '../boxes/rule.ts'
import { broadcastCounts, countedIn, unknownCopies } from './broadcast.ts'
import { codeRange, type Scales, scaleOf, zeroOf } from './codes.ts'
import { difference, intersection, product as multiplied } from './interval.ts'
import { addedIn, isFixed, type Part, through } from './join.ts'
import { inEvery, inNorms } from './norms.ts'

/**
 * Rounding to integers is not Lipschitz, but it is within ½ of a map that is: |round(u) − round(v)| ≤ |u − v| + 1
 * for each element, and saturation only brings values closer. For n elements |Δ|₂ ≤ L·d + √n by Minkowski: the
 * bound carries the offset √n besides L; 1 in ℓ∞ and n in ℓ1. Integers are read as the numbers they are; scales must be constant.
 */

export const unknownScale = 'has scales that are computed from data or not known'
const dataZero = 'has zero points that are computed from data'
const resultRange = (context: BoundContext) => codeRange(context.output(0)?.type ?? null)
const unknownSize = 'rounds a number of elements that is not known; give --input-shape'

export function anyVaries(context: BoundContext, inputs: readonly number[]): boolean {
  return inputs.some((i) => {
    const operand = context.input(i)
    return operand !== null && !isFixed(operand)
  })
}

/** Adds the offset of rounding every element of the first output. */
export function rounded(context: BoundContext, bound: TensorBound, norm: NormName): TensorBound {
  if (bound.refusal !== null || isFixed(bound)) return bound
  const size = sizeOf(context.output(0)?.shape ?? [null])
  if (size === null) return context.refuse(unknownSize)
  return { ...bound, offset: term.sum(bound.offset, term.constant(countedIn(norm, size))) }
}

function isInteger(type: ElementType | null | undefined): boolean {
  return type !== null && type !== undefined && !isFloatType(type) && /^u?int/.test(type)
}

/** x/s to the nearest integer. */
const quantize = inEvery((context, norm) => {
  const [x, scale] = [context.input(0), scaleOf(context.input(1))]
  if (x === null) return [context.refuse('has no data')]
  if (!isInteger(context.output(0)?.type))
    return [context.refuse('rounds to floating-point numbers of few bits')]
  if (anyVaries(context, [2])) return [context.refuse(dataZero)]
  if (scale === null || !(scale.least > 0)) return [context.refuse(unknownScale)]
  return [rounded(context, through(x, divUp(1, scale.least), resultRange(context)), norm)]
})

/** s·(q − zero point). */
const dequantize: BoundRule = (context) => {
  const [x, scale] = [context.input(0), scaleOf(context.input(1))]
  const zero = context.input(2)
  if (x === null) return [context.refuse('has no data')]
  if (scale === null || (zero !== null && !isFixed(zero))) return [context.refuse(unknownScale)]
  return [through(x, scale.largest, dequantizedImage(x, scale, zeroOf(zero)))]
}

/** s·(q − z) for codes q within the range of their type, and all scales. */
export function dequantizedImage(x: BoundOperand, scale: Scales, zero: Interval | null): Interval {
  if (zero === null) return everything
  return multiplied(difference(intersection(codeRange(x.info.type), x.range), zero), scale.range)
}

/** Inputs of an operator on quantised tensors: each operand with its scale, and the scale of the result. */
interface QuantizedProduct {
  readonly operands: readonly { readonly at: number; readonly scale: number }[]
  /** Where the result's scale stands; where it may be omitted, the result is then not rounded. */
  readonly resultScale: number
  readonly optionalResult?: boolean
}

/** W·(s_x·(q − z))/s_y, rounded: the layer's norm is that of the weights' real values. */
function product({ operands, resultScale, optionalResult }: QuantizedProduct): BoundRule {
  return inEvery((context, by) => {
    const norm = context.layerNorm()
    const varying = operands.filter(({ at }) => {
      const operand = context.input(at)
      return operand !== null && !isFixed(operand)
    })
    const others = Array.from({ length: context.inputCount }, (_, i) => i).filter(
      (i) => !varying.some(({ at }) => at === i) && context.input(i) !== null && !isFixed(context.input(i)!),
    )
    if (varying.length !== 1 || others.length > 0 || norm === null) {
      return [context.refuse('multiplies by weights, scales or biases that are computed from data')]
    }
    const [{ at, scale }] = varying
    const own = scaleOf(context.input(scale))
    const isRounded = !(optionalResult === true && context.input(resultScale) === null)
    const result = isRounded ? scaleOf(context.input(resultScale)) : { largest: 1, least: 1 }
    if (own === null || result === null || !(result.least > 0)) return [context.refuse(unknownScale)]
    const gain = term.scale(norm, mag.magnitude(divUp(own.largest, result.least)))
    const linear = through(context.input(at)!, gain, isRounded ? resultRange(context) : everything)
    return [isRounded ? rounded(context, linear, by) : linear]
  })
}

/** Integer products with the layer's norm; zero points must not vary. */
const integerProduct: BoundRule = (context) => {
  const [a, b] = [context.input(0), context.input(1)]
  const zeros = [context.input(2), context.input(3)]
  const norm = context.layerNorm()
  const data = a !== null && !isFixed(a) ? a : b
  const varies = (operand: BoundOperand | null) => operand !== null && !isFixed(operand)
  if (data === null || norm === null || zeros.some(varies) || (varies(a) && varies(b))) {
    return [context.refuse('multiplies by weights or zero points that are computed from data')]
  }
  return [through(data, norm, everything)]
}

/** A + B on quantised tensors: s_a/s_y and s_b/s_y, rounded. */
const quantizedAdd = inEvery((context, norm) => {
  const operands = [context.input(0), context.input(3)].filter((operand) => operand !== null)
  const scales = [scaleOf(context.input(1)), scaleOf(context.input(4))]
  const result = scaleOf(context.input(6))
  const counts = broadcastCounts(context, operands)
  if (anyVaries(context, [2, 5, 7])) return [context.refuse(dataZero)]
  if (operands.length !== 2 || result === null || !(result.least > 0)) return [context.refuse(unknownScale)]
  const parts: Part[] = []
  for (const [i, bound] of operands.entries()) {
    const [scale, count] = [scales[i], counts[i]]
    if (isFixed(bound)) continue
    if (scale === null) return [context.refuse(unknownScale)]
    if (count === null) return [context.refuse(unknownCopies)]
    parts.push({
      bound,
      gain: mag.multiply(countedIn(norm, count), mag.magnitude(divUp(scale.largest, result.least))),
    })
  }
  return [rounded(context, addedIn(norm, parts, resultRange(context)), norm)]
})

export const quantizationRules = {
  QuantizeLinear: withBoxes(quantize, quantizedBox),
  DequantizeLinear: withBoxes(inNorms(dequantize, 'same'), dequantizedBox),
  DynamicQuantizeLinear: inEvery((context) =>
    context.node.outputs.map(() =>
      context.refuse('scales by the range of its data; products behind it have a bound with --input-range'),
    ),
  ),
  QLinearConv: withBoxes(
    product({ operands: [{ at: 0, scale: 1 }], resultScale: 6 }),
    quantizedConvolutionBox,
  ),
  QLinearMatMul: product({
    operands: [
      { at: 0, scale: 1 },
      { at: 3, scale: 4 },
    ],
    resultScale: 6,
  }),
  QGemm: product({ operands: [{ at: 0, scale: 1 }], resultScale: 7, optionalResult: true }),
  QLinearAdd: quantizedAdd,
  IntegerProduct: inNorms(integerProduct, 'same'),
} satisfies Record<string, BoundRule>
