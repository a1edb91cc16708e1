import type { Value } from '../graph/graph.ts'
import type { BoundContext, BoundOperand, BoundRule, Box, TensorBound } from '../ops/bound.ts'
import {
  boxOfElements,
  countOf,
  hullOf,
  isUniform,
  lengthOf,
  narrowed,
  uniformBox,
} from '../ops/boxes/box.ts'
import type { ValueInfo } from '../ops/operand.ts'
import { elementsOf, rangeOf } from '../ops/rules/constant.ts'

/** The ranges of single elements that a walk has come to, where they say more than those of whole tensors. */
export interface BoxStore {
  readonly boxes: Map<Value, Box>
  /** Intervals kept so far. */
  kept: number
}

export function createBoxStore(boxes: ReadonlyMap<Value, Box> = new Map()): BoxStore {
  return { boxes: new Map(boxes), kept: 0 }
}

/**
 * Ranges and lengths of a node's outputs, narrowed by what its rule says of single elements; their boxes are kept for
 * the nodes behind, as many as the limits allow.
 */
export function narrow(
  store: BoxStore,
  context: BoundContext,
  rule: BoundRule | undefined,
  results: readonly TensorBound[],
): readonly TensorBound[] {
  for (const value of context.node.outputs) if (value !== null) store.boxes.delete(value)
  if (rule?.boxes === undefined) return results
  const known = new Map<number, Box | null>()
  const boxes = rule.boxes(context, (i) => {
    if (!known.has(i)) known.set(i, boxOf(store, context.input(i)))
    return known.get(i) ?? null
  })
  return results.map((bound, i) => {
    const [box, value, info] = [boxes[i] ?? null, context.node.outputs[i], context.output(i)]
    if (box === null || value === null || info?.shape == null || !fits(box, info)) return bound
    const own = narrowed(box, bound.range)
    if (!isUniform(own) && store.kept + own.lo.length <= context.limits.keptIntervals) {
      store.kept += own.lo.length
      store.boxes.set(value, own)
    }
    return { ...bound, range: hullOf(own), norm: Math.min(bound.norm, lengthOf(own, info.shape)) }
  })
}

/** Whether the box is one of a tensor of that shape that has elements. */
function fits({ dims, lo }: Box, { shape }: Pick<ValueInfo, 'shape'>): boolean {
  return (
    shape !== null &&
    dims.length === shape.length &&
    dims.every((dim, axis) => dim === 1 || dim === shape[axis]) &&
    lo.length === countOf(dims) &&
    lo.length > 0
  )
}

/** What is known of an operand's elements, one interval for all where that is all; null where its rank is not known. */
export function boxOf(store: BoxStore, operand: BoundOperand | null): Box | null {
  if (operand === null || operand.shape === null) return null
  const known = store.boxes.get(operand.operand.value)
  if (known !== undefined && fits(known, operand)) return known
  return (operand.isConstant ? constantBox(operand) : null) ?? uniformBox(operand.range, operand.shape.length)
}

function constantBox(operand: BoundOperand): Box | null {
  const elements = elementsOf(operand)
  if (elements === null || operand.shape === null || operand.shape.includes(null)) return null
  const dims = operand.shape as readonly number[]
  const range = rangeOf(elements)
  return boxOfElements(dims, elements) ?? (range && uniformBox(range, dims.length))
}
