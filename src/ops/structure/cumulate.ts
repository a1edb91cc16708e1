import { intAttribute } from '../../graph/attribute.ts'
import { rounderOf } from '../fold/element.ts'
import type { FoldingContext } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { multiplicativeRules } from '../rules/multiplicative.ts'
import { reductionRules } from '../rules/reduction.ts'
import { normalizeAxis } from '../shape/axes.ts'
import { likeFirstInput, requiredTensor } from '../shape/operands.ts'

/** Running sums and products along an axis, forward or reverse, with or without the element itself. */
function foldRunning(neutral: number, combine: (total: number, x: number) => number) {
  return (context: FoldingContext) => {
    const source = requiredTensor(context, 0)
    const axisEntry = requiredTensor(context, 1).data[0]
    if (Number.isNaN(axisEntry)) return null
    const { dims } = source
    const axis = normalizeAxis(context, axisEntry, dims.length)
    const exclusive = intAttribute(context.node, 'exclusive', 0) !== 0
    const reverse = intAttribute(context.node, 'reverse', 0) !== 0
    const target = context.allocate(source.type, dims)
    const round = rounderOf(source.type)
    const step = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1)
    for (let i = 0; i < source.data.length; i++) {
      if (Math.floor(i / step) % dims[axis] !== 0) continue
      let total = neutral
      for (let n = 0; n < dims[axis]; n++) {
        const at = i + (reverse ? dims[axis] - 1 - n : n) * step
        const next = round(combine(total, source.data[at]))
        target.data[at] = exclusive ? total : next
        total = next
      }
    }
    return [target]
  }
}

export const cumulateOperators = [
  {
    op: 'CumSum',
    bound: reductionRules.CumSum,
    since: 11,
    infer: likeFirstInput,
    fold: foldRunning(0, (total, x) => total + x),
  },
  {
    op: 'CumProd',
    bound: multiplicativeRules.CumProd,
    since: 26,
    infer: likeFirstInput,
    fold: foldRunning(1, (total, x) => total * x),
  },
] satisfies readonly Operator[]
