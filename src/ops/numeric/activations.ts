import { floatAttribute, stringAttribute } from '../../graph/attribute.ts'
import type { Node } from '../../graph/graph.ts'
import { mapElements, zipElements } from '../fold/elementwise.ts'
import type { FoldingContext, InferenceContext } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { biasedRules } from '../rules/biased.ts'
import { elementwiseRules } from '../rules/elementwise.ts'
import { broadcastTo } from '../shape/broadcast.ts'
import { infoOf, knownOutput, likeFirstInput, requiredInput, requiredTensor } from '../shape/operands.ts'
import { elementary } from './elementary.ts'
import { clamp, erf, sigmoid, softplus } from './special-functions.ts'

const alphaOf = (node: Node, fallback: number) => floatAttribute(node, 'alpha', fallback)
const betaOf = (node: Node, fallback: number) => floatAttribute(node, 'beta', fallback)

/** GELU by the error function, x·Φ(x), or by the usual approximation of Φ with tanh. */
function geluOf(node: Node): (x: number) => number {
  const exact = (x: number) => (x / 2) * (1 + erf(x / Math.SQRT2))
  return stringAttribute(node, 'approximate', 'none') === 'tanh' ? tanhGelu : exact
}

function tanhGelu(x: number): number {
  return (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))
}

/** Clip with its limits as inputs, since version 11. */
function foldClip(context: FoldingContext) {
  const output = knownOutput(context)
  if (output === null) return null
  const lo = context.inputs[1]?.data[0] ?? -Infinity
  const hi = context.inputs[2]?.data[0] ?? Infinity
  return [
    mapElements(requiredTensor(context, 0), context.allocate(output.type, output.dims), (x) =>
      clamp(x, lo, hi),
    ),
  ]
}

function inferPRelu(context: InferenceContext) {
  const { type, shape } = requiredInput(context, 0)
  const slope = requiredInput(context, 1)
  return [infoOf(type, context.node.version >= 7 ? broadcastTo(context, slope.shape, shape) : shape)]
}

/** Versions before 7 align the slopes with the channels: those are not folded. */
function foldPRelu(context: FoldingContext) {
  const output = knownOutput(context)
  if (output === null || context.node.version < 7) return null
  const target = context.allocate(output.type, output.dims)
  const [x, slope] = [requiredTensor(context, 0), requiredTensor(context, 1)]
  return [zipElements(x, slope, target, (x, slope) => (x < 0 ? slope * x : x))]
}

/** Activations of networks. Piecewise ones are written so that NaN, an unknown entry, stays NaN. */
export const activations: readonly Operator[] = [
  elementary('Relu', () => (x) => Math.max(x, 0)),
  elementary('LeakyRelu', (node) => {
    const alpha = alphaOf(node, Math.fround(0.01))
    return (x) => (x < 0 ? alpha * x : x)
  }),
  { op: 'PRelu', bound: elementwiseRules.PRelu, infer: inferPRelu, fold: foldPRelu },
  elementary('Clip', (node) => {
    const lo = floatAttribute(node, 'min', -Infinity)
    const hi = floatAttribute(node, 'max', Infinity)
    return (x) => clamp(x, lo, hi)
  }),
  { op: 'Clip', bound: elementwiseRules.Clip, since: 11, infer: likeFirstInput, fold: foldClip },
  elementary('Elu', (node) => {
    const alpha = alphaOf(node, 1)
    return (x) => (x < 0 ? alpha * Math.expm1(x) : x)
  }),
  elementary('Celu', (node) => {
    const alpha = alphaOf(node, 1)
    return (x) => Math.max(x, 0) + Math.min(0, alpha * Math.expm1(x / alpha))
  }),
  elementary('Selu', (node) => {
    const alpha = alphaOf(node, 1.6732631921768188)
    const gamma = floatAttribute(node, 'gamma', 1.0507010221481323)
    return (x) => gamma * (x < 0 ? alpha * Math.expm1(x) : x)
  }),
  elementary('ThresholdedRelu', (node) => {
    const alpha = alphaOf(node, 1)
    return (x) => (x <= alpha ? 0 : x)
  }),
  elementary('Shrink', (node) => {
    const lambd = floatAttribute(node, 'lambd', 0.5)
    const bias = floatAttribute(node, 'bias', 0)
    return (x) => (x < -lambd ? x + bias : x > lambd ? x - bias : 0 * x)
  }),
  elementary('Sigmoid', () => sigmoid),
  elementary('HardSigmoid', (node) => {
    const alpha = alphaOf(node, Math.fround(0.2))
    const beta = betaOf(node, 0.5)
    return (x) => clamp(alpha * x + beta, 0, 1)
  }),
  elementary('HardSwish', () => (x) => x * clamp(x / 6 + 0.5, 0, 1)),
  elementary('Swish', (node) => {
    const alpha = alphaOf(node, 1)
    return (x) => x * sigmoid(alpha * x)
  }),
  elementary('Mish', () => (x) => x * Math.tanh(softplus(x))),
  elementary('Gelu', geluOf),
  elementary('Softplus', () => softplus),
  elementary('Softsign', () => (x) => x / (1 + Math.abs(x))),
  elementary('ParametricSoftplus', (node) => {
    const alpha = alphaOf(node, 1)
    const beta = betaOf(node, 1)
    return (x) => alpha * softplus(beta * x)
  }),
  elementary('ScaledTanh', (node) => {
    const alpha = alphaOf(node, 1)
    const beta = betaOf(node, 1)
    return (x) => alpha * Math.tanh(beta * x)
  }),
  elementary('Affine', (node) => {
    const alpha = alphaOf(node, 1)
    const beta = betaOf(node, 0)
    return (x) => alpha * x + beta
  }),
  elementary('Gelu', geluOf, { domain: 'com.microsoft' }),
  elementary(
    'QuickGelu',
    (node) => {
      const alpha = alphaOf(node, Math.fround(1.702))
      return (x) => x * sigmoid(alpha * x)
    },
    { domain: 'com.microsoft' },
  ),
  { op: 'FastGelu', bound: biasedRules.FastGelu, domain: 'com.microsoft', infer: likeFirstInput },
  { op: 'BiasGelu', bound: biasedRules.BiasGelu, domain: 'com.microsoft', infer: likeFirstInput },
]
