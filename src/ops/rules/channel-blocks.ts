import { mulUp } from '../../core/rounding.ts'
import { intsAttribute, stringAttribute } from '../../graph/attribute.ts'
import type { BoundRule } from '../bound.ts'
import { convolved, inAnyOrder } from './fused.ts'
import { through } from './join.ts'
import { selection, selectionWithZeros } from './movement.ts'
import { companions, inEvery } from './norms.ts'
import { interpolationNorm } from './resize.ts'

/**
 * What ONNX Runtime writes when it saves a graph that it has laid out for one processor: channels stand in blocks of 8 or 16, filled up
 * by zeros. Data are permuted by that, which changes no norm; how weights stand within their shape depends on the processor,
 * so that convolutions have a bound for any order.
 */

/** Whole factors for each axis, from one element to the next or between them. */
const upsample: BoundRule = inEvery((context, by) => {
  const x = context.input(0)
  const scales = intsAttribute(context.node, 'scales', null)
  if (x === null || x.shape === null || scales?.length !== x.shape.length)
    return [context.refuse('resizes a size that is not known; give --input-shape')]
  const interpolation = {
    mode: stringAttribute(context.node, 'mode', 'nearest'),
    coordinates: stringAttribute(context.node, 'coordinate_transformation_mode', 'asymmetric'),
    nearest: 'floor',
    cubic: -0.75,
    excludeOutside: false,
    antialias: false,
    policy: 'stretch',
  }
  let gain = 1
  for (const [axis, scale] of scales.entries()) {
    const input = x.shape[axis]
    if (scale === 1) continue
    const norm =
      input === null ? null : interpolationNorm({ input, output: input * scale, scale }, interpolation, by)
    if (norm === null)
      return [context.refuse('resizes a size that is not known, or by a mode without a rule')]
    gain = mulUp(gain, norm)
  }
  return [through(x, gain, x.range)]
})

export const channelBlockRules = {
  /** act(W ⋆ x + b + Z) for weights in any order. */
  Conv: convolved(inAnyOrder((context) => context.input(1)?.shape?.slice(2) ?? [])),
  ReorderInput: companions(selectionWithZeros, (context) => selectionWithZeros(context)),
  ReorderOutput: companions(selection, (context) => selection(context)),
  Upsample: upsample,
} satisfies Record<string, BoundRule>
