import { addDown, addUp } from '../core/rounding.ts'
import type { Value } from '../graph/graph.ts'
import type { TypedGraph } from '../infer/typed-graph.ts'
import type { Box, Interval } from '../ops/bound.ts'
import type { Selected } from './selection.ts'

/** All points of the audited inputs, taken together, within a distance of one. */
export interface Ball {
  /** Elements of each audited input, by name. */
  readonly center: ReadonlyMap<string, Float64Array>
  readonly radius: number
  readonly norm: 'l2' | 'linf'
}

/** Boxes that hold the ball, by name of input; radius 0: the centre. */
export function boxesOf(
  typed: TypedGraph,
  { inputs }: Selected,
  { center, radius }: Ball,
): ReadonlyMap<string, Box> {
  return new Map(
    inputs.map((input) => {
      const elements = elementsOf(center, input)
      const box = {
        dims: typed.operand(input).shape as readonly number[],
        lo: elements.map((element) => addDown(element, -radius)),
        hi: elements.map((element) => addUp(element, radius)),
      }
      return [input.name, box]
    }),
  )
}

/** Intervals that hold the elements of each input over the ball. */
export function intervalsOf(ball: Ball): Map<string, Interval> {
  return new Map(
    Array.from(ball.center, ([name, elements]) => {
      let [lo, hi] = [Infinity, -Infinity]
      for (const element of elements) {
        lo = Math.min(lo, element)
        hi = Math.max(hi, element)
      }
      return [name, { lo: addDown(lo, -ball.radius), hi: addUp(hi, ball.radius) }]
    }),
  )
}

function elementsOf(center: Ball['center'], input: Value): Float64Array {
  const elements = center.get(input.name)
  if (elements === undefined) throw new Error(`the centre has no elements for '${input.name}'`)
  return elements
}
