import * as term from '../../core/term.ts'
import { intAttribute } from '../../graph/attribute.ts'
import type { BoundContext, BoundOperand, TensorBound } from '../bound.ts'
import { hull, intersection } from './interval.ts'
import { isFixed, stacked } from './join.ts'
import type { Progression, Region } from './region.ts'
import { cutFrom } from './share.ts'
import { sourceOf } from './source.ts'

/**
 * The bound of a part of input 0 where that is a concatenation: a part that holds elements of some operands alone varies
 * no more than they do side by side. `bound` itself where this says no more.
 */
function partOfConcatenation(context: BoundContext, bound: TensorBound, region: Region | null): TensorBound {
  const input = context.input(0)
  const others = Array.from({ length: context.inputCount }, (_, i) => (i === 0 ? null : context.input(i)))
  // a refusal is that of the data where nothing else varies
  const isCut =
    bound.refusal === null ||
    (input?.refusal != null && others.every((operand) => operand === null || isFixed(operand)))
  // where nodes read otherwise than values are, operands are not what was put side by side
  if (input === null || region === null || !isCut || context.origin(0) === null) return bound
  const operands = operandsBehind(context, input, region)
  if (operands === null) return bound
  const range = operands.map((operand) => operand.range).reduce(hull)
  const own = stacked(
    operands.map((operand) => ({ bound: operand, gain: 1 })),
    intersection(bound.range, range),
    bound.norm,
  )
  if (own.refusal !== null) return bound
  if (bound.refusal === null && term.minimum(bound.lipschitz, own.lipschitz) === bound.lipschitz) return bound
  // what the cut itself says of the tensor holds as before
  const of = { lipschitz: own.lipschitz, offset: own.offset }
  return own.share == null && bound.share ? { ...own, share: { ...bound.share, of } } : own
}

/** The operands of a concatenation that the part holds elements of; null where there is none, or it holds some of all. */
function operandsBehind(
  context: BoundContext,
  input: BoundOperand,
  region: Region,
): readonly BoundOperand[] | null {
  const node = sourceOf(input.operand.value).producer
  if (node?.op !== 'Concat' || node.domain !== '' || input.shape === null) return null
  const given = intAttribute(node, 'axis', 1)
  const axis = given < 0 ? given + input.shape.length : given
  const cut = region[axis] ?? null
  if (cut === null || cut.count === 0) return null
  const [first, last] = endsOf(cut)
  const operands: BoundOperand[] = []
  let start = 0
  for (const value of node.inputs) {
    const operand = value && context.operandOf(value)
    const size = operand?.shape?.[axis] ?? null
    if (operand === null || size === null) return null
    if (first < start + size && last >= start) operands.push(operand)
    start += size
  }
  return operands.length > 0 && operands.length < node.inputs.length ? operands : null
}

function endsOf({ start, step, count }: Progression): readonly [number, number] {
  const end = start + (count - 1) * step
  return start <= end ? [start, end] : [end, start]
}

/** What `cutFrom` says of a part of input 0, or the operands that it comes from where input 0 is a concatenation. */
export function partOf(
  context: BoundContext,
  bound: TensorBound,
  region: Region | null,
  isPart = true,
): TensorBound {
  return partOfConcatenation(context, cutFrom(context, bound, region, isPart), region)
}
