import { floatAttribute, floatsAttribute } from '../../graph/attribute.ts'
import { type BoundRule, everything } from '../bound.ts'
import { countedIn } from './broadcast.ts'
import { elementsOf } from './constant.ts'
import { farthest, interval } from './interval.ts'
import { isFixed, through } from './join.ts'
import { inEvery, inNorms } from './norms.ts'

/** Operators of classical machine learning that scale, select and mend features. */

/** (x − offset)·scale, for each feature: max |scale|. */
const scaler: BoundRule = (context) => {
  const x = context.input(0)
  const scales = floatsAttribute(context.node, 'scale', [1])
  if (x === null) return [context.refuse('has no data')]
  return [through(x, farthest(interval(Math.min(...scales), Math.max(...scales))), everything)]
}

/** Columns at given positions: √(how often the most frequent one is taken). */
const extractor = inEvery((context, norm) => {
  const [x, positions] = [context.input(0), context.input(1)]
  if (x === null || positions === null) return [context.refuse('lacks an operand')]
  if (!isFixed(positions)) return [context.refuse('reads at positions that are computed from data')]
  const elements = elementsOf(positions)
  const counts = new Map<number, number>()
  for (const position of elements ?? []) counts.set(position, (counts.get(position) ?? 0) + 1)
  const known = positions.shape?.reduce<number | null>((a, b) => (a === null || b === null ? null : a * b), 1)
  const most = elements === null ? (known ?? null) : Math.max(0, ...counts.values())
  return [
    most === null
      ? context.refuse('repeats elements, how often is not known')
      : through(x, countedIn(norm, most), x.range),
  ]
})

/** Puts other values in the place of NaN, which no real number is: the identity. In the place of a number it jumps. */
const imputer: BoundRule = (context) => {
  const x = context.input(0)
  const replaced = floatAttribute(context.node, 'replaced_value_float', 0)
  if (x === null) return [context.refuse('has no data')]
  return [
    Number.isNaN(replaced)
      ? through(x, 1, x.range, x.norm)
      : context.refuse(`puts another value in the place of ${replaced}: discontinuous`),
  ]
}

export const featureRules = {
  Scaler: inNorms(scaler, 'same'),
  ArrayFeatureExtractor: extractor,
  Imputer: inNorms(imputer, 'same'),
} satisfies Record<string, BoundRule>
