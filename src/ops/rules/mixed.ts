import { type ElementType, isFloatType } from '../../core/tensor.ts'
import { intAttribute } from '../../graph/attribute.ts'
import type { BoundContext, BoundRule, BoxRule } from '../bound.ts'
import { withBoxes } from '../boxes/rule.ts'
import { isFixed, through } from './join.ts'
import { inNorms } from './norms.ts'

/** Operators of which some outputs follow their data and others jump. */

/** Sorted values: sorting only brings sequences closer (rearrangement), and the first k of them no less. */
const topK: BoundRule = (context) => {
  const [x, k] = [context.input(0), context.input(1)]
  const unsorted = intAttribute(context.node, 'sorted', 1) === 0
  return context.node.outputs.map((_, i) => {
    if (x === null || (k !== null && !isFixed(k)))
      return context.refuse('selects a number of elements that is computed from data')
    if (i > 0) return context.refuse('gives positions, which jump')
    return unsorted
      ? context.refuse('gives elements in an order that is not defined')
      : through(x, 1, x.range)
  })
}

const wide: ReadonlySet<ElementType> = new Set(['float16', 'bfloat16', 'float32', 'float64'])

/** Between floating-point types of 16 bits and more the identity, as rounding is not modelled; to integers it jumps. */
const cast: BoundRule = (context: BoundContext) => {
  const x = context.input(0)
  const to = context.output(0)?.type ?? null
  if (x === null) return [context.refuse('has no data')]
  if (to !== null && wide.has(to)) return [through(x, 1, x.range)]
  const follows = to !== null && x.info.type !== null && widens(x.info.type, to)
  return [
    follows
      ? through(x, 1, x.range)
      : context.refuse('rounds data to integers or to few bits: discontinuous'),
  ]
}

/** Between floating-point types values stay what they are; to others they are rounded. */
const castBox: BoxRule = (context, boxOf) => {
  const to = context.output(0)?.type ?? null
  return [to !== null && wide.has(to) ? boxOf(0) : null]
}

/** Whether every value of one type is one of the other, for integers. */
function widens(from: ElementType, to: ElementType): boolean {
  if (from === to) return true
  if (isFloatType(from) || bits(from) === 0) return false
  return bits(to) > bits(from) && (to.startsWith('int') || from.startsWith('uint'))
}

/** Width of an integer type; 0 for others. */
function bits(type: ElementType): number {
  const width = Number.parseInt(type.replace(/^\D+/, ''), 10)
  return /^u?int\d/.test(type) ? width : 0
}

export const mixedRules = {
  /** Sorted values are no further apart in any of the norms. */
  TopK: inNorms(topK, 'same'),
  Cast: withBoxes(inNorms(cast, 'same'), castBox),
} satisfies Record<string, BoundRule>
