import type { FloatArray } from '../../core/tensor.ts'
import { isFloatType } from '../../core/tensor.ts'
import { floatAttribute } from '../../graph/attribute.ts'
import type { Calculus, EvaluationContext, LinearContext, LinearRule } from '../calculus.ts'
import type { LinearMap } from '../linear-map.ts'
import { normalizesByData } from '../numeric/batch-normalization.ts'
import { alignedShape } from '../shape/old-broadcast.ts'
import { identityMap } from './selection.ts'
import { inputDims, knownDims, outputDims, productOf, varyingInputs } from './sizes.ts'
import { type BroadcastTerm, broadcastMap, repeated } from './terms.ts'

/** Dims of operand i as they are repeated: before version 7 `axis` aligns the second one. */
export function alignedDims(context: LinearContext, i: number): readonly number[] | null {
  if (i !== 1) return inputDims(context, i)
  return knownDims(alignedShape(context, context.inputs[0]?.shape ?? null, context.inputs[1]?.shape ?? null))
}

/** Σ of the varying inputs, each times its factor. */
function weightedSum(
  context: LinearContext,
  factorOf: (input: number, outputDims: readonly number[]) => number | FloatArray | null,
): LinearMap | null {
  const output = outputDims(context)
  if (output === null) return null
  const terms: BroadcastTerm[] = []
  for (const input of varyingInputs(context)) {
    const dims = alignedDims(context, input)
    const factor = factorOf(input, output)
    if (dims === null || factor === null) return null
    terms.push({ input, dims, factor })
  }
  return broadcastMap(context.inputs.length, output, terms)
}

const sum: LinearRule = (context) => weightedSum(context, () => 1)
const difference: LinearRule = (context) => weightedSum(context, (i) => (i === 0 ? 1 : -1))
const mean: LinearRule = (context) => weightedSum(context, () => 1 / context.inputs.length)
const negation: LinearRule = (context) => weightedSum(context, () => -1)

/** Multiplication by `alpha`, with a constant added. */
const affine: LinearRule = (context) => weightedSum(context, () => floatAttribute(context.node, 'alpha', 1))

/** The elements of a constant operand, repeated to the output's dims; null where it is none. */
function constantFactor(context: LinearContext, i: number, output: readonly number[]): FloatArray | null {
  const tensor = context.varies(i) ? null : (context.inputs[i]?.constant() ?? null)
  const dims = alignedDims(context, i)
  return tensor === null || dims === null ? null : repeated(tensor.data, dims, output)
}

/** A product with one factor that varies. */
const multiple: LinearRule = (context) => {
  if (varyingInputs(context).length !== 1) return null
  return weightedSum(context, (i, output) => constantFactor(context, 1 - i, output))
}

/** A quotient by a constant. */
const fraction: LinearRule = (context) => {
  if (context.varies(1) || !isFloatType(context.inputs[0]?.type ?? null)) return null
  return weightedSum(context, (_, output) => {
    const divisor = constantFactor(context, 1, output)
    return divisor && Float64Array.from(divisor, (x) => 1 / x)
  })
}

/** Batch normalisation by stored statistics: scale / √(variance + ε) for each channel. */
const batchNormalization: LinearRule = (context) => {
  const output = outputDims(context)
  const [scale, variance] = [1, 4].map((i) =>
    context.varies(i) ? null : (context.inputs[i]?.constant() ?? null),
  )
  if (output === null || scale === null || variance === null || normalizesByData(context.node)) return null
  const epsilon = floatAttribute(context.node, 'epsilon', Math.fround(1e-5))
  const gains = Float64Array.from(scale.data, (gain, i) => gain / Math.sqrt(variance.data[i] + epsilon))
  const dims = scale.dims.length > 1 ? scale.dims : channelDims(gains.length, output.length)
  return weightedSum(context, (i) => (i === 0 ? repeated(gains, dims, output) : null))
}

/** Dims with which one number for each channel is repeated over [N, C, …]. */
export function channelDims(channels: number, rank: number): number[] {
  return rank < 2 ? [channels] : [channels, ...new Array<number>(rank - 2).fill(1)]
}

/** |bias| + |scale · mean| / √(variance + ε) for each element; null where a variance is no variance. */
const normalizedOffsets = (context: EvaluationContext): FloatArray | null => {
  const output = outputDims(context)
  const [, scale, bias, mean, variance] = context.values
  if (output === null || !scale || !bias || !mean || !variance || scale.dims.length > 1) return null
  if (!variance.data.every((x) => x >= 0)) return null
  const epsilon = floatAttribute(context.node, 'epsilon', Math.fround(1e-5))
  const sizes = Float64Array.from(scale.data, (gain, i) => {
    return Math.abs(bias.data[i]) + Math.abs(gain * mean.data[i]) / Math.sqrt(variance.data[i] + epsilon)
  })
  return repeated(sizes, channelDims(sizes.length, output.length), output)
}

/** Σ |inputs|, those that vary at 0. */
const summedOffsets = (context: EvaluationContext): FloatArray | null => {
  const output = outputDims(context)
  if (output === null) return null
  const sizes = new Float64Array(productOf(output))
  for (const [i, tensor] of context.values.entries()) {
    const dims = alignedDims(context, i)
    if (tensor === null || dims === null) return null
    const own = repeated(tensor.data, dims, output)
    for (let k = 0; k < sizes.length; k++) sizes[k] += Math.abs(own[k])
  }
  return sizes
}

/** |β·C| of Gemm, unless C alone varies: the product of two constants is a sum that nothing is known of. */
const productOffsets = (context: EvaluationContext): FloatArray | null => {
  const output = outputDims(context)
  const bias = context.values[2] ?? null
  if (output === null || !(context.varies(0) || context.varies(1))) return null
  if (bias === null) return new Float64Array(productOf(output))
  const beta = floatAttribute(context.node, 'beta', 1)
  const sizes = Float64Array.from(bias.data, (x) => Math.abs(beta * x))
  return repeated(sizes, bias.dims, output)
}

/** What the constants of affine operators add up, where they may cancel. */
export const offsetSizes: Readonly<Record<string, Calculus>> = {
  BatchNormalization: { offsetSize: normalizedOffsets },
  Gemm: { offsetSize: productOffsets },
  Sum: { offsetSize: summedOffsets },
  Mean: { offsetSize: summedOffsets },
}

/** `scale` times the data, plus a number for each channel. */
const imageScale: LinearRule = (context) =>
  weightedSum(context, () => floatAttribute(context.node, 'scale', 1))

/** The identity between floating types; rounding to a narrower one is no part of the network of real numbers. */
const cast: LinearRule = (context) => {
  const isFloat =
    isFloatType(context.inputs[0]?.type ?? null) && isFloatType(context.outputs[0]?.type ?? null)
  return isFloat ? identityMap(context.inputs.length) : null
}

/** Where with a constant condition is a movement; elementwise operators that are affine are these. */
export const elementwiseMaps = {
  Add: sum,
  Sum: sum,
  Sub: difference,
  Mean: mean,
  Neg: negation,
  Affine: affine,
  Mul: multiple,
  Div: fraction,
  BatchNormalization: batchNormalization,
  ImageScaler: imageScale,
  Cast: cast,
} satisfies Record<string, LinearRule>
