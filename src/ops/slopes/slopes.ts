import { floatAttribute, stringAttribute } from '../../graph/attribute.ts'
import type { Node } from '../../graph/graph.ts'
import type { Interval } from '../bound.ts'
import type { LinearContext } from '../calculus.ts'
import { sigmoid } from '../numeric/special-functions.ts'
import { rangeOf } from '../rules/constant.ts'
import { down, farthest, hull, interval, nearest, product, scaled, sum, up } from '../rules/interval.ts'
import {
  bell,
  cosines,
  geluDerivative,
  geluTurns,
  logisticDensity,
  mishDerivative,
  mishTurns,
  overPieces,
  rising,
  straight,
  swishDerivative,
  swishTurns,
  tanhDensity,
  tanhGeluDerivative,
  tanhGeluTurns,
  turning,
} from './derivatives.ts'

/**
 * The interval [α, β] of secants (f(x) − f(y)) / (x − y) of an elementwise function over an interval that holds x and
 * y, rounded outward; an end is infinite where there is no bound.
 */
export type Slopes = (range: Interval) => Interval

/**
 * The secants of a node that applies one function to each element of its first input, the only one that varies; null
 * where it is no such function.
 */
type SlopeRule = (context: LinearContext) => Slopes | null

const fixedSlopes = (lo: number, hi: number): Slopes => {
  const range = interval(lo, hi)
  return () => range
}

const unary =
  (slopes: Slopes): SlopeRule =>
  () =>
    slopes

/** s·x below 0 and x above. */
const leaky = (below: number): Slopes => {
  const pieces = [straight(-Infinity, 0, below), straight(0, Infinity, 1)]
  return (range) => overPieces(pieces, range)
}

/** Constant outside lo and hi, straight inside. */
const between = (lo: number, hi: number, slope: number): Slopes => {
  const pieces = [straight(-Infinity, lo, 0), straight(lo, hi, slope), straight(hi, Infinity, 0)]
  return (range) => overPieces(pieces, range)
}

/** γ·α·(e^{x/c} − 1) below 0, γ·x above. */
const exponential = (factor: number, gamma: number, scale: number): Slopes => {
  const pieces = [
    { from: -Infinity, to: 0, derivative: rising((x) => Math.exp(x / scale)) },
    straight(0, Infinity, 1),
  ]
  return (range) => {
    const [below, above] = pieces.map(({ from, to, derivative }) =>
      range.lo < to && range.hi >= from
        ? derivative({ lo: Math.max(range.lo, from), hi: Math.min(range.hi, to) })
        : null,
    )
    const parts = [below && scaled(below, factor / scale), above].filter((part) => part !== null)
    return scaled(parts.reduce(hull), gamma)
  }
}

const alpha = ({ node }: LinearContext, fallback: number) => floatAttribute(node, 'alpha', fallback)
const beta = ({ node }: LinearContext, fallback: number) => floatAttribute(node, 'beta', fallback)

/** x·σ(ax). */
const swish = (factor: number): Slopes => {
  const derivative = turning(swishDerivative, swishTurns)
  return (range) => derivative(scaled(range, factor))
}

const tanhGelu = turning(
  tanhGeluDerivative(Math.sqrt(2 / Math.PI), 0.044715 * Math.sqrt(2 / Math.PI)),
  tanhGeluTurns,
)

const gelu: SlopeRule = ({ node }) =>
  stringAttribute(node, 'approximate', 'none') === 'tanh' ? tanhGelu : turning(geluDerivative, geluTurns)

/** The limits of Clip: attributes, or constant inputs since version 11; null where data decides or they cross. */
const clip: SlopeRule = (context) => {
  if (context.varies(1) || context.varies(2)) return null
  const limit = (name: 'min' | 'max', i: number, open: number) => {
    if (context.node.version < 11) return floatAttribute(context.node, name, open)
    const input = context.inputs[i]
    return input == null ? open : (input.smallConstant()?.data[0] ?? Number.NaN)
  }
  const [lo, hi] = [limit('min', 1, -Infinity), limit('max', 2, Infinity)]
  return lo <= hi ? between(lo, hi, 1) : null
}

/** Slopes that repeat along the data; data that repeats along its slopes is another function. */
const prelu: SlopeRule = (context) => {
  const [data, slopes] = context.inputs
  const elements = context.varies(1) ? null : slopes?.constant()
  const range = elements == null ? null : rangeOf(elements.data)
  if (range === null || !isSameSize(data?.shape, context.outputs[0]?.shape)) return null
  const [least, most] = [leaky(range.lo), leaky(range.hi)]
  return (given) => hull(least(given), most(given))
}

function isSameSize(a: readonly (number | null)[] | null | undefined, b: typeof a): boolean {
  const size = (shape: typeof a) => shape?.reduce<number>((total, dim) => total * (dim ?? Number.NaN), 1)
  return size(a) !== undefined && size(a) === size(b)
}

/** Affine slope a within (0, 1), constant outside. */
const hardSigmoid: SlopeRule = (context) => {
  const [a, b] = [alpha(context, Math.fround(0.2)), beta(context, 0.5)]
  const line = between(0, 1, 1)
  return a === 0 ? fixedSlopes(0, 0) : (range) => scaled(line(sum(scaled(range, a), interval(b, b))), a)
}

/** x·max(0, min(1, x/6 + ½)): its derivative x/3 + ½ rises from −½ to 3/2 within ±3. */
const hardSwish: Slopes = (range) =>
  overPieces(
    [
      straight(-Infinity, -3, 0),
      { from: -3, to: 3, derivative: rising((x) => x / 3 + 0.5) },
      straight(3, Infinity, 1),
    ],
    range,
  )

/** With a constant bias in front. */
const biased =
  (rule: SlopeRule): SlopeRule =>
  (context) => {
    const bias = context.varies(1) ? null : (context.inputs[1]?.constant() ?? null)
    const shift = context.inputs[1] == null ? interval(0, 0) : bias && rangeOf(bias.data)
    const slopes = rule(context)
    return shift === null || slopes === null ? null : (range) => slopes(sum(range, shift))
  }

/** Where a function is defined for x > 0 alone. */
const positive =
  (slopes: Slopes): Slopes =>
  (range) =>
    range.lo > 0 ? slopes(range) : interval(-Infinity, Infinity)

const falling =
  (derivative: (x: number) => number): Slopes =>
  ({ lo, hi }) =>
    interval(down(derivative(hi)), up(derivative(lo)))

/** Of ai.onnx. */
const standard: Readonly<Record<string, SlopeRule>> = {
  Relu: unary(leaky(0)),
  LeakyRelu: (context) => leaky(alpha(context, Math.fround(0.01))),
  PRelu: prelu,
  Abs: unary(leaky(-1)),
  Clip: clip,
  Elu: (context) => exponential(alpha(context, 1), 1, 1),
  Selu: (context) =>
    exponential(
      alpha(context, 1.6732631921768188),
      floatAttribute(context.node, 'gamma', 1.0507010221481323),
      1,
    ),
  Celu: (context) => (alpha(context, 1) > 0 ? exponential(alpha(context, 1), 1, alpha(context, 1)) : null),
  Sigmoid: unary(bell(logisticDensity)),
  HardSigmoid: hardSigmoid,
  HardSwish: unary(hardSwish),
  Tanh: unary(bell(tanhDensity)),
  Erf: unary(bell((size) => (2 / Math.sqrt(Math.PI)) * Math.exp(-size * size))),
  Softplus: unary(rising(sigmoid)),
  Softsign: unary(bell((size) => (1 + size) ** -2)),
  Swish: (context) => swish(alpha(context, 1)),
  Gelu: gelu,
  Mish: unary(turning(mishDerivative, mishTurns)),
  Sin: unary(cosines),
  Cos: unary((range) => cosines(sum(range, interval(Math.PI / 2 - 1e-9, Math.PI / 2 + 1e-9)))),
  Atan: unary(bell((size) => 1 / (1 + size * size))),
  Asinh: unary(bell((size) => 1 / Math.hypot(1, size))),
  ThresholdedRelu: (context) => (alpha(context, 1) === 0 ? leaky(0) : null),
  Shrink: ({ node }) => {
    const [bias, threshold] = [floatAttribute(node, 'bias', 0), floatAttribute(node, 'lambd', 0.5)]
    if (bias !== threshold || threshold < 0) return null
    const pieces = [
      straight(-Infinity, -threshold, 1),
      straight(-threshold, threshold, 0),
      straight(threshold, Infinity, 1),
    ]
    return (range) => overPieces(pieces, range)
  },
  ParametricSoftplus: (context) => {
    const [a, b] = [alpha(context, 1), beta(context, 1)]
    return (range) => scaled(scaled(rising(sigmoid)(scaled(range, b)), a), b)
  },
  ScaledTanh: (context) => {
    const [a, b] = [alpha(context, 1), beta(context, 1)]
    return (range) => scaled(scaled(bell(tanhDensity)(scaled(range, b)), a), b)
  },
  Exp: unary(rising(Math.exp)),
  Log: unary(positive(falling((x) => 1 / x))),
  Sqrt: unary(positive(falling((x) => 0.5 / Math.sqrt(x)))),
  Sinh: unary((range) => interval(down(Math.cosh(nearest(range))), up(Math.cosh(farthest(range))))),
  Cosh: unary(rising(Math.sinh)),
  Reciprocal: unary((range) => {
    if (!(nearest(range) > 0)) return interval(-Infinity, Infinity)
    const [most, least] = [
      up(1 / nearest(range) / nearest(range)),
      down(1 / farthest(range) / farthest(range)),
    ]
    return interval(-most, -least)
  }),
  /** x² alone. */
  Pow: (context) => {
    const exponent = context.varies(1) ? null : (context.inputs[1]?.smallConstant() ?? null)
    const isSquare = exponent?.data.every((value) => value === 2) === true
    return isSquare && isSameSize(context.inputs[0]?.shape, context.outputs[0]?.shape)
      ? (range) => product(range, interval(2, 2))
      : null
  },
}

/** Of ONNX Runtime. */
const contributed: Readonly<Record<string, SlopeRule>> = {
  Gelu: gelu,
  QuickGelu: (context) => swish(alpha(context, Math.fround(1.702))),
  FastGelu: biased(unary(turning(tanhGeluDerivative(0.797885, 0.035677), tanhGeluTurns))),
  BiasGelu: biased(unary(turning(geluDerivative, geluTurns))),
}

const byDomain: ReadonlyMap<string, Readonly<Record<string, SlopeRule>>> = new Map([
  ['', standard],
  ['com.microsoft', contributed],
])

/** The secants of a node's function; null where it is no elementwise function of its first input alone. */
export function slopesOf(context: LinearContext): Slopes | null {
  const { domain, op } = context.node
  const rules = byDomain.get(domain)
  if (rules === undefined || !Object.hasOwn(rules, op) || !context.varies(0)) return null
  return rules[op](context)
}

/** Whether the operator is one of those. */
export function hasSlopes({ domain, op }: Pick<Node, 'domain' | 'op'>): boolean {
  return Object.hasOwn(byDomain.get(domain) ?? {}, op)
}

/** Names of the operators that have slopes: ai.onnx's and ONNX Runtime's. */
export const slopedOperators = [standard, contributed].map((rules) => Object.keys(rules))
