import * as mag from '../../core/magnitude.ts'
import type { NormName } from '../../core/norm-name.ts'
import { divUp, mulUp } from '../../core/rounding.ts'
import { sizeOf } from '../../core/tensor.ts'
import { floatAttribute, intAttribute } from '../../graph/attribute.ts'
import { type BoundContext, type BoundOperand, type BoundRule, everything, type Interval } from '../bound.ts'
import { broadcastCounts, countedIn, growth, inverseRootOf, unknownCopies } from './broadcast.ts'
import { codeRange, scaleOf, zeroOf } from './codes.ts'
import { dynamicSource, roundedDynamically } from './dynamic.ts'
import { difference, farthest, product } from './interval.ts'
import { addedIn, isFixed, type Part, stackedIn, through } from './join.ts'
import { inEvery } from './norms.ts'
import { windowedAverageGain } from './pooling.ts'
import { anyVaries, rounded, unknownScale } from './quantization.ts'

/**
 * ONNX Runtime's operators on quantised tensors: q stands for s·(q − z). Each is the operator on these real numbers,
 * divided by the scale of the result and rounded: |Δq_y| ≤ (s_x/s_y)·L·|Δq_x| + √n for n elements. Scales and zero
 * points must be constant; integers lie in the range of their type, so that products have bounds by themselves.
 */

/** An operand with the inputs that hold its scale and zero point. */
interface Quantized {
  readonly operand: BoundOperand
  /** The largest of its scales. */
  readonly scale: number
  /** Where the real numbers lie that it stands for. */
  readonly real: Interval
}

function quantizedAt(context: BoundContext, at: number, scale = at + 1, zero = at + 2): Quantized | null {
  const operand = context.input(at)
  const factor = scaleOf(context.input(scale))
  const shift = zeroOf(context.input(zero))
  if (operand === null || factor === null || shift === null) return null
  const codes = codeRange(operand.info.type)
  return { operand, scale: factor.largest, real: product(difference(codes, shift), factor.range) }
}

/** 1/s_y, rounded up; null where the scale of the result is not known. */
function resultFactor(context: BoundContext, at: number): number | null {
  const result = scaleOf(context.input(at))
  return result === null || !(result.least > 0) ? null : divUp(1, result.least)
}

const dataZero = 'has scales or zero points that are computed from data or not known'

/** One operand, its scale and zero point at inputs 0 to 2, those of the result at 3 and 4. */
function unary(
  gainOf: (context: BoundContext, x: BoundOperand, norm: NormName) => number | mag.Magnitude | null,
  without: string,
): BoundRule {
  return inEvery((context, norm) => {
    const [x, factor] = [quantizedAt(context, 0), resultFactor(context, 3)]
    if (x === null || factor === null || anyVaries(context, [1, 2, 3, 4])) return [context.refuse(dataZero)]
    const gain = gainOf(context, x.operand, norm)
    if (gain === null) return [context.refuse(without)]
    const own = typeof gain === 'number' ? mag.magnitude(gain) : gain
    const linear = through(x.operand, mag.multiply(own, ratio(x.scale, factor)), codesOf(context))
    return [rounded(context, linear, norm)]
  })
}

const ratio = (scale: number, factor: number) => mag.magnitude(mulUp(scale, factor))
const codesOf = (context: BoundContext) => codeRange(context.output(0)?.type ?? null)

/** a·b on the real numbers: |Δ(ab)| ≤ sup|b|·|Δa| + sup|a|·|Δb|, with the types' ranges as suprema. */
function bilinear(second: number, result: number | null): BoundRule {
  return inEvery((context, norm) => {
    const factors =
      result === null
        ? [plainAt(context, 0), plainAt(context, second)]
        : [0, second].map((i) => quantizedAt(context, i))
    const [a, b] = factors
    const factor = result === null ? 1 : resultFactor(context, result)
    const others = Array.from({ length: context.inputCount }, (_, i) => i).filter(
      (i) => i !== 0 && i !== second,
    )
    if (!a || !b || factor === null || anyVaries(context, others)) return [context.refuse(dataZero)]
    const counts = broadcastCounts(context, [a.operand, b.operand])
    const parts: Part[] = []
    for (const [i, [own, other]] of [
      [a, b],
      [b, a],
    ].entries()) {
      const count = counts[i]
      if (isFixed(own.operand)) continue
      if (count === null) return [context.refuse(unknownCopies)]
      const sensitivity = mulUp(mulUp(own.scale, farthest(other.real)), factor)
      parts.push({
        bound: own.operand,
        gain: mag.multiply(countedIn(norm, count), mag.magnitude(sensitivity)),
      })
    }
    const exact = addedIn(norm, parts, result === null ? product(a.real, b.real) : codesOf(context))
    return [result === null ? exact : rounded(context, exact, norm)]
  })
}

/** Integers less their zero point, without a scale. */
function plainAt(context: BoundContext, at: number): Quantized | null {
  const [operand, shift] = [context.input(at), zeroOf(context.input(at + 1))]
  if (operand === null || shift === null) return null
  return { operand, scale: 1, real: difference(codeRange(operand.info.type), shift) }
}

/** Operands side by side, from input `first` on in triples with scale and zero point. */
const concatenation = inEvery((context, norm) => {
  const factor = resultFactor(context, 0)
  const parts: Part[] = []
  for (let at = 2; at < context.inputCount; at += 3) {
    const x = quantizedAt(context, at)
    if (x === null || factor === null || anyVaries(context, [0, 1, at + 1, at + 2]))
      return [context.refuse(dataZero)]
    parts.push({ bound: x.operand, gain: ratio(x.scale, factor) })
  }
  return [rounded(context, stackedIn(norm, parts, codesOf(context)), norm)]
})

/** Each element from one of two operands, by a condition that does not vary. */
const choice = inEvery((context, norm) => {
  const condition = context.input(0)
  if (condition === null || !isFixed(condition))
    return [context.refuse('switches on a condition that is computed from data')]
  const operands = [quantizedAt(context, 1), quantizedAt(context, 4)]
  const factor = resultFactor(context, 7)
  const [x, y] = operands
  if (!x || !y || factor === null || anyVaries(context, [2, 3, 5, 6, 7, 8])) return [context.refuse(dataZero)]
  const counts = broadcastCounts(context, [x.operand, y.operand, condition])
  if (counts[0] === null || counts[1] === null) return [context.refuse(unknownCopies)]
  const parts = [
    { bound: x.operand, gain: mag.multiply(countedIn(norm, counts[0]), ratio(x.scale, factor)) },
    { bound: y.operand, gain: mag.multiply(countedIn(norm, counts[1]), ratio(y.scale, factor)) },
  ]
  return [rounded(context, stackedIn(norm, parts, codesOf(context)), norm)]
})

/**
 * MatMulIntegerToFloat: s_a·s_b·(A − z_a)(B − z_b) + bias, not rounded; one factor is constant. The other has a constant scale, or
 * was rounded dynamically.
 */
const scaledProduct = inEvery((context, by) => {
  const norm = context.layerNorm()
  const [a, b] = [context.input(0), context.input(1)]
  const [codes, , scale, , zero] = context.node.inputs
  const source = dynamicSource(codes, scale, zero)
  if (source !== null && norm !== null && !anyVaries(context, [1, 3, 5, 6])) {
    const rounded = roundedDynamically(context.operandOf(source), by)
    return [typeof rounded === 'string' ? context.refuse(rounded) : through(rounded, norm, everything)]
  }
  const data = a !== null && !isFixed(a) ? a : b
  const own = scaleOf(context.input(data === a ? 2 : 3))
  const weights = data === a ? 1 : 0
  if (data === null || norm === null || anyVaries(context, [weights, 2, 3, 4, 5, 6]))
    return [context.refuse('multiplies by weights, scales or biases that are computed from data')]
  if (own === null) return [context.refuse(unknownScale)]
  const linear = through(data, norm, everything)
  return [through(linear, own.largest, everything)]
})

/** DynamicQuantizeMatMul: data that are rounded dynamically, times the weights' real values. */
const dynamicProduct = inEvery((context, by) => {
  const [a, norm] = [context.input(0), context.layerNorm()]
  if (a === null || norm === null || anyVaries(context, [1, 2, 3, 4]))
    return [context.refuse('multiplies by weights, scales or biases that are computed from data')]
  const rounded = roundedDynamically(a, by)
  return [typeof rounded === 'string' ? context.refuse(rounded) : through(rounded, norm, everything)]
})

const unknownSize = 'averages a number of elements that is not known; give --input-shape'
const channelsLast = (context: BoundContext) => intAttribute(context.node, 'channels_last', 0) !== 0

/** The data's spatial sizes, wherever its channels stand. */
function spatialOf(context: BoundContext, { shape }: BoundOperand) {
  if (shape === null || shape.length < 3) return null
  return channelsLast(context) ? shape.slice(1, -1) : shape.slice(2)
}

/** A mean of n elements. */
function meanGain(count: number, norm: NormName): mag.Magnitude {
  return { l2: inverseRootOf(count), linf: mag.one, l1: mag.magnitude(divUp(1, count)) }[norm]
}

export const quantizedRules = {
  QLinearMul: bilinear(3, 6),
  MulInteger: bilinear(2, null),
  QLinearConcat: concatenation,
  QLinearWhere: choice,
  QLinearLeakyRelu: unary(
    ({ node }) => Math.max(1, Math.abs(floatAttribute(node, 'alpha', Math.fround(0.01)))),
    unknownScale,
  ),
  QLinearSigmoid: unary(() => 0.25, unknownScale),
  QLinearSoftmax: unary(() => 0.5, unknownScale),
  QLinearAveragePool: unary((context, x, norm) => {
    const spatial = spatialOf(context, x)
    return spatial && windowedAverageGain(context, spatial, norm)
  }, unknownSize),
  QLinearGlobalAveragePool: unary((context, x, norm) => {
    const spatial = spatialOf(context, x)
    const size = spatial && sizeOf(spatial)
    return size === null ? null : meanGain(size, norm)
  }, unknownSize),
  QLinearReduceMean: unary((context, x, norm) => {
    const count = growth(context.output(0)?.shape ?? null, x.shape)
    return count === null ? null : meanGain(count, norm)
  }, unknownSize),
  MatMulIntegerToFloat: scaledProduct,
  DynamicQuantizeMatMul: dynamicProduct,
} satisfies Record<string, BoundRule>
