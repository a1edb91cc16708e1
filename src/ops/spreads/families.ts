import type { Node } from '../../graph/graph.ts'
import { elementwiseSpreads, slopedSpread } from './elementwise.ts'
import { linearSpreads } from './linear.ts'
import { movementSpreads } from './movement.ts'
import { first, type SpreadRule } from './rule.ts'

const standard: ReadonlyMap<string, SpreadRule> = new Map<string, SpreadRule>(
  Object.entries({ ...elementwiseSpreads, ...linearSpreads, ...movementSpreads }),
)

const sloped = first(slopedSpread)

/** How the node carries spreads; without a rule of its own as a function of each element, which it may be. */
export function spreadRule({ domain, op }: Node): SpreadRule {
  return (domain === '' ? standard.get(op) : undefined) ?? sloped
}
