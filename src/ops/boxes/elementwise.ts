import type { BoundContext, BoxRule, Interval } from '../bound.ts'
import { square } from '../rules/interval.ts'
import { mapBox, zipBoxes } from './box.ts'

/** Boxes of functions that work on each element by itself, broadcast where they have several operands. */

/** The image of an interval of input 0. */
export function elementwiseBox(image: (range: Interval, context: BoundContext) => Interval): BoxRule {
  return (context, boxOf) => {
    const box = boxOf(0)
    return [box && mapBox(box, (range) => image(range, context))]
  }
}

/** Elements with the same place after broadcasting, joined; every operand must be known. */
export function broadcastBox(
  join: (intervals: readonly Interval[], context: BoundContext) => Interval,
): BoxRule {
  return (context, boxOf) => {
    const boxes = Array.from({ length: context.inputCount }, (_, i) => i)
      .filter((i) => context.input(i) !== null)
      .map(boxOf)
    if (boxes.length === 0 || boxes.includes(null)) return [null]
    return [
      zipBoxes(
        boxes.filter((box) => box !== null),
        (intervals) => join(intervals, context),
      ),
    ]
  }
}

/** A product; of a tensor with itself the square. */
export function productBox(multiply: (intervals: readonly Interval[]) => Interval): BoxRule {
  const product = broadcastBox(multiply)
  const squared = elementwiseBox(square)
  return (context, boxOf) => {
    const [a, b] = [context.input(0), context.input(1)]
    return a !== null && a.operand.value === b?.operand.value
      ? squared(context, boxOf)
      : product(context, boxOf)
  }
}
