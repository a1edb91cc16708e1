import { floatAttribute, stringAttribute } from '../../graph/attribute.ts'
import type { Node } from '../../graph/graph.ts'
import type { Calculus, DerivativeRule, EvaluationContext } from '../calculus.ts'
import { erf, sigmoid, softplus } from '../numeric/special-functions.ts'
import { broadcastMap } from './terms.ts'

/** f′ of an element; where f has a kink, the slope on one side of it. */
type Slope = (x: number) => number

const alphaOf = (node: Node, fallback: number) => floatAttribute(node, 'alpha', fallback)
const betaOf = (node: Node, fallback: number) => floatAttribute(node, 'beta', fallback)

/** Φ′ of the standard normal distribution. */
const density = (x: number) => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI)

/** Of x·Φ(x). */
const geluSlope: Slope = (x) => 0.5 * (1 + erf(x / Math.SQRT2)) + x * density(x)

const root = Math.sqrt(2 / Math.PI)

/** Of x/2·(1 + tanh(√(2/π)(x + 0.044715 x³))). */
export const tanhGeluSlope: Slope = (x) => {
  const t = Math.tanh(root * (x + 0.044715 * x ** 3))
  return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * root * (1 + 3 * 0.044715 * x * x)
}

export const tanhGelu = (x: number) => 0.5 * x * (1 + Math.tanh(root * (x + 0.044715 * x ** 3)))

/** Of x·σ(αx). */
function swishSlope(alpha: number): Slope {
  return (x) => {
    const s = sigmoid(alpha * x)
    return s + alpha * x * s * (1 - s)
  }
}

function mishSlope(x: number): number {
  const t = Math.tanh(softplus(x))
  return t + x * (1 - t * t) * sigmoid(x)
}

function hardSwishSlope(x: number): number {
  if (x <= -3) return 0
  return x >= 3 ? 1 : x / 3 + 0.5
}

const within = (x: number, lo: number, hi: number) => (x > lo && x < hi ? 1 : 0)

/** Slopes of the elementwise operators of one input, their attributes read. */
export const slopes = {
  Abs: () => Math.sign,
  Reciprocal: () => (x) => -1 / (x * x),
  Sqrt: () => (x) => 0.5 / Math.sqrt(x),
  Exp: () => Math.exp,
  Log: () => (x) => 1 / x,
  Erf: () => (x) => (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x),
  Sin: () => Math.cos,
  Cos: () => (x) => -Math.sin(x),
  Tan: () => (x) => 1 / Math.cos(x) ** 2,
  Asin: () => (x) => 1 / Math.sqrt(1 - x * x),
  Acos: () => (x) => -1 / Math.sqrt(1 - x * x),
  Atan: () => (x) => 1 / (1 + x * x),
  Sinh: () => Math.cosh,
  Cosh: () => Math.sinh,
  Tanh: () => (x) => 1 - Math.tanh(x) ** 2,
  Asinh: () => (x) => 1 / Math.sqrt(1 + x * x),
  Acosh: () => (x) => 1 / Math.sqrt(x * x - 1),
  Atanh: () => (x) => 1 / (1 - x * x),
  Relu: () => (x) => (x > 0 ? 1 : 0),
  LeakyRelu: (node) => {
    const alpha = alphaOf(node, Math.fround(0.01))
    return (x) => (x < 0 ? alpha : 1)
  },
  Elu: (node) => {
    const alpha = alphaOf(node, 1)
    return (x) => (x < 0 ? alpha * Math.exp(x) : 1)
  },
  Celu: (node) => {
    const alpha = alphaOf(node, 1)
    return (x) => (x < 0 ? Math.exp(x / alpha) : 1)
  },
  Selu: (node) => {
    const alpha = alphaOf(node, 1.6732631921768188)
    const gamma = floatAttribute(node, 'gamma', 1.0507010221481323)
    return (x) => gamma * (x < 0 ? alpha * Math.exp(x) : 1)
  },
  ThresholdedRelu: (node) => {
    const alpha = alphaOf(node, 1)
    return (x) => (x > alpha ? 1 : 0)
  },
  Shrink: (node) => {
    const lambd = floatAttribute(node, 'lambd', 0.5)
    return (x) => (Math.abs(x) > lambd ? 1 : 0)
  },
  Sigmoid: () => (x) => sigmoid(x) * (1 - sigmoid(x)),
  HardSigmoid: (node) => {
    const [alpha, beta] = [alphaOf(node, Math.fround(0.2)), betaOf(node, 0.5)]
    return (x) => alpha * within(alpha * x + beta, 0, 1)
  },
  HardSwish: () => hardSwishSlope,
  Swish: (node) => swishSlope(alphaOf(node, 1)),
  QuickGelu: (node) => swishSlope(alphaOf(node, Math.fround(1.702))),
  Mish: () => mishSlope,
  Gelu: (node) => (stringAttribute(node, 'approximate', 'none') === 'tanh' ? tanhGeluSlope : geluSlope),
  Softplus: () => sigmoid,
  Softsign: () => (x) => 1 / (1 + Math.abs(x)) ** 2,
  ParametricSoftplus: (node) => {
    const [alpha, beta] = [alphaOf(node, 1), betaOf(node, 1)]
    return (x) => alpha * beta * sigmoid(beta * x)
  },
  ScaledTanh: (node) => {
    const [alpha, beta] = [alphaOf(node, 1), betaOf(node, 1)]
    return (x) => alpha * beta * (1 - Math.tanh(beta * x) ** 2)
  },
} satisfies Record<string, (node: Node) => Slope>

/** Where slopes jump. */
const kinks: Readonly<Record<string, (context: EvaluationContext) => readonly number[]>> = {
  Abs: () => [0],
  Relu: () => [0],
  LeakyRelu: () => [0],
  Elu: () => [0],
  Selu: () => [0],
  HardSwish: () => [-3, 3],
  HardSigmoid: ({ node }) => {
    const [alpha, beta] = [alphaOf(node, Math.fround(0.2)), betaOf(node, 0.5)]
    return [-beta / alpha, (1 - beta) / alpha]
  },
  Clip: (context) => clipLimits(context),
}

function clipLimits({ node, values: [, lower, upper] }: EvaluationContext): [number, number] {
  return [
    lower?.data[0] ?? floatAttribute(node, 'min', -Infinity),
    upper?.data[0] ?? floatAttribute(node, 'max', Infinity),
  ]
}

/** Slopes of Clip, whose limits are attributes or, since version 11, inputs. */
const clip: DerivativeRule = (context) => {
  const [x] = context.values
  if (!x || context.varies(1) || context.varies(2)) return null
  const [lo, hi] = clipLimits(context)
  const factor = Float64Array.from(x.data, (value) => within(value, lo, hi))
  return broadcastMap(context.inputs.length, x.dims, [{ input: 0, dims: x.dims, factor }])
}

function elementwise(slopeOf: (node: Node) => Slope): Calculus {
  return {
    derivative: (context) => {
      const [x] = context.values
      if (!x) return null
      const factor = Float64Array.from(x.data, slopeOf(context.node))
      return broadcastMap(context.inputs.length, x.dims, [{ input: 0, dims: x.dims, factor }])
    },
  }
}

/** What float64 evaluates without rounding. */
const exact = ['Abs', 'Relu']

export const elementwiseCalculus: Readonly<Record<string, Calculus>> = {
  ...Object.fromEntries(
    Object.entries(slopes).map(([op, slopeOf]) => [
      op,
      { ...elementwise(slopeOf), kinks: kinks[op], ...(exact.includes(op) && { isExact: true }) },
    ]),
  ),
  Clip: { derivative: clip, kinks: kinks.Clip, isExact: true },
}
