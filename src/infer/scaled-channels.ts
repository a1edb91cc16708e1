import type { FloatArray } from '../core/tensor.ts'
import type { ConvolutionOperator, DiagonalOperator, MatrixOperator } from '../linalg/linear-operator.ts'
import type { LayerSpec } from '../ops/layer.ts'

/** Covers the rounding of each scaled weight, 2⁻⁵² of itself: |δ|₂ ≤ 2⁻⁵²·‖W‖_F ≤ 2⁻⁴⁰·‖W‖₂ up to rank 2²⁴. */
const roundingFactor = 1 + 2 ** -40

/** One factor per channel; of length 1 where it is the same for all. */
type ChannelScale = () => FloatArray

/** Which factor of the input and output side a stored weight takes. */
interface Channels {
  readonly inputs: number
  readonly outputs: number
  inputOf(index: number): number
  outputOf(index: number): number
}

/**
 * D₂·W·D₁ for scales before and behind a linear layer, as a layer of the same form; null where a scale does not run
 * along the layer's channels. Factors of scales may be rounded up in size: with D = E·D̃ and |E| ≤ 1 the norm only grows.
 */
export function scaledChannels(
  linear: LayerSpec,
  before: readonly LayerSpec[],
  behind: readonly LayerSpec[],
): LayerSpec | null {
  const { operator, affine, inputShape } = linear
  if (affine === undefined || inputShape === null || operator.form === 'diagonal') return null
  const channels = channelsOf(linear, operator)
  if (channels === null) return null
  const first = before.map((scale) => factorsAlong(scale, affine.input, inputShape.length, channels.inputs))
  const last = behind.map((scale) => factorsAlong(scale, affine.output, null, channels.outputs))
  if (first.includes(null) || last.includes(null)) return null
  const load = () => scaled(operator.load(), channels, first as ChannelScale[], last as ChannelScale[])
  const weightName = [...before, linear, ...behind].map((spec) => spec.weightName).join(' · ')
  return {
    ...linear,
    weightName,
    stored: null,
    operator: { ...operator, factor: operator.factor * roundingFactor, load },
  }
}

/** The scale's factors, where they run along the given axis of its data or are one for all. */
function factorsAlong(
  scale: LayerSpec,
  axis: number,
  rank: number | null,
  count: number,
): ChannelScale | null {
  const { operator, affine, inputShape } = scale
  if (operator.form !== 'diagonal' || affine === undefined || inputShape === null) return null
  const ranks = rank ?? inputShape.length
  const same =
    fromStart(affine.input, inputShape.length) === fromStart(axis, ranks) && inputShape.length === ranks
  if (operator.size !== 1 && !(same && operator.size === count)) return null
  return () => factorsOf(operator)
}

/** The output channels of a linear layer and which of them each weight, in the operator's order, belongs to. */
export interface OutputChannels {
  readonly count: number
  of(index: number): number
}

/** Null where weights do not belong to one channel each, or the layer's axes are not known. */
export function outputChannels(layer: LayerSpec): OutputChannels | null {
  const { operator, affine } = layer
  if (affine === undefined || operator.form === 'diagonal') return null
  const channels = channelsOf(layer, operator)
  return channels && { count: channels.outputs, of: channels.outputOf }
}

const fromStart = (axis: number, rank: number) => (axis < 0 ? axis + rank : axis)

function factorsOf({ load, factor }: DiagonalOperator): FloatArray {
  return Float64Array.from(load(), (entry) => entry * factor)
}

function channelsOf(linear: LayerSpec, operator: MatrixOperator | ConvolutionOperator): Channels | null {
  return operator.form === 'matrix' ? matrixChannels(operator) : convolutionChannels(linear, operator)
}

function matrixChannels({ rows, columns, blocks, input }: MatrixOperator): Channels | null {
  if (blocks !== 1 || input === undefined) return null
  const row = (index: number) => Math.floor(index / columns)
  const column = (index: number) => index % columns
  return input === 'rows'
    ? { inputs: rows, outputs: columns, inputOf: row, outputOf: column }
    : { inputs: columns, outputs: rows, inputOf: column, outputOf: row }
}

/** A transposed convolution is stored as the convolution that it is the adjoint of: its sides are exchanged. */
function convolutionChannels({ kind }: LayerSpec, operator: ConvolutionOperator): Channels {
  const { inChannels, outChannels, groups, kernel } = operator
  const taps = kernel.reduce((product, size) => product * size, 1)
  const perGroup = inChannels / groups
  const outOf = (index: number) => Math.floor(index / (taps * perGroup))
  const inOf = (index: number) => {
    const group = Math.floor(outOf(index) / (outChannels / groups))
    return group * perGroup + (Math.floor(index / taps) % perGroup)
  }
  return kind === 'conv-transpose'
    ? { inputs: outChannels, outputs: inChannels, inputOf: outOf, outputOf: inOf }
    : { inputs: inChannels, outputs: outChannels, inputOf: inOf, outputOf: outOf }
}

function scaled(
  weights: FloatArray,
  { inputOf, outputOf }: Channels,
  before: readonly ChannelScale[],
  behind: readonly ChannelScale[],
): Float64Array {
  const result = Float64Array.from(weights)
  for (const [scales, channelOf] of [
    [before, inputOf],
    [behind, outputOf],
  ] as const) {
    for (const scale of scales) {
      const factors = scale()
      for (let i = 0; i < result.length; i++) result[i] *= factors[factors.length === 1 ? 0 : channelOf(i)]
    }
  }
  return result
}
