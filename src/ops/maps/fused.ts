import { floatAttribute, floatsAttribute, intAttribute, stringAttribute } from '../../graph/attribute.ts'
import type { Node } from '../../graph/graph.ts'
import type { SecantsOf } from '../algebra.ts'
import type { Calculus, EvaluationContext, PointContext } from '../calculus.ts'
import type { LinearMap } from '../linear-map.ts'
import { erf, sigmoid } from '../numeric/special-functions.ts'
import { bilinearCalculus } from './bilinear.ts'
import { type Definition, defined, summed } from './definition.ts'
import { constantSlope } from './secants.ts'
import { tanhGelu, tanhGeluSlope } from './slopes.ts'
import { broadcastMap } from './terms.ts'

interface Curve {
  readonly f: (x: number) => number
  readonly slope: (x: number) => number
  readonly secants?: SecantsOf
}

/** What ONNX Runtime puts behind a linear map; null for what it is not known to. */
function activationOf(node: Node): Curve | null {
  const [first, second] = floatsAttribute(node, 'activation_params', [])
  const alpha = (fallback: number) => floatAttribute(node, 'activation_alpha', first ?? fallback)
  const beta = (fallback: number) => floatAttribute(node, 'activation_beta', second ?? fallback)
  const curves: Readonly<Record<string, () => Curve>> = {
    '': () => ({ f: (x) => x, slope: () => 1 }),
    Relu: () => ({ f: (x) => Math.max(x, 0), slope: (x) => (x > 0 ? 1 : 0) }),
    Tanh: () => ({ f: Math.tanh, slope: (x) => 1 - Math.tanh(x) ** 2 }),
    Sigmoid: () => ({ f: sigmoid, slope: (x) => sigmoid(x) * (1 - sigmoid(x)) }),
    LeakyRelu: () => {
      const a = alpha(0.01)
      return { f: (x) => (x < 0 ? a * x : x), slope: (x) => (x < 0 ? a : 1) }
    },
    HardSigmoid: () => {
      const [a, b] = [alpha(0.2), beta(0.5)]
      return {
        f: (x) => Math.min(Math.max(a * x + b, 0), 1),
        slope: (x) => (a * x + b > 0 && a * x + b < 1 ? a : 0),
      }
    },
    Clip: () => {
      const [lo, hi] = [first ?? -Infinity, second ?? Infinity]
      return { f: (x) => Math.min(Math.max(x, lo), hi), slope: (x) => (x > lo && x < hi ? 1 : 0) }
    },
  }
  const name = stringAttribute(node, 'activation', '')
  return Object.hasOwn(curves, name) ? curves[name]() : null
}

/** A linear map with an activation behind it, and before that a fourth input that is added. */
function activated(linear: Calculus): Calculus {
  const before = (context: EvaluationContext): Float64Array | null => {
    const [value = null] = linear.evaluate?.(context) ?? []
    const residual = context.values[3]?.data
    return value && residual ? value.map((x, i) => x + residual[i]) : value
  }
  return {
    evaluate: (context) => {
      const curve = activationOf(context.node)
      const value = before(context)
      return curve === null || value === null ? null : [value.map(curve.f)]
    },
    derivative: (context: PointContext): LinearMap | null => {
      const curve = activationOf(context.node)
      const value = before(context)
      const dims = context.results[0]?.dims
      if (curve === null || value === null || dims === undefined || context.varies(3)) return null
      const inner = linear.derivative?.(context) ?? null
      const outer = broadcastMap(1, dims, [{ input: 0, dims, factor: value.map(curve.slope) }])
      return (
        inner && {
          apply: (changes) => outer.apply(inner.apply(changes)),
          applyAdjoint: (changes) => inner.applyAdjoint(outer.applyAdjoint(changes)),
        }
      )
    },
  }
}

const gelu: Curve = {
  f: (x) => (x / 2) * (1 + erf(x / Math.SQRT2)),
  slope: (x) => 0.5 * (1 + erf(x / Math.SQRT2)) + (x * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI),
}

/** f(x + bias). */
function biased({ f, slope, secants }: Curve): Definition {
  return ({ algebra, variables: [x, bias] }) => {
    if (!x) return null
    return [algebra.map(bias ? algebra.zip(x, bias, summed) : x, f, slope, secants)]
  }
}

/** α·A′·B′ of matrices without batch axes; others have no rule here. */
const fusedMatMul: Definition = ({ algebra, node, variables: [a, b] }) => {
  const flag = (name: string) => intAttribute(node, name, 0) !== 0
  if (!a || !b || a.dims.length < 2 || b.dims.length < 2 || a.dims.length > 4 || b.dims.length > 4)
    return null
  if (flag('transBatchA') || flag('transBatchB')) return null
  const batch = (rank: number) => 'xy'.slice(4 - rank)
  const [left, right] = [
    batch(a.dims.length) + (flag('transA') ? 'ki' : 'ik'),
    batch(b.dims.length) + (flag('transB') ? 'jk' : 'kj'),
  ]
  const output = `${batch(Math.max(a.dims.length, b.dims.length))}ij`
  const alpha = floatAttribute(node, 'alpha', 1)
  return [
    algebra.map(
      algebra.product(a, left, b, right, output),
      (x) => alpha * x,
      () => alpha,
      constantSlope(alpha),
    ),
  ]
}

export const fusedCalculus: Readonly<Record<string, Calculus>> = {
  FusedConv: activated(bilinearCalculus.Conv),
  FusedGemm: activated(bilinearCalculus.Gemm),
  FusedMatMul: defined(fusedMatMul),
  TransposeMatMul: defined(fusedMatMul),
  FastGelu: defined(biased({ f: tanhGelu, slope: tanhGeluSlope })),
  BiasGelu: defined(biased(gelu)),
}
