import type { ElementType, Shape } from '../../core/tensor.ts'
import { intAttribute } from '../../graph/attribute.ts'
import type { LayerSpec } from '../layer.ts'
import type { InferenceContext, LayerContext, ValueInfo } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { causalRules } from '../rules/causal.ts'
import { deformRules } from '../rules/deform.ts'
import { fusedRules } from '../rules/fused.ts'
import { linearRules } from '../rules/linear.ts'
import { overlapRules } from '../rules/overlap.ts'
import { quantizationRules } from '../rules/quantization.ts'
import { normalizeAxis } from '../shape/axes.ts'
import { infoOf, requiredInput } from '../shape/operands.ts'
import { checkedInfo } from './checked-info.ts'
import { foldConvolution } from './convolution-fold.ts'
import {
  adjointOperator,
  convolutionGeometry,
  convolutionOperator,
  type Geometry,
  transposedGeometry,
} from './convolution-operator.ts'
import { dequantized } from './dequantized.ts'
import { affine, isData, layerOf, loaderOf, weightOf } from './weight.ts'

/** [N, M, …output] of a convolution of data with weights of the given geometry. */
function resultShape(data: Shape | null, geometry: Geometry): Shape | null {
  const batch = data?.[0] ?? null
  if (geometry.windows !== null) return [batch, geometry.outChannels, ...geometry.windows.output]
  return data === null ? null : [batch, geometry.outChannels, ...data.slice(2).map(() => null)]
}

/** Inference for operators whose data and weights stand at the given inputs. */
function inferWith(
  geometryOf: typeof convolutionGeometry,
  weightIndex: number,
  typeOf: (context: InferenceContext) => ElementType | null,
): (context: InferenceContext) => ValueInfo[] {
  return (context) => {
    const data = requiredInput(context, 0).shape
    const weights = requiredInput(context, weightIndex).shape
    return [infoOf(typeOf(context), resultShape(data, geometryOf(context, data, weights)))]
  }
}

const typeOfData = (context: InferenceContext) => requiredInput(context, 0).type
const int32 = (): ElementType => 'int32'

function convolutionLayers(context: LayerContext): readonly LayerSpec[] {
  const data = context.input(0)
  const weight = weightOf(context.input(1))
  if (!isData(data) || weight === null) return []
  const operator = convolutionOperator(
    convolutionGeometry(context, data.shape, weight.dims),
    loaderOf(weight.operand),
  )
  return operator === null ? [] : [layerOf(data, weight, operator, { kind: 'conv', asStored: true })]
}

function transposedLayers(context: LayerContext): readonly LayerSpec[] {
  const data = context.input(0)
  const weight = weightOf(context.input(1))
  if (!isData(data) || weight === null) return []
  const operator = adjointOperator(
    transposedGeometry(context, data.shape, weight.dims),
    loaderOf(weight.operand),
  )
  return operator === null
    ? []
    : [layerOf(data, weight, operator, { kind: 'conv-transpose', asStored: true })]
}

/** Where the quantised weights of an operator stand, with their scale (absent: the map on integers) and zero point. */
interface QuantizedInputs {
  readonly weight: number
  readonly scale: number | null
  readonly zeroPoint: number
}

/**
 * A convolution with quantised weights: the map of the real numbers that they stand for. Where the operator has
 * no scale of the weights (ConvInteger), the map of the integers, weight less zero point.
 */
function quantizedLayers(
  inputs: QuantizedInputs,
  order = plainly,
): (context: LayerContext) => readonly LayerSpec[] {
  return (context) => {
    const data = context.input(0)
    const weight = weightOf(context.input(inputs.weight))
    if (!isData(data) || weight === null) return []
    const load = dequantized(context, weight.operand, inputs, 0)
    if (load === null) return []
    const shape = order(context, data.shape)
    const operator = convolutionOperator(convolutionGeometry(context, shape, weight.dims), load)
    return operator === null ? [] : [layerOf(data, weight, operator, { kind: 'conv', asStored: false })]
  }
}

type Order = (context: Pick<LayerContext, 'node'>, shape: Shape | null) => Shape | null

const plainly: Order = (_, shape) => shape

/** The shape with channels second, of data that have them last where `channels_last` says so. */
const channelsSecond: Order = ({ node }, shape) => {
  if (shape === null || intAttribute(node, 'channels_last', 0) === 0) return shape
  return [shape[0], shape[shape.length - 1], ...shape.slice(1, -1)]
}

/** ONNX Runtime's QLinearConv: the standard's, on data that may have their channels last. */
function inferChannelsLast(context: InferenceContext): ValueInfo[] {
  const data = channelsSecond(context, requiredInput(context, 0).shape)
  const weights = requiredInput(context, 3).shape
  const shape = resultShape(data, convolutionGeometry(context, data, weights))
  const last = intAttribute(context.node, 'channels_last', 0) !== 0
  const ordered = shape === null || !last ? shape : [shape[0], ...shape.slice(2), shape[1]]
  return [infoOf(context.input(7)?.type ?? typeOfData(context), ordered)]
}

/** Channels stand last and weights in an order of the runtime's own: the shape is left open. */
function inferTypeAlone(context: InferenceContext): ValueInfo[] {
  return [infoOf(typeOfData(context), null)]
}

/** CausalConvWithState: data [N, C, T] padded by what the state holds, so T stays; the new state is like the old. */
function inferCausal(context: InferenceContext): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  const weights = context.input(1)?.shape ?? null
  const kernel = weights?.[weights.length - 1] ?? null
  const state = context.input(3)?.shape ?? null
  const [batch, channels] = shape?.length === 3 ? shape : [null, null]
  return [
    infoOf(type, shape),
    checkedInfo(context, type, state ?? [batch, channels, kernel === null ? null : kernel - 1]),
  ]
}

/** Col2Im: blocks [N, C·∏block, L] summed into an image [N, C, …image]. */
function inferCol2Im(context: InferenceContext): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  const image = context.input(1)
  const rank = image?.shape?.[0] ?? null
  const sizes = image?.smallConstant()?.data ?? null
  const blocks = context.input(2)?.smallConstant()?.data ?? null
  if (rank === null) return [infoOf(type, null)]
  const spatial = sizes === null ? new Array<null>(rank).fill(null) : Array.from(sizes, dimOrNull)
  const block = blocks === null ? Number.NaN : Array.from(blocks).reduce((product, size) => product * size, 1)
  const columns = shape?.[1] ?? null
  const channels = columns === null || !(block >= 1) ? null : columns / block
  if (channels !== null && !Number.isInteger(channels)) {
    context.fail(`${columns} rows do not divide into blocks of ${block}`)
  }
  return [checkedInfo(context, type, [shape?.[0] ?? null, channels, ...spatial])]
}

/** Windows of one axis, whose length becomes their number, with a new last axis. */
function inferUnfolded(context: InferenceContext): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  if (shape === null) return [infoOf(type, null)]
  const [axis, size, step] = ['dim', 'size', 'step'].map((name) =>
    intAttribute(context.node, name, name === 'dim' ? -1 : 1),
  )
  const at = normalizeAxis(context, axis, shape.length)
  const dim = shape[at]
  const windows = dim === null || !(step >= 1) ? null : Math.floor((dim - size) / step) + 1
  return [checkedInfo(context, type, [...shape.with(at, windows), size])]
}

const dimOrNull = (entry: number) => (Number.isNaN(entry) ? null : entry)

const channels = { input: 1, output: 1 }

export const inferConvolution = inferWith(convolutionGeometry, 1, typeOfData)

export const convolutions: readonly Operator[] = [
  {
    op: 'Conv',
    bound: linearRules.Conv,
    infer: inferConvolution,
    fold: foldConvolution,
    layers: affine(convolutionLayers, () => channels),
  },
  {
    op: 'ConvTranspose',
    bound: linearRules.ConvTranspose,
    infer: inferWith(transposedGeometry, 1, typeOfData),
    layers: affine(transposedLayers, () => channels),
  },
  {
    op: 'ConvInteger',
    bound: quantizationRules.IntegerProduct,
    since: 10,
    infer: inferWith(convolutionGeometry, 1, int32),
    layers: quantizedLayers({ weight: 1, scale: null, zeroPoint: 3 }),
  },
  {
    op: 'QLinearConv',
    bound: quantizationRules.QLinearConv,
    since: 10,
    infer: inferWith(convolutionGeometry, 3, (context) => context.input(7)?.type ?? typeOfData(context)),
    layers: quantizedLayers({ weight: 3, scale: 4, zeroPoint: 5 }),
  },
  {
    op: 'FusedConv',
    bound: fusedRules.FusedConv,
    domain: 'com.microsoft',
    infer: inferConvolution,
    layers: convolutionLayers,
  },
  { op: 'NhwcConv', bound: fusedRules.NhwcConv, domain: 'com.microsoft', infer: inferTypeAlone },
  { op: 'NhwcFusedConv', bound: fusedRules.NhwcFusedConv, domain: 'com.microsoft', infer: inferTypeAlone },
  {
    op: 'QLinearConv',
    bound: quantizationRules.QLinearConv,
    domain: 'com.microsoft',
    infer: inferChannelsLast,
    layers: quantizedLayers({ weight: 3, scale: 4, zeroPoint: 5 }, channelsSecond),
  },
  // Offsets move the windows of DeformConv: only its shape is that of a convolution.
  { op: 'DeformConv', bound: deformRules.DeformConv, since: 19, infer: inferConvolution },
  { op: 'CausalConvWithState', bound: causalRules.CausalConvWithState, since: 27, infer: inferCausal },
  {
    op: 'CausalConvWithState',
    bound: causalRules.CausalConvWithState,
    domain: 'com.microsoft',
    infer: inferCausal,
  },
  { op: 'Col2Im', bound: overlapRules.Col2Im, since: 18, infer: inferCol2Im },
  { op: 'UnfoldTensor', bound: overlapRules.UnfoldTensor, domain: 'com.microsoft', infer: inferUnfolded },
]
