import { floatAttribute, intAttribute, intsAttribute } from '../../graph/attribute.ts'
import type { Algebra, Variable } from '../algebra.ts'
import type { Calculus } from '../calculus.ts'
import { sigmoid } from '../numeric/special-functions.ts'
import { swishDerivative, swishTurns, turning } from '../slopes/derivatives.ts'
import {
  type Definition,
  type DefinitionContext,
  defined,
  divided,
  multiplied,
  scaled,
  subtracted,
  summed,
} from './definition.ts'
import { channelDims } from './elementwise.ts'
import { normOver } from './reductions.ts'
import * as secants from './secants.ts'
import { productOf } from './sizes.ts'

const axesFrom = (first: number, rank: number) => Array.from({ length: rank - first }, (_, i) => first + i)

function mean(algebra: Algebra, x: Variable, axes: readonly number[]): Variable {
  return scaled(algebra, algebra.sum(x, axes), 1 / productOf(axes.map((axis) => x.dims[axis])))
}

interface Standardised {
  readonly y: Variable
  readonly mean: Variable
  readonly inverse: Variable
}

/** (x − μ)/√(σ² + ε) over the axes; without centring x/√(mean x² + ε). */
function standardised(
  algebra: Algebra,
  x: Variable,
  axes: readonly number[],
  epsilon: number,
  centred = true,
): Standardised {
  const centre = mean(algebra, x, axes)
  const shifted = centred ? algebra.zip(x, centre, subtracted) : x
  const variance = mean(algebra, algebra.zip(shifted, shifted, multiplied), axes)
  const inverse = algebra.map(
    variance,
    (value) => 1 / Math.sqrt(value + epsilon),
    (_, result) => -0.5 * result ** 3,
    secants.inverseRoot(epsilon),
  )
  return { y: algebra.zip(shifted, inverse, multiplied), mean: centre, inverse }
}

const epsilonOf = (context: DefinitionContext, fallback = 1e-5) =>
  floatAttribute(context.node, 'epsilon', Math.fround(fallback))

/** γ·y + β, where they are given. */
function rescaled(algebra: Algebra, y: Variable, gamma: Variable | null, beta: Variable | null): Variable {
  const stretched = gamma === null ? y : algebra.zip(y, gamma, multiplied)
  return beta === null ? stretched : algebra.zip(stretched, beta, summed)
}

const perChannel = (algebra: Algebra, parameter: Variable | null | undefined, rank: number) =>
  parameter ? algebra.reshape(parameter, channelDims(productOf(parameter.dims), rank)) : null

/** Over the axes from `axis` on; further outputs are the mean (where centred) and the inverse deviation. */
function layerNormalization(centred: boolean): Definition {
  return (context) => {
    const [x, gamma, beta] = context.variables
    if (!x) return null
    const axis = intAttribute(context.node, 'axis', -1)
    const axes = axesFrom(axis < 0 ? axis + x.dims.length : axis, x.dims.length)
    const { algebra } = context
    const { y, mean, inverse } = standardised(algebra, x, axes, epsilonOf(context), centred)
    const shift = centred ? (beta ?? null) : null
    return [rescaled(algebra, y, gamma ?? null, shift), ...(centred ? [mean, inverse] : [inverse])]
  }
}

/** x + skip (+ bias) normalised; the sum is the fourth output. */
function skipNormalization(centred: boolean): Definition {
  return (context) => {
    const [x, skip, gamma, ...rest] = context.variables
    const [beta, bias] = centred ? [rest[0] ?? null, rest[1] ?? null] : [null, rest[0] ?? null]
    if (!x || !skip) return null
    const { algebra } = context
    const joined = algebra.zip(x, skip, summed)
    const sum = bias === null ? joined : algebra.zip(joined, bias, summed)
    const axes = [x.dims.length - 1]
    const { y, mean, inverse } = standardised(algebra, sum, axes, epsilonOf(context, 1e-12), centred)
    return [rescaled(algebra, y, gamma ?? null, beta), mean, inverse, sum]
  }
}

const instanceNormalization: Definition = (context) => {
  const [x, gamma, beta] = context.variables
  if (!x) return null
  const { algebra } = context
  const { y } = standardised(algebra, x, axesFrom(2, x.dims.length), epsilonOf(context))
  return [
    rescaled(algebra, y, perChannel(algebra, gamma, x.dims.length), perChannel(algebra, beta, x.dims.length)),
  ]
}

/** Groups of channels; before version 21 γ and β have one entry for each group, since then one for each channel. */
const groupNormalization: Definition = (context) => {
  const [x, gamma, beta] = context.variables
  const groups = intAttribute(context.node, 'num_groups', 0)
  if (!x || !(groups >= 1) || x.dims[1] % groups !== 0) return null
  const { algebra } = context
  const [batch, channels, ...space] = x.dims
  const grouped = algebra.reshape(x, [batch, groups, channels / groups, ...space])
  const { y } = standardised(algebra, grouped, axesFrom(2, grouped.dims.length), epsilonOf(context))
  const ones = new Array<number>(space.length).fill(1)
  const aligned = (parameter: Variable | null | undefined) => {
    if (!parameter) return null
    const each = productOf(parameter.dims) === groups ? 1 : channels / groups
    return algebra.reshape(parameter, [groups, each, ...ones])
  }
  return [algebra.reshape(rescaled(algebra, y, aligned(gamma), aligned(beta)), x.dims)]
}

/** Channels last, γ and β for each channel, with x·σ(x) behind it where `activation` is 1. */
const groupNorm: Definition = (context) => {
  const [x, gamma, beta] = context.variables
  const groups = intAttribute(context.node, 'groups', 0)
  if (x?.dims.length !== 4 || intAttribute(context.node, 'channels_last', 1) !== 1) return null
  const { algebra } = context
  const [batch, height, width, channels] = x.dims
  const grouped = algebra.reshape(x, [batch, height, width, groups, channels / groups])
  const { y } = standardised(algebra, grouped, [1, 2, 4], epsilonOf(context))
  const whole = rescaled(algebra, algebra.reshape(y, x.dims), gamma ?? null, beta ?? null)
  if (intAttribute(context.node, 'activation', 0) !== 1) return [whole]
  return [
    algebra.map(
      whole,
      (value) => value * sigmoid(value),
      (value) => sigmoid(value) * (1 + value * (1 - sigmoid(value))),
      turning(swishDerivative, swishTurns),
    ),
  ]
}

/** (x − μ)/(σ + 10⁻⁹), as the function of the standard computes it. */
const meanVariance: Definition = (context) => {
  const [x] = context.variables
  if (!x) return null
  const { algebra } = context
  const axes = intsAttribute(context.node, 'axes', [0, 2, 3]).map((axis) =>
    axis < 0 ? axis + x.dims.length : axis,
  )
  const shifted = algebra.zip(x, mean(algebra, x, axes), subtracted)
  const deviation = algebra.map(
    mean(algebra, algebra.zip(shifted, shifted, multiplied), axes),
    (value) => Math.sqrt(value) + 1e-9,
    (value) => (value === 0 ? 0 : 0.5 / Math.sqrt(value)),
    secants.sqrt,
  )
  return [algebra.zip(shifted, deviation, divided)]
}

const lpNormalization: Definition = (context) => {
  const [x] = context.variables
  if (!x) return null
  const { algebra, node } = context
  const axis = intAttribute(node, 'axis', -1)
  const axes = [axis < 0 ? axis + x.dims.length : axis]
  return [algebra.zip(x, normOver(algebra, x, axes, intAttribute(node, 'p', 2)), divided)]
}

/** x·(k + α/size·Σ x²)^−β over a window of `size` channels. */
const localResponse: Definition = (context) => {
  const [x] = context.variables
  const size = intAttribute(context.node, 'size', 0)
  if (!x || !(size >= 1)) return null
  const { algebra, node } = context
  const [alpha, beta, bias] = [
    floatAttribute(node, 'alpha', 1e-4),
    floatAttribute(node, 'beta', 0.75),
    floatAttribute(node, 'bias', 1),
  ]
  const [batch, channels] = x.dims
  const inner = productOf(x.dims.slice(2))
  const before = Math.floor((size - 1) / 2)
  const places = new Int32Array(batch * channels * size * inner)
  let at = 0
  for (let item = 0; item < batch; item++) {
    for (let channel = 0; channel < channels; channel++) {
      for (let tap = 0; tap < size; tap++) {
        const from = channel - before + tap
        const isInside = from >= 0 && from < channels
        for (let i = 0; i < inner; i++) places[at++] = isInside ? (item * channels + from) * inner + i : -1
      }
    }
  }
  const squares = algebra.zip(x, x, multiplied)
  const windows = algebra.select(squares, [batch, channels, size, inner], places)
  const sums = algebra.reshape(algebra.sum(windows, [2]), x.dims)
  const factor = algebra.map(
    scaled(algebra, sums, alpha / size, bias),
    (value) => value ** -beta,
    (value) => -beta * value ** (-beta - 1),
    secants.negativePower(beta),
  )
  return [algebra.zip(x, factor, multiplied)]
}

export const normalizationCalculus: Readonly<Record<string, Calculus>> = {
  LayerNormalization: defined(layerNormalization(true)),
  RMSNormalization: defined(layerNormalization(false)),
  SimplifiedLayerNormalization: defined(layerNormalization(false)),
  SkipLayerNormalization: defined(skipNormalization(true)),
  SkipSimplifiedLayerNormalization: defined(skipNormalization(false)),
  InstanceNormalization: defined(instanceNormalization),
  GroupNormalization: defined(groupNormalization),
  GroupNorm: defined(groupNorm),
  MeanVarianceNormalization: defined(meanVariance),
  LpNormalization: defined(lpNormalization),
  LRN: defined(localResponse),
}
