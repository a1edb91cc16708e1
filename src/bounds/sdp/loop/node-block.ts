import { linearContext } from '../../../calculus/node-context.ts'
import type { Node, Value } from '../../../graph/graph.ts'
import type { TypedGraph } from '../../../infer/typed-graph.ts'
import type { Block } from '../../../ops/blocks/block.ts'
import { blockOf } from '../../../ops/blocks/blocks.ts'
import type { Parts } from '../../slope/parts.ts'

export interface BlockOptions {
  /** Norm bound of a node as a map from all that varies, anywhere; null where there is none. */
  readonly gainOf: (node: Node) => number | null
  /** |Δvalue|₂ per unit of change of the inputs, at most; null where there is no such bound. */
  readonly boundOf: (value: Value) => number | null
}

/** How much less a value may be known to vary by than the node's norm says, for the loop still to go through it. */
const LOOSE = 0.5

/**
 * How the loop goes through a node that is neither affine nor elementwise: by what its operator says of groups of elements,
 * or as any map from one tensor to one other with a norm bound g, |Δa| ≤ g|Δz|. Null where a value varies by much less than
 * its node's norm says, as ranges may tell, and where several inputs vary.
 */
export function nodeBlock(
  typed: TypedGraph,
  node: Node,
  { varies, sizeOf }: Pick<Parts, 'varies' | 'sizeOf'>,
  { gainOf, boundOf }: BlockOptions,
): Block | null {
  const read = node.inputs.filter((value): value is Value => value !== null && varies(value))
  const written = node.outputs.filter((value): value is Value => value !== null)
  if (read.length !== 1 || written.length !== 1 || node.captures.size > 0) return null
  const [from, to] = [read[0], written[0]]
  const [measured, size] = [sizeOf(from), sizeOf(to)]
  if (measured === null || size === null || !(measured > 0 && size > 0)) return null
  const [before, after, gain] = [boundOf(from), boundOf(to), gainOf(node)]
  if (gain === null || before === null || after === null || after < LOOSE * gain * before) return null
  const context = linearContext(typed, node, varies)
  return (context && blockOf(context)) ?? (gain > 0 ? wholeBlock(gain, measured, size) : null)
}

/** All elements in one group. */
function wholeBlock(norm: number, measured: number, size: number): Block {
  const gain = Math.sqrt(norm) * (1 + 2 ** -50)
  const times = (x: Float64Array | null | undefined) => (x ? x.map((value) => gain * value) : null)
  return {
    split: {
      apply: ([, u]) => [times(u)],
      applyAdjoint: ([a]) => [null, times(a)],
    },
    measure: { apply: ([z]) => [times(z)], applyAdjoint: ([q]) => [times(q)] },
    size,
    measured,
    groupsOf: new Int32Array(size),
    groupsMeasured: new Int32Array(measured),
    groups: 1,
    gain: gain * (1 + 2 ** -50),
    measureGain: gain * (1 + 2 ** -50),
    terms: 1,
  }
}
