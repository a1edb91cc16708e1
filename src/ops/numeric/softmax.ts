import type { Tensor } from '../../core/tensor.ts'
import { intAttribute } from '../../graph/attribute.ts'
import { rounderOf } from '../fold/element.ts'
import type { FoldingContext, InferenceContext, ValueInfo } from '../operand.ts'
import type { Operator } from '../operator.ts'
import { decides } from '../rules/jumps.ts'
import { softmaxRules } from '../rules/softmax.ts'
import { normalizeAxis } from '../shape/axes.ts'
import { infoOf, knownOutput, requiredInput, requiredTensor } from '../shape/operands.ts'

interface AxisContext {
  readonly node: FoldingContext['node']
  fail(message: string): never
}

/**
 * The axes that one group of Softmax and its kin spans: since version 13 the single axis `axis` (default −1),
 * before that all axes from `axis` (default 1) on.
 */
export function softmaxAxes(
  context: AxisContext,
  rank: number,
): { readonly from: number; readonly to: number } {
  const single = context.node.version >= 13
  const given = intAttribute(context.node, 'axis', single ? -1 : 1)
  if (!single && (given === rank || rank === 0)) return { from: rank, to: rank }
  const from = normalizeAxis(context, given, rank)
  return { from, to: single ? from + 1 : rank }
}

function inferSoftmax(context: InferenceContext): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  if (shape !== null && shape.length > 0) softmaxAxes(context, shape.length)
  return [infoOf(type, shape)]
}

/** What each entry of a group becomes, given the group's largest entry and Σ e^(x − largest). */
type GroupRule = (x: number, largest: number, total: number) => number

function foldGroups(rule: GroupRule): (context: FoldingContext) => readonly Tensor[] | null {
  return (context) => {
    const output = knownOutput(context)
    if (output === null || output.dims.length === 0) return null
    const { data } = requiredTensor(context, 0)
    const target = context.allocate(output.type, output.dims)
    const { from, to } = softmaxAxes(context, output.dims.length)
    const length = output.dims.slice(from, to).reduce((size, dim) => size * dim, 1)
    const inner = output.dims.slice(to).reduce((size, dim) => size * dim, 1)
    const round = rounderOf(output.type)
    for (let group = 0; group * length < data.length; group++) {
      const start = Math.floor(group / inner) * length * inner + (group % inner)
      const end = start + length * inner
      let largest = -Infinity
      for (let i = start; i < end; i += inner) largest = Math.max(largest, data[i])
      let total = 0
      for (let i = start; i < end; i += inner) total += Math.exp(data[i] - largest)
      for (let i = start; i < end; i += inner) target.data[i] = round(rule(data[i], largest, total))
    }
    return [target]
  }
}

export const softmaxes: readonly Operator[] = [
  {
    op: 'Softmax',
    bound: softmaxRules.Softmax,
    infer: inferSoftmax,
    fold: foldGroups((x, largest, total) => Math.exp(x - largest) / total),
  },
  {
    op: 'LogSoftmax',
    bound: softmaxRules.LogSoftmax,
    infer: inferSoftmax,
    fold: foldGroups((x, largest, total) => x - largest - Math.log(total)),
  },
  { op: 'Hardmax', bound: decides, infer: inferSoftmax },
]
