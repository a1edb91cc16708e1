import { floatAttribute, intAttribute, stringAttribute } from '../../graph/attribute.ts'
import { type BoundContext, type BoundRule, everything, type TensorBound } from '../bound.ts'
import { broadcastGains, unknownCopies } from './broadcast.ts'
import { elementwise, fastGeluSlope, gated, geluSlope } from './elementwise.ts'
import { added, isFixed, type Part, through } from './join.ts'
import { linearRules } from './linear.ts'

/** Operators of ONNX Runtime that are a linear map with an activation, or an activation with a bias. */

/** Largest slope of the activations that ONNX Runtime fuses; null for others. */
function activationSlope(context: BoundContext): number | null {
  const name = stringAttribute(context.node, 'activation', '')
  const parameters = context.node.attributes.get('activation_params')
  const listed = parameters?.kind === 'floats' ? parameters.value : []
  const alpha = floatAttribute(context.node, 'activation_alpha', listed[0] ?? 0.01)
  const slopes: Readonly<Record<string, number>> = {
    '': 1,
    Relu: 1,
    Clip: 1,
    Tanh: 1,
    Sigmoid: 0.25,
    LeakyRelu: Math.max(1, Math.abs(alpha)),
  }
  return Object.hasOwn(slopes, name) ? slopes[name] : null
}

function activated(context: BoundContext, bound: TensorBound): TensorBound {
  const slope = activationSlope(context)
  return slope === null
    ? context.refuse('has an activation that has no rule')
    : through(bound, slope, everything)
}

/** act(W ⋆ x + b + Z): the fourth input is a residual. */
const fusedConv: BoundRule = (context) => {
  const residual = context.input(3)
  const [linear] = linearRules.Conv(context)
  const parts = residual === null ? [linear] : [linear, residual]
  return [
    activated(
      context,
      added(
        parts.map((bound) => ({ bound, gain: 1 })),
        everything,
      ),
    ),
  ]
}

/** α·A′·B′: only with one constant factor. */
const fusedMatMul: BoundRule = (context) => {
  const [a, b] = [context.input(0), context.input(1)]
  const data = a !== null && !isFixed(a) ? a : b
  const other = data === a ? b : a
  const norm = context.layerNorm()
  if (data === null || norm === null || (other !== null && !isFixed(other))) {
    return [
      context.refuse(
        'multiplies two tensors that both depend on the input: not Lipschitz on an unbounded domain',
      ),
    ]
  }
  return [through(data, norm, everything)]
}

/** x + bias, then the activation. */
function biased(slope: number): BoundRule {
  return (context) => {
    const operands = [context.input(0), context.input(1)].filter((operand) => operand !== null)
    const gains = broadcastGains(context, operands)
    const parts: Part[] = []
    for (const [i, bound] of operands.entries()) {
      const gain = gains[i]
      if (isFixed(bound)) continue
      if (gain === null) return [context.refuse(unknownCopies)]
      parts.push({ bound, gain })
    }
    return [through(added(parts, everything), slope, everything)]
  }
}

/** Dequantised weights; `accuracy_level` 4 rounds the data, too. */
const nBits: BoundRule = (context) => {
  if (intAttribute(context.node, 'accuracy_level', 0) === 4) {
    return [context.refuse('rounds its data to 8 bits by the range of that data')]
  }
  for (let i = 1; i < context.inputCount; i++) {
    const operand = context.input(i)
    if (operand !== null && !isFixed(operand))
      return [context.refuse('has weights that are computed from data')]
  }
  return fusedMatMul(context)
}

export const fusedRules = {
  FusedConv: fusedConv,
  FusedGemm: (context) => linearRules.Gemm(context).map((bound) => activated(context, bound)),
  FusedMatMul: fusedMatMul,
  MatMulNBits: nBits,
  FastGelu: biased(fastGeluSlope),
  BiasGelu: biased(geluSlope),
  QuickGelu: elementwise((range, { node }) => {
    const alpha = floatAttribute(node, 'alpha', 1.702)
    return alpha === 0
      ? { slope: 0.5, image: everything }
      : { slope: gated(range, 1.099839320128867, 0).slope, image: everything }
  }),
} satisfies Record<string, BoundRule>
