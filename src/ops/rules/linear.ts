import * as mag from '../../core/magnitude.ts'
import { addUp, mulUp } from '../../core/rounding.ts'
import { type Dim, type Shape, sizeOf } from '../../core/tensor.ts'
import { floatAttribute, intAttribute } from '../../graph/attribute.ts'
import {
  type BoundContext,
  type BoundOperand,
  type BoundRule,
  everything,
  type Interval,
  type NormRule,
} from '../bound.ts'
import { affineBoxes, channelBoxes, type Placed } from '../boxes/linear.ts'
import { withBoxes } from '../boxes/rule.ts'
import { copies, rootOf, unknownCopies } from './broadcast.ts'
import { elementsOf } from './constant.ts'
import { difference, farthest, hull, interval, negative, product, sum } from './interval.ts'
import { added, addedIn, isFixed, type Part, through } from './join.ts'
import { inNorms, repeated } from './norms.ts'
import { overReals } from './reals.ts'
import { sourceOf } from './source.ts'
import {
  type Affine,
  biasNorm,
  convolutionLayout,
  gemmLayout,
  imageOf,
  matrixLayout,
  transposedLayout,
} from './weight-layout.ts'

/**
 * Linear maps with constant weights: |Δ(Wx + b)| ≤ ‖W‖₂·|Δx|, ‖W‖₂ the norm of the operator on one batch element
 * at its real size, which the layer's measurement encloses. A bias that is constant does not vary.
 */

export const bilinear =
  'multiplies two tensors that both depend on the input and have no proven bounds: not Lipschitz on an unbounded domain; give --input-range'

function varying(operand: BoundOperand | null): operand is BoundOperand {
  return operand !== null && !isFixed(operand)
}

/**
 * The norm of the node's layer times what the data varies; null where there is no layer. Ranges and ℓ2 norms go
 * through ‖W‖·‖x‖ + ‖b‖ and, where the weights' layout is known, through each output's own weights.
 */
function weighted(context: BoundContext, data: BoundOperand, affine: Affine | null = null) {
  const gain = context.layerNorm()
  if (gain === null) return null
  const size = mulUp(mag.toNumber(gain.value), data.norm)
  if (affine === null) return through(data, gain, everything)
  const image = imageOf(data, affine)
  return through(data, gain, image, addUp(size, biasNorm(context, affine)))
}

/** A linear map in ℓ∞ and ℓ1: the layer's norm is that of the norm asked for, lengths are those of ℓ2 and not known here. */
function weightedIn(context: BoundContext, data: BoundOperand, affine: Affine | null) {
  const gain = context.layerNorm()
  return gain && through(data, gain, affine === null ? everything : imageOf(data, affine))
}

/**
 * Data at input 0, weights and further operands constant. Padding shows as outputs that see a part of their
 * weights; so does the stride of a transposed convolution.
 */
function withWeights(
  constants: readonly number[],
  layoutOf: (context: BoundContext) => Affine | null,
): BoundRule {
  const rule = (context: BoundContext, map: typeof weightedIn) => {
    const data = context.input(0)
    if (constants.some((i) => varying(context.input(i)))) {
      return [context.refuse(varying(data) ? bilinear : 'has weights that are computed from data')]
    }
    if (!varying(data)) return [context.refuse('has no data')]
    return [map(context, data, layoutOf(context)) ?? context.refuse('has weights that are not constant')]
  }
  return inNorms(
    (context) => rule(context, weighted),
    (context) => rule(context, weightedIn),
  )
}

/** The largest √copies of a bias that is added to a result of the given shape. */
function biasGain(bias: BoundOperand, output: Shape | null) {
  const count = copies(bias.shape, [output], output)
  return count === null ? null : rootOf(count)
}

/** α·A′·B′ + β·C: one of A and B is data, and so may C be. */
const gemm: BoundRule = (context) => {
  const [a, b, c] = [context.input(0), context.input(1), context.input(2)]
  if (varying(a) && varying(b)) return [context.refuse(bilinear)]
  const data = varying(a) ? a : varying(b) ? b : null
  const linear = data === null ? null : weighted(context, data, gemmLayout(context, data))
  if (data !== null && linear === null) return [context.refuse('has weights that are not constant')]
  if (!varying(c)) return [linear ?? context.refuse('has no data')]
  const gain = biasGain(c, context.output(0)?.shape ?? null)
  if (gain === null) return [context.refuse(unknownCopies)]
  const beta = mag.magnitude(Math.abs(floatAttribute(context.node, 'beta', 1)))
  const parts = linear === null ? [] : [{ bound: linear, gain: 1 }]
  return [added([...parts, { bound: c, gain: mag.multiply(gain, beta) }], everything)]
}

/** As in ℓ2; C counts as often as the norm counts its copies. */
const gemmIn: NormRule = (context, norm) => {
  const [a, b, c] = [context.input(0), context.input(1), context.input(2)]
  if (varying(a) && varying(b)) return [context.refuse(bilinear)]
  const data = varying(a) ? a : varying(b) ? b : null
  const linear = data === null ? null : weightedIn(context, data, gemmLayout(context, data))
  if (data !== null && linear === null) return [context.refuse('has weights that are not constant')]
  if (!varying(c)) return [linear ?? context.refuse('has no data')]
  const output = context.output(0)?.shape ?? null
  const count = copies(c.shape, [output], output)
  if (count === null) return [context.refuse(unknownCopies)]
  const gain = mulUp(repeated[norm](count), Math.abs(floatAttribute(context.node, 'beta', 1)))
  const parts = linear === null ? [] : [{ bound: linear, gain: 1 }]
  return [addedIn(norm, [...parts, { bound: c, gain }], everything)]
}

/**
 * With one constant factor its norm; with two that vary, element by element, |Δ(AB)| ≤ |A|·|ΔB| + |ΔA|·|B|: for A [m, k] and B [k, n]
 * of at most a and b, k·a and k·b in ℓ∞, m·a and n·b in ℓ1, and 1 in ℓ∞ for rows of A that are distributions.
 */
const matmulIn: NormRule = (context, norm) => {
  const [a, b] = [context.input(0), context.input(1)]
  if (a === null || b === null) return [context.refuse('lacks an operand')]
  if (varying(a) !== varying(b)) {
    const data = varying(a) ? a : b
    const linear = weightedIn(context, data, placedMatMul(context)?.affine ?? null)
    if (linear !== null) return [linear]
  }
  const [rows, inner, columns] = [a.shape?.at(-2), a.shape?.at(-1), b.shape?.at(-1)]
  if (
    (a.shape?.length ?? 0) < 2 ||
    (b.shape?.length ?? 0) < 2 ||
    rows == null ||
    inner == null ||
    columns == null
  )
    return [context.refuse('multiplies matrices of sizes that are not known; give --input-shape')]
  const output = context.output(0)?.shape ?? null
  const times = { linf: [inner, inner], l1: [columns, rows] }[norm]
  const parts: Part[] = []
  for (const [i, [own, other]] of [
    [a, b],
    [b, a],
  ].entries()) {
    if (!varying(own)) continue
    const isAverage = norm === 'linf' && i === 1 && holdsDistributions(other)
    const sum = isAverage ? 1 : mulUp(times[i], farthest(other.range))
    if (!(sum < Infinity))
      return [context.refuse(varying(other) ? bilinear : 'multiplies by a matrix that is not known')]
    const count = copies(batch(own.shape), [batch(other.shape)], batch(output))
    if (count === null) return [context.refuse(unknownCopies)]
    parts.push({ bound: own, gain: mulUp(sum, repeated[norm](count)) })
  }
  return [addedIn(norm, parts, holdsDistributions(a) ? b.range : productRange(a, b))]
}

/** √(elements of one matrix)·sup|x| ≥ ‖X‖_F ≥ ‖X‖₂ for each matrix of a batch; nor is it longer than all
 * of them. Rows of non-negative numbers that sum to 1 have the length 1 at most: √rows. */
export function matrixNorm(operand: BoundOperand): mag.Magnitude | null {
  const size = sizeOf(operand.shape?.slice(-2) ?? [null])
  const rows = operand.shape?.at(-2) ?? null
  if (rows !== null && holdsDistributions(operand)) return rootOf(rows)
  const largest = farthest(operand.range)
  const byRange = size === null ? Infinity : mag.toNumber(mag.multiply(rootOf(size), mag.magnitude(largest)))
  const least = Math.min(operand.norm, byRange)
  return least === Infinity ? null : mag.magnitude(least)
}

const batch = (shape: Shape | null): Shape | null => shape?.slice(0, -2) ?? null

export function batchCopies(own: BoundOperand, other: BoundOperand, output: Shape | null) {
  const count = copies(batch(own.shape), [batch(other.shape)], batch(output))
  return count === null ? null : rootOf(count)
}

/**
 * A·B. With one constant factor the layer's norm; with two that vary, |Δ(AB)| ≤ sup‖A‖·|ΔB| + sup‖B‖·|ΔA| for
 * each matrix of the batch, norms from the ranges; a factor that is broadcast over the batch counts √copies.
 */
const matmul: BoundRule = (context) => {
  const [a, b] = [context.input(0), context.input(1)]
  if (a === null || b === null) return [context.refuse('lacks an operand')]
  const data = !varying(a) ? b : !varying(b) ? a : null
  if (data !== null) {
    const weights = data === a ? b : a
    const layout = matrixLayout(weights, data === b)
    const rest = { partial: false, bias: null, biasByOutput: false, alpha: 1, beta: 1 }
    const linear = weighted(context, data, layout && { weights, layout, ...rest })
    if (linear !== null || !varying(data)) return [linear ?? context.refuse('has no data')]
  }
  const output = context.output(0)?.shape ?? null
  const parts = []
  for (const [own, other] of [
    [a, b],
    [b, a],
  ]) {
    if (!varying(own)) continue
    const norm = matrixNorm(other)
    if (norm === null)
      return [context.refuse(varying(other) ? bilinear : 'multiplies by a matrix that is not known')]
    if ((own.shape?.length ?? 0) < 2 || (other.shape?.length ?? 0) < 2) {
      return [context.refuse('multiplies a vector by a matrix that is not constant')]
    }
    const repeated = batchCopies(own, other, output)
    if (repeated === null) return [context.refuse(unknownCopies)]
    parts.push({ bound: own, gain: mag.multiply(norm, repeated) })
  }
  const image = holdsDistributions(a) ? b.range : productRange(a, b)
  return [added(parts, image)]
}

/** Data on the left of constant weights, or on the right. */
function placedMatMul(context: BoundContext): Placed | null {
  const [a, b] = [context.input(0), context.input(1)]
  if (a === null || b === null || varying(a) === varying(b)) return null
  const [data, weights] = varying(a) ? [0, b] : [1, a]
  const layout = matrixLayout(weights, data === 1)
  const axis = data === 0 ? -1 : -2
  const affine = layout && {
    weights,
    layout,
    partial: false,
    bias: null,
    biasByOutput: false,
    alpha: 1,
    beta: 1,
  }
  return affine && { data, affine, inputAxis: axis, outputAxis: axis, keepsOthers: true }
}

function placedGemm(context: BoundContext): Placed | null {
  const [a, b] = [context.input(0), context.input(1)]
  if (varying(a) === varying(b)) return null
  const data = varying(a) ? 0 : 1
  const affine = gemmLayout(context, varying(a) ? a : b!)
  const outputAxis = data === 0 ? -1 : -2
  const isTransposed = intAttribute(context.node, data === 0 ? 'transA' : 'transB', 0) !== 0
  const inputAxis = isTransposed ? -3 - outputAxis : outputAxis
  return affine && { data, affine, inputAxis, outputAxis, keepsOthers: true }
}

/** Windows slide over the axes behind the channels. */
function windows(
  layoutOf: (context: BoundContext) => Affine | null,
): (context: BoundContext) => Placed | null {
  return (context) => {
    const affine = layoutOf(context)
    return affine && { data: 0, affine, inputAxis: 1, outputAxis: 1, keepsOthers: false }
  }
}

/** Whether the last axis holds distributions: the operand is a Softmax along it. */
function holdsDistributions({ operand, shape }: BoundOperand): boolean {
  const producer = sourceOf(operand.value).producer
  if (producer?.op !== 'Softmax' || producer.domain !== '') return false
  const axis = intAttribute(producer, 'axis', producer.version >= 13 ? -1 : 1)
  return axis === -1 || (shape !== null && axis === shape.length - 1)
}

/** |Σ aᵢbᵢ| ≤ n·sup|a|·sup|b|. */
function productRange(a: BoundOperand, b: BoundOperand) {
  const inner: Dim = a.shape?.at(-1) ?? null
  const size = inner === null ? Infinity : inner * farthest(a.range) * farthest(b.range) * (1 + 1e-12)
  return size < Infinity ? interval(-size, size) : everything
}

/** γ(x − μ)/√(σ² + ε) + β with constant statistics: a diagonal map. In training mode it mixes the batch. */
const batchNormalization: BoundRule = (context) => {
  const { node } = context
  const x = context.input(0)
  const training =
    node.version >= 14
      ? intAttribute(node, 'training_mode', 0) !== 0
      : node.version >= 7
        ? context.outputCount > 1
        : intAttribute(node, 'is_test', 0) === 0
  if (training)
    return context.node.outputs.map(() =>
      context.refuse('runs in training mode: it mixes the samples of a batch'),
    )
  if ([1, 2, 3, 4].some((i) => varying(context.input(i))))
    return [context.refuse('has statistics that are computed from data')]
  if (!varying(x)) return [context.refuse('has no data')]
  const gain = context.layerNorm()
  if (gain === null) return [context.refuse('has statistics that are not constant')]
  return [through(x, gain, normalizedImage(context, x))]
}

/** γ·(x − μ)/√(σ² + ε) + β of one channel; null where the parameters are not known. */
function normalizedChannels(context: BoundContext): ((range: Interval, channel: number) => Interval) | null {
  const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((i) => elementsOf(context.input(i)))
  if (gamma === null || beta === null || mean === null || variance === null) return null
  // before version 9 each place of a channel might have parameters of its own (`spatial` = 0)
  if (context.input(1)?.shape?.length !== 1) return null
  const epsilon = floatAttribute(context.node, 'epsilon', Math.fround(1e-5))
  return (range, channel) => {
    const scale = gamma[channel] / Math.sqrt(variance[channel] + epsilon)
    // roundings of the scale, covered by its relative error
    const size = interval(Math.abs(scale) * (1 - 1e-12), Math.abs(scale) * (1 + 1e-12))
    const centred = difference(range, interval(mean[channel], mean[channel]))
    return sum(product(scale < 0 ? negative(centred) : centred, size), interval(beta[channel], beta[channel]))
  }
}

/** The hull of all channels. */
function normalizedImage(context: BoundContext, x: BoundOperand): Interval {
  const imageOf = farthest(x.range) === Infinity ? null : normalizedChannels(context)
  const channels = context.input(1)?.shape?.[0] ?? 0
  if (imageOf === null || !(channels > 0)) return everything
  return Array.from({ length: channels }, (_, channel) => imageOf(x.range, channel)).reduce(hull)
}

export const linearRules = {
  Gemm: withBoxes(overReals(inNorms(gemm, gemmIn)), affineBoxes(placedGemm)),
  MatMul: withBoxes(overReals(inNorms(matmul, matmulIn)), affineBoxes(placedMatMul)),
  Conv: withBoxes(withWeights([1, 2], convolutionLayout), affineBoxes(windows(convolutionLayout))),
  ConvTranspose: withBoxes(withWeights([1, 2], transposedLayout), affineBoxes(windows(transposedLayout))),
  /** A diagonal map has the same norm in all of them. */
  BatchNormalization: withBoxes(inNorms(batchNormalization, 'same'), channelBoxes(normalizedChannels)),
  /** scale·x + bias per channel, of the first versions of the standard. */
  ImageScaler: inNorms((context) => {
    const x = context.input(0)
    const scale = Math.abs(floatAttribute(context.node, 'scale', 1))
    return [x === null ? context.refuse('has no data') : through(x, context.layerNorm() ?? scale, everything)]
  }, 'same'),
} satisfies Record<string, BoundRule>
