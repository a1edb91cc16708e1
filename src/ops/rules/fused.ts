import * as mag from '../../core/magnitude.ts'
import type { NormName } from '../../core/norm-name.ts'
import { addUp, divUp, mulUp, sqrtUp } from '../../core/rounding.ts'
import { type Dim, sizeOf } from '../../core/tensor.ts'
import * as term from '../../core/term.ts'
import { floatAttribute, intAttribute, intsAttribute, stringAttribute } from '../../graph/attribute.ts'
import {
  type BoundContext,
  type BoundOperand,
  type BoundRule,
  everything,
  type Interval,
  type NormRule,
  type TensorBound,
} from '../bound.ts'
import { countedIn, rootOf, unknownCopies } from './broadcast.ts'
import { elementsOf } from './constant.ts'
import { type Activation, clamp, fastGeluSlope, leaky } from './elementwise.ts'
import { farthest, interval, sum, unit } from './interval.ts'
import { added, addedIn, isFixed, type Part, through } from './join.ts'
import { batchCopies, bilinear, linearRules, matrixNorm } from './linear.ts'
import { inEvery, inNorms, ruleIn } from './norms.ts'
import { windowMultiplicity } from './window-sharing.ts'

/** Operators of ONNX Runtime that are a linear map with an activation. */

/** Slope and image of the activations that ONNX Runtime fuses; null for others. */
function activationOf(context: BoundContext, range: Interval): Activation | null {
  const name = stringAttribute(context.node, 'activation', '')
  const parameters = context.node.attributes.get('activation_params')
  const listed = parameters?.kind === 'floats' ? parameters.value : []
  const parameter = (i: number, attribute: string, fallback: number) =>
    floatAttribute(context.node, attribute, listed[i] ?? fallback)
  const activations: Readonly<Record<string, () => Activation>> = {
    '': () => ({ slope: 1, image: range }),
    Relu: () => ({ slope: 1, image: clamp(range, 0, Infinity) }),
    Clip: () => {
      const [lo, hi] = [0, 1].map((i) => listed[i] ?? Number.NaN)
      return { slope: 1, image: lo <= hi ? clamp(range, lo, hi) : everything }
    },
    Tanh: () => ({ slope: 1, image: interval(-1, 1) }),
    Sigmoid: () => ({ slope: 0.25, image: unit }),
    HardSigmoid: () => ({
      slope: Math.abs(parameter(0, 'activation_alpha', Math.fround(0.2))),
      image: unit,
    }),
    LeakyRelu: () => {
      const alpha = parameter(0, 'activation_alpha', Math.fround(0.01))
      return leaky(range, interval(alpha, alpha))
    },
  }
  return Object.hasOwn(activations, name) ? activations[name]() : null
}

function activated(context: BoundContext, bound: TensorBound): TensorBound {
  const activation = activationOf(context, bound.range)
  return activation === null
    ? context.refuse('has an activation that has no rule')
    : through(bound, activation.slope, activation.image)
}

/** act(W ⋆ x + b + Z): the fourth input is a residual. */
export function convolved(linearOf: BoundRule): BoundRule {
  return inEvery((context, norm) => {
    const residual = context.input(3)
    const [linear] = (norm === 'l2' ? linearOf : ruleIn(norm, linearOf))(context)
    const parts = residual === null ? [linear] : [linear, residual]
    const whole = addedIn(
      norm,
      parts.map((bound) => ({ bound, gain: 1 })),
      parts.map(({ range }) => range).reduce(sum),
    )
    return [activated(context, whole)]
  })
}

/**
 * Convolutions whose weights may stand in any order within their shape. An output sees ⟨W, window⟩, so that
 * |y|² ≤ ‖W‖_F²·Σ |window|² ≤ ‖W‖_F²·m·|x|², m windows sharing an element. `kernelOf`: the sizes of the windows; empty where they are
 * not known, m is then at most the number of taps `tapsOf` gives.
 */
export function inAnyOrder(
  kernelOf: (context: BoundContext) => readonly Dim[],
  tapsOf: (dims: readonly number[]) => number = () => Number.NaN,
): BoundRule {
  return (context) => {
    const [x, weights, bias] = [context.input(0), context.input(1), context.input(2)]
    const elements = elementsOf(weights)
    const dims = weights?.shape?.map((dim) => dim ?? Number.NaN) ?? []
    if (x === null || elements === null || (bias !== null && !isFixed(bias)))
      return [context.refuse('has weights or a bias that are computed from data')]
    const kernel = kernelOf(context)
    const strides = intsAttribute(context.node, 'strides', null)
    const dilations = intsAttribute(context.node, 'dilations', null)
    const shared =
      kernel.length === 0
        ? tapsOf(dims)
        : product(
            kernel.map((length, i) =>
              windowMultiplicity(length ?? Number.NaN, strides?.[i] ?? 1, dilations?.[i] ?? 1),
            ),
          )
    let squares = 0
    for (const weight of elements) squares = addUp(squares, mulUp(weight, weight))
    if (!(shared >= 0 && squares < Infinity)) return [context.refuse('has weights that are not finite')]
    return [through(x, mag.multiply(rootOf(shared), mag.magnitude(sqrtUp(squares))), everything)]
  }
}

const product = (sizes: readonly number[]) => sizes.reduce((all, size) => all * size, 1)

/** Channels last, with weights that ONNX Runtime's documents and its tools store in different orders. */
const channelsLast = inAnyOrder(
  (context) => intsAttribute(context.node, 'kernel_shape', null) ?? [],
  (dims) => Math.max(product(dims.slice(2)), product(dims.slice(1, -1))),
)

/** α·A′·B′: with one constant factor its norm, with two that vary as MatMul: transposing changes no norm. */
const fusedMatMul: BoundRule = (context) => {
  const [a, b] = [context.input(0), context.input(1)]
  if (a === null || b === null) return [context.refuse('lacks an operand')]
  const data = isFixed(a) ? b : a
  const other = data === a ? b : a
  const norm = context.layerNorm()
  if (norm !== null && isFixed(other)) return [through(data, norm, everything)]
  const { node } = context
  if (['transBatchA', 'transBatchB'].some((name) => intAttribute(node, name, 0) !== 0))
    return [context.refuse('moves batch axes of factors that both depend on the input, which has no rule')]
  const alpha = mag.magnitude(Math.abs(floatAttribute(node, 'alpha', 1)))
  const parts: Part[] = []
  for (const [own, factor] of [
    [a, b],
    [b, a],
  ]) {
    if (isFixed(own)) continue
    const length = matrixNorm(factor)
    if (length === null)
      return [context.refuse(isFixed(factor) ? 'multiplies by a matrix that is not known' : bilinear)]
    if ((own.shape?.length ?? 0) < 2 || (factor.shape?.length ?? 0) < 2)
      return [context.refuse('multiplies a vector by a matrix that is not constant')]
    const repeated = batchCopies(own, factor, context.output(0)?.shape ?? null)
    if (repeated === null) return [context.refuse(unknownCopies)]
    parts.push({ bound: own, gain: mag.multiply(alpha, mag.multiply(length, repeated)) })
  }
  return [added(parts, everything)]
}

/** With one constant factor alone. */
const fusedMatMulIn: NormRule = (context) => {
  const [a, b] = [context.input(0), context.input(1)]
  if (a === null || b === null) return [context.refuse('lacks an operand')]
  const norm = context.layerNorm()
  if (norm === null || isFixed(a) === isFixed(b))
    return [context.refuse('multiplies two tensors that depend on the input: it has a constant in ℓ2 alone')]
  return [through(isFixed(a) ? b : a, norm, everything)]
}

/**
 * Data that blocks of a row round to 8 bits by their extremes. With |x| ≤ m a step of 255 or 254 between them is at most m/127 long, and
 * no element moves by more, however zero points are rounded: |Δx̂| ≤ |Δx| + 2√n·m/127.
 */
function roundedByBlocks(x: BoundOperand, norm: NormName): TensorBound | string {
  const [size, largest] = [x.shape && sizeOf(x.shape), farthest(x.range)]
  if (isFixed(x) || x.refusal !== null) return x
  if (!(largest < Infinity))
    return 'rounds its data to 8 bits by their range, which has no proven bounds; give --input-range'
  if (size === null) return 'rounds a number of elements that is not known; give --input-shape'
  const jitter = mulUp(mulUp(2, mag.toNumber(countedIn(norm, size))), divUp(largest, 127))
  return { ...x, offset: term.sum(x.offset, term.constant(jitter)) }
}

/** Dequantised weights; `accuracy_level` 4 lets runtimes round the data, too. */
const nBits = inEvery((context, by) => {
  for (let i = 1; i < context.inputCount; i++) {
    const operand = context.input(i)
    if (operand !== null && !isFixed(operand))
      return [context.refuse('has weights that are computed from data')]
  }
  const [x, norm] = [context.input(0), context.layerNorm()]
  if (x === null || norm === null) return [context.refuse('has weights that are not constant')]
  const data = intAttribute(context.node, 'accuracy_level', 0) === 4 ? roundedByBlocks(x, by) : x
  return [typeof data === 'string' ? context.refuse(data) : through(data, norm, everything)]
})

/** GELU by tanh of x·W + bias. */
const gemmFastGelu: BoundRule = (context) => {
  const [x, weights, bias] = [context.input(0), context.input(1), context.input(2)]
  const norm = context.layerNorm()
  if (x === null || norm === null || [weights, bias].some((operand) => operand !== null && !isFixed(operand)))
    return [context.refuse('has weights or a bias that are computed from data')]
  return [through(through(x, norm, everything), fastGeluSlope, everything)]
}

export const fusedRules = {
  FusedConv: convolved(linearRules.Conv),
  NhwcConv: channelsLast,
  NhwcFusedConv: convolved(channelsLast),
  FusedGemm: inEvery((context, norm) =>
    (norm === 'l2' ? linearRules.Gemm : ruleIn(norm, linearRules.Gemm))(context).map((bound) =>
      activated(context, bound),
    ),
  ),
  FusedMatMul: inNorms(fusedMatMul, fusedMatMulIn),
  FusedMatMulActivation: inNorms(
    (context) => fusedMatMul(context).map((bound) => activated(context, bound)),
    (context, norm) => fusedMatMulIn(context, norm).map((bound) => activated(context, bound)),
  ),
  GemmFastGelu: inNorms(gemmFastGelu, 'same'),
  MatMulNBits: nBits,
} satisfies Record<string, BoundRule>
