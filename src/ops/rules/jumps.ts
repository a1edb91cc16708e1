import { type BoundRule, everything, type Interval, type TensorBound } from '../bound.ts'
import { unit } from './interval.ts'
import { fixed, unbounded } from './join.ts'
import { inNorms } from './norms.ts'

/**
 * Operators whose values jump, or that are no functions of their inputs at all. They carry what is the same for
 * all inputs, and refuse everything else.
 */

/** Refuses for the given reason unless nothing varies; the image holds either way. */
export function refusing(reason: string, image: Interval = everything): BoundRule {
  return inNorms((context) => context.node.outputs.map(() => ranged(context.refuse(reason), image)), 'same')
}

function ranged(bound: TensorBound, range: Interval): TensorBound {
  return { ...bound, range }
}

/** Discontinuous: equal up to an arbitrarily small change of the input, apart by a fixed amount. */
export const jumps: BoundRule = refusing('is discontinuous')

/** Discontinuous with values 0 and 1. */
export const decides: BoundRule = refusing('is discontinuous', unit)

/** Positions and counts. */
export const locates: BoundRule = refusing('is discontinuous', { lo: 0, hi: Infinity })

/** Draws anew with every run, so that not even equal inputs give equal outputs. */
export const draws: BoundRule = inNorms(
  ({ node }) => node.outputs.map(() => unbounded(node, 'draws random numbers')),
  'same',
)

/** Makes tensors of a few numbers or of a shape: the same for all inputs, unless these numbers are computed from data. */
export const makes: BoundRule = refusing('makes its output of numbers that are computed from data')

/** Sizes depend on the inputs' shapes, which are fixed. */
export const measures: BoundRule = inNorms((context) => {
  const refused = (context.input(0)?.refusal ?? null) !== null
  const sizes = fixed({ lo: 0, hi: Infinity })
  return context.node.outputs.map(() =>
    refused ? context.refuse('gives the size of what has no bound') : sizes,
  )
}, 'same')

export const discontinuousRules = { Jumps: jumps, Decides: decides, Locates: locates }
export const randomRules = { Draws: draws }
export const constantRules = { Makes: makes, Measures: measures }
