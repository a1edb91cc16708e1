import * as mag from '../../core/magnitude.ts'
import { addDown, divUp, mulUp, sqrtDown } from '../../core/rounding.ts'
import type { FloatArray } from '../../core/tensor.ts'
import { floatAttribute, intAttribute, intsAttribute } from '../../graph/attribute.ts'
import type { BoundContext, BoundOperand } from '../bound.ts'
import { realWeights } from '../boxes/quantized.ts'
import { scaleOf } from '../rules/codes.ts'
import { elementsOf } from '../rules/constant.ts'
import { isFixed } from '../rules/join.ts'
import {
  type Affine,
  convolutionLayout,
  gemmLayout,
  matrixLayout,
  transposedLayout,
} from '../rules/weight-layout.ts'
import { first, type SpreadContext, type SpreadRule } from './rule.ts'
import { emptySpread, grownSpread, joinedTo, roundedSpread, type Spread } from './spread.ts'
import { channelSums, type TapClasses, tapClasses } from './weights.ts'

/** Channels of linear maps with constant weights. */

type PartsRule = (context: SpreadContext) => Spread | null

/** Beyond that many weights channels are not followed through a layer. */
const mostWeights = 2 ** 21

/** Weights with their factor; their values where they are not the operand's elements. */
type Weights = Pick<Affine, 'weights' | 'layout' | 'alpha'> & { readonly values?: FloatArray }

/** The parts of the data along one axis alone; null where it has none there. */
function along(spread: Spread | null, axis: number, size: number): Spread | null {
  if (spread === null) return null
  const own = joinedTo(
    spread,
    spread.dims.map((dim, at) => (at === axis ? dim : 1)),
  )
  return own.dims[axis] === size ? own : null
}

/** Outputs of y = Wx + b by channels; data of which no parts are known vary as a whole. */
function mapped(
  { spreadOf }: SpreadContext,
  data: BoundOperand,
  { weights, layout, alpha, values }: Weights,
  taps: TapClasses,
  axis: number,
): Spread | null {
  const count = layout.groups * layout.outer * layout.outputs * layout.inner
  const elements = count > mostWeights ? null : (values ?? elementsOf(weights))
  const rank = data.shape?.length ?? 0
  if (elements === null || elements.length !== count || axis >= rank || axis < 0) return null
  const inputs = (layout.groups * layout.outer * layout.inner) / layout.taps
  const parts = along(spreadOf(0), axis, inputs)
  const { sums, norms } = channelSums(
    elements,
    layout,
    taps,
    parts === null ? [] : [parts.lipschitz, parts.offset],
  )
  const dims = new Array<number>(rank).fill(1).with(axis, norms.length)
  const result = emptySpread(dims)
  const size = Math.abs(alpha)
  const [whole, rest] = [mag.toNumber(data.lipschitz.value), mag.toNumber(data.offset.value)]
  for (let output = 0; output < norms.length; output++) {
    const [lipschitz, offset] = [mulUp(norms[output], whole), mulUp(norms[output], rest)]
    const isLess = parts !== null && sums[0][output] < lipschitz
    result.lipschitz[output] = mulUp(size, isLess ? sums[0][output] : lipschitz)
    result.offset[output] = mulUp(size, isLess ? sums[1][output] : offset)
  }
  return result
}

function windows(layoutOf: (context: BoundContext) => Affine | null): PartsRule {
  return (context) => {
    const { bound } = context
    const data = bound.input(0)
    if (data === null || [1, 2].some((i) => !isConstantOrAbsent(bound.input(i)))) return null
    const affine = layoutOf(bound)
    const taps = tapsOf(bound, bound.input(1))
    return affine && taps && mapped(context, data, affine, taps, 1)
  }
}

function tapsOf({ node }: BoundContext, weights: BoundOperand | null): TapClasses | null {
  const kernel = weights?.shape?.slice(2) ?? []
  const [strides, dilations] = ['strides', 'dilations'].map(
    (name) => intsAttribute(node, name, null) ?? kernel.map(() => 1),
  )
  if (kernel.includes(null) || strides.length !== kernel.length || dilations.length !== kernel.length)
    return null
  if (![...strides, ...dilations].every((size) => size >= 1 && size <= 64)) return null
  return tapClasses(kernel as number[], strides, dilations)
}

/** QLinearConv: of the real numbers, in units of the result's scale, and rounded. */
const quantizedConvolution: PartsRule = (context) => {
  const { bound } = context
  const [data, weights] = [bound.input(0), bound.input(3)]
  const [from, to] = [1, 6].map((i) => scaleOf(bound.input(i)))
  const values = realWeights(bound, 3)
  if (data === null || weights === null || from === null || to === null || values === null) return null
  if (!(to.least > 0) || intAttribute(bound.node, 'channels_last', 0) !== 0) return null
  const affine = convolutionLayout({ ...bound, input: (i) => (i === 1 ? weights : null) })
  const taps = tapsOf(bound, weights)
  const shape = bound.output(0)?.shape ?? null
  if (affine === null || taps === null || shape === null) return null
  const alpha = divUp(from.largest, to.least)
  const spread = mapped(context, data, { ...affine, alpha, values }, taps, 1)
  return spread && roundedSpread(spread, shape)
}

function isConstantOrAbsent(operand: BoundOperand | null): boolean {
  return operand === null || isFixed(operand)
}

/** |γ|/√(σ² + ε) of each channel. */
const batchNormalization: PartsRule = ({ bound, spreadOf }) => {
  const [spread, channels] = [spreadOf(0), bound.input(0)?.shape?.[1] ?? null]
  if (spread === null || channels === null || spread.dims[1] !== channels) return null
  if (bound.layerNorm() === null || [1, 2, 3, 4].some((i) => !isConstantOrAbsent(bound.input(i)))) return null
  const [gamma, variance] = [1, 4].map((i) => elementsOf(bound.input(i)))
  if (gamma?.length !== channels || variance?.length !== channels) return null
  const epsilon = floatAttribute(bound.node, 'epsilon', Math.fround(1e-5))
  const inner = spread.dims.slice(2).reduce((product, dim) => product * dim, 1)
  return grownSpread(spread, (part) => {
    const channel = Math.floor(part / inner) % channels
    const below = sqrtDown(addDown(variance[channel], epsilon))
    return below > 0 ? divUp(Math.abs(gamma[channel]), below) : Number.POSITIVE_INFINITY
  })
}

const plain: TapClasses = { classOf: new Int32Array(1), count: 1 }

/** Data on the left of constant weights. */
const gemm: PartsRule = (context) => {
  const { bound } = context
  const [data, weights, bias] = [0, 1, 2].map((i) => bound.input(i))
  if (data === null || weights === null || !isFixed(weights) || !isConstantOrAbsent(bias)) return null
  if (data.shape?.length !== 2 || intAttribute(bound.node, 'transA', 0) !== 0) return null
  const affine = gemmLayout(bound, data)
  return affine && mapped(context, data, affine, plain, 1)
}

const matmul: PartsRule = (context) => {
  const [data, weights] = [context.bound.input(0), context.bound.input(1)]
  const layout = weights !== null && isFixed(weights) ? matrixLayout(weights, false) : null
  const rank = data?.shape?.length ?? 0
  if (data === null || weights === null || layout === null || rank < 2) return null
  return mapped(context, data, { weights, layout, alpha: 1 }, plain, rank - 1)
}

export const linearSpreads = {
  Conv: first(windows(convolutionLayout)),
  ConvTranspose: first(windows(transposedLayout)),
  Gemm: first(gemm),
  MatMul: first(matmul),
  QLinearConv: first(quantizedConvolution),
  BatchNormalization: first(batchNormalization),
} satisfies Record<string, SpreadRule>
