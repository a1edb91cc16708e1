import type { Node } from '../../graph/graph.ts'
import type { BoundRule } from '../bound.ts'
import { mapElements } from '../fold/elementwise.ts'
import type { FoldingContext } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { biasedRules } from '../rules/biased.ts'
import { elementwiseRules } from '../rules/elementwise.ts'
import { jumps } from '../rules/jumps.ts'
import { rangedRules } from '../rules/ranged.ts'
import { knownOutput, likeFirstInput, requiredTensor } from '../shape/operands.ts'

/** The function that a node applies to every element, its attributes read. */
type ScalarRule = (node: Node) => (x: number) => number

const bounds = {
  ...elementwiseRules,
  ...rangedRules,
  QuickGelu: biasedRules.QuickGelu,
  Sign: jumps,
  Floor: jumps,
  Ceil: jumps,
  Round: jumps,
} satisfies Record<string, BoundRule>

/** An operator that applies one function to every element of its first input. */
export function elementary(
  op: keyof typeof bounds,
  rule: ScalarRule,
  rest: Partial<Operator> = {},
): Operator {
  return {
    op,
    bound: bounds[op],
    infer: likeFirstInput,
    fold: (context: FoldingContext) => {
      const output = knownOutput(context)
      if (output === null) return null
      const target = context.allocate(output.type, output.dims)
      return [mapElements(requiredTensor(context, 0), target, rule(context.node))]
    },
    ...rest,
  }
}
