import { addDown, divUp, nextDown, sqrtDown } from '../core/rounding.ts'
import type { ElementType, FloatArray } from '../core/tensor.ts'
import type { Node } from '../graph/graph.ts'
import { outputChannels } from '../infer/scaled-channels.ts'
import type { StoredTensor } from '../onnx/stored-tensor.ts'
import { type BatchStatistics, batchStatistics } from '../ops/batch-statistics.ts'
import { rounderOf } from '../ops/fold/element.ts'
import { fusedBias } from '../ops/proportional.ts'
import type { NewElements } from './edited-copy.ts'
import { isWritable } from './element-encoding.ts'
import { placeOf } from './place.ts'
import type { Survey, SurveyedLayer } from './survey.ts'

/** Gains this near to 1 are those of a normalisation that has been folded already. */
const folded = 2 ** -20

/** What folding changes, and where it could not be done. */
export interface Folding {
  /** New elements by place. */
  readonly changes: ReadonlyMap<string, NewElements>
  readonly skipped: readonly { readonly node: string; readonly reason: string }[]
}

/**
 * Moves the gains of batch normalisations into the linear layers right before them: with d = γ/√(σ² + ε) the weights,
 * the bias and the mean are multiplied by d, channel by channel, and γ becomes √(σ² + ε), a little less where it is
 * rounded, so that the gain is proven to be at most 1. d·(Wx + b − μ) + β stays what it was but for rounding; nodes
 * stay where they are.
 */
export function foldBatchNorms(survey: Survey, layers: readonly SurveyedLayer[]): Folding {
  const changes = new Map<string, NewElements>()
  const skipped: { node: string; reason: string }[] = []
  for (const layer of layers) {
    const { node } = layer.placed
    const [output] = node.outputs
    const readers = output ? survey.uses.consumersOf(output) : []
    const next = readers.length === 1 ? readers[0].node : null
    const statistics = next === null ? null : batchStatistics(next)
    if (next === null || statistics === null || layer.merged === null) continue
    const found = foldOne(survey, layer, next, statistics)
    if (typeof found === 'string') skipped.push({ node: next.name, reason: found })
    else for (const change of found) changes.set(placeOf(change.tensor) as string, change)
  }
  return { changes, skipped }
}

/** The changes for one normalisation; a text says why there can be none. */
function foldOne(
  survey: Survey,
  { placed: { node, spec } }: SurveyedLayer,
  next: Node,
  statistics: BatchStatistics,
): readonly NewElements[] | string {
  const channels = outputChannels(spec)
  const weight = spec.stored
  if (channels === null || weight === null) return 'the weights before it are not stored as they are used'
  const [scale, mean] = [statistics.scale, statistics.mean].map((i) => storedAt(survey, next, i))
  const variance = elementsAt(survey, next, statistics.variance)
  const biasAt = fusedBias(node)
  const hasBias = biasAt !== null && node.inputs[biasAt] != null
  const bias = hasBias ? storedAt(survey, node, biasAt) : null
  if (scale === null || mean === null || variance === null || (hasBias && bias === null))
    return 'its constants are not stored as they are used'
  const changed = [weight, scale, mean, ...(bias === null ? [] : [bias])]
  for (const tensor of changed) {
    if (!isWritable(tensor.type) || placeOf(tensor) === null) return `'${tensor.name}' cannot be written`
    if (survey.uses.readersOf(tensor).length !== 1) return `'${tensor.name}' is read by other nodes, too`
  }
  const spread = variance.map((value) => value + statistics.epsilon)
  const gains = Float64Array.from(scale.load().data, (gamma, channel) => gamma / Math.sqrt(spread[channel]))
  if (gains.length !== channels.count || variance.length !== channels.count)
    return 'it has another number of channels'
  if (gains.every((gain) => Math.abs(gain - 1) <= folded)) return []
  const times = (tensor: StoredTensor, channelOf: (index: number) => number): NewElements => {
    const { data } = tensor.load()
    return { tensor, values: Float64Array.from(data, (value, i) => value * gains[channelOf(i)]) }
  }
  const each = (index: number) => index % channels.count
  const unit = Float64Array.from(variance, (value) => unitGain(value, statistics.epsilon, scale.type))
  return [
    times(weight, channels.of),
    ...(bias === null ? [] : [times(bias, each)]),
    times(mean, each),
    { tensor: scale, values: unit },
  ]
}

/** The largest γ of the type for which γ/√(σ² + ε) is proven to be at most 1. */
function unitGain(variance: number, epsilon: number, type: ElementType): number {
  const round = type === 'float32' ? Math.fround : rounderOf(type)
  const root = sqrtDown(addDown(variance, epsilon))
  let gain = round(root)
  for (let below = gain; divUp(gain, root) > 1; gain = round(below)) below = lower(below)
  return gain
}

/** A number below: by 2⁻²⁵ of it, or by one unit where that is nothing. */
function lower(x: number): number {
  return Math.min(nextDown(x), x * (1 - 2 ** -25))
}

function storedAt({ typed }: Survey, node: Node, input: number): StoredTensor | null {
  const value = node.inputs[input]
  return value ? typed.operand(value).stored : null
}

function elementsAt({ typed }: Survey, node: Node, input: number): FloatArray | null {
  const value = node.inputs[input]
  return value ? (typed.operand(value).constant()?.data ?? null) : null
}
