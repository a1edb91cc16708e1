import { intAttribute, intsAttribute, stringAttribute } from '../../graph/attribute.ts'
import { reshapeBox } from '../boxes/movement.ts'
import { entriesOf } from '../rules/constant.ts'
import { isFixed } from '../rules/join.ts'
import { first, type SpreadContext, type SpreadRule } from './rule.ts'
import { boxOfSpread, grownSpread, joinedTo, roundedSpread, type Spread, spreadOfBox } from './spread.ts'

/** Parts that are moved, and parts of what treats every channel alike. */

/** As intervals are moved; no axis may be cut in a way that is not known, for its parts would be joined as intervals are. */
const moved: SpreadRule = ({ bound, boxes, spreadOf, wholeOf }) => {
  const inputs = Array.from({ length: bound.inputCount }, (_, i) => i)
  const isKnown = bound.node.outputs.every((_, i) => bound.output(i)?.shape?.includes(null) === false)
  if (boxes === undefined || !isKnown || inputs.every((i) => spreadOf(i) === null)) return []
  const moved = boxes(bound, (i) => {
    const spread = wholeOf(i)
    return spread && boxOfSpread(spread)
  })
  return moved.map((box) => box && spreadOfBox(box))
}

const reshaped: SpreadRule = ({ bound, spreadOf }) => {
  const [spread, from, to] = [spreadOf(0), bound.input(0)?.shape, bound.output(0)?.shape]
  if (spread === null || !from || !to) return []
  const box = reshapeBox(boxOfSpread(spread), from, to, (own, dims) =>
    boxOfSpread(joinedTo(spreadOfBox(own), dims)),
  )
  return [box && spreadOfBox(box)]
}

/** Channels and samples, each mapped by itself and all alike: by the gain of the rule. */
function channelwise({ gain, spreadOf }: SpreadContext): Spread | null {
  const spread = spreadOf(0)
  if (spread === null || spread.dims.length < 2) return null
  const channels = joinedTo(
    spread,
    spread.dims.map((dim, axis) => (axis < 2 ? dim : 1)),
  )
  return grownSpread(channels, () => gain)
}

/** Where samples and channels are not resized. */
function resized(context: SpreadContext): Spread | null {
  const { node } = context.bound
  if (stringAttribute(node, 'coordinate_transformation_mode', 'half_pixel') === 'tf_crop_and_resize')
    return null
  // scales may be those of some axes alone, in any order
  if (intsAttribute(node, 'axes', null) !== null) return null
  const inputs = node.op === 'Upsample' || node.version < 11 ? [1] : [2]
  const scales = inputs.map((i) => entriesOf(context.bound.input(i)))[0]
  return scales !== null && scales.length > 2 && scales[0] === 1 && scales[1] === 1
    ? channelwise(context)
    : null
}

/** Where samples and channels are not padded. */
function padded(context: SpreadContext): Spread | null {
  const { bound } = context
  if ([1, 2, 3].some((i) => bound.input(i) !== null && !isFixed(bound.input(i)!))) return null
  if (bound.input(3) !== null) return null
  const pads = bound.node.version < 11 ? intsAttribute(bound.node, 'pads', null) : entriesOf(bound.input(1))
  const rank = bound.input(0)?.shape?.length ?? 0
  if (pads === null || pads.length !== 2 * rank || rank < 2) return null
  return [0, 1, rank, rank + 1].every((at) => pads[at] === 0) ? channelwise(context) : null
}

/** Groups of elements become one, all alike: by the gain of the rule. */
function reduced({ bound, gain, spreadOf }: SpreadContext): Spread | null {
  const [spread, given] = [spreadOf(0), bound.input(1)]
  const axes = given === null ? intsAttribute(bound.node, 'axes', null) : entriesOf(given)
  if (spread === null || axes === null || axes.length === 0) return null
  const rank = spread.dims.length
  const at = axes.map((axis) => (axis < 0 ? axis + rank : axis))
  const kept = grownSpread(
    joinedTo(
      spread,
      spread.dims.map((dim, axis) => (at.includes(axis) ? 1 : dim)),
    ),
    () => gain,
  )
  if (intAttribute(bound.node, 'keepdims', 1) !== 0) return kept
  return { ...kept, dims: kept.dims.filter((_, axis) => !at.includes(axis)) }
}

/** Scaled by the rule's gain. */
const scaled = ({ gain, spreadOf }: SpreadContext): Spread | null => {
  const spread = spreadOf(0)
  return spread && grownSpread(spread, () => gain)
}

/** Scaled and rounded: each element by ½ at most, twice. */
function quantized(context: SpreadContext): Spread | null {
  const [spread, shape] = [scaled(context), context.bound.output(0)?.shape ?? null]
  return spread && shape && roundedSpread(spread, shape)
}

export const movementSpreads = {
  Reshape: reshaped,
  Flatten: reshaped,
  Squeeze: reshaped,
  Unsqueeze: reshaped,
  Transpose: moved,
  Slice: moved,
  Split: moved,
  Concat: moved,
  MaxPool: first(channelwise),
  AveragePool: first(channelwise),
  GlobalAveragePool: first(channelwise),
  GlobalMaxPool: first(channelwise),
  Resize: first(resized),
  Upsample: first(resized),
  Pad: first(padded),
  ReduceMean: first(reduced),
  ReduceSum: first(reduced),
  ReduceMax: first(reduced),
  ReduceMin: first(reduced),
  QuantizeLinear: first(quantized),
  DequantizeLinear: first(scaled),
} satisfies Record<string, SpreadRule>
