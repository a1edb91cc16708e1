import type { ElementType, Shape } from '../../core/tensor.ts'
import type { FoldingContext, InferenceContext, Operand, ValueInfo } from '../operand.ts'

/** Nothing known. */
export const unknownInfo: ValueInfo = { type: null, shape: null }

export function infoOf(type: ElementType | null, shape: Shape | null): ValueInfo {
  return { type, shape }
}

/** Input i, which the operator requires. */
export function requiredInput(context: Pick<InferenceContext, 'input' | 'fail'>, i: number): Operand {
  return context.input(i) ?? context.fail(`input ${i} is missing`)
}

/** Shape of input i, with its rank checked where it is known. */
export function shapeOfRank(context: InferenceContext, i: number, rank: number): Shape | null {
  const { shape } = requiredInput(context, i)
  if (shape !== null && shape.length !== rank) {
    context.fail(`input ${i} must be of rank ${rank}, it is of rank ${shape.length}`)
  }
  return shape
}

/** The one output has the type and shape of the first input. */
export function likeFirstInput(context: InferenceContext): ValueInfo[] {
  const { type, shape } = requiredInput(context, 0)
  return [infoOf(type, shape)]
}

/** The type that the given inputs share; fails where two that are known differ. */
export function commonType(context: InferenceContext, indices: readonly number[]): ElementType | null {
  let common: ElementType | null = null
  for (const i of indices) {
    const type = context.input(i)?.type ?? null
    if (type !== null && common !== null && type !== common) {
      context.fail(`inputs of types ${common} and ${type} where one type is expected`)
    }
    common ??= type
  }
  return common
}

/** Indices of all inputs of a variadic operator. */
export function allInputs(context: { readonly node: { readonly inputs: readonly unknown[] } }): number[] {
  return context.node.inputs.map((_, i) => i)
}

/** Type and dims of output i, for folding; null where a dimension is not known. */
export function knownOutput(
  context: FoldingContext,
  i = 0,
): { readonly type: ElementType; readonly dims: readonly number[] } | null {
  const { type, shape } = context.outputs[i]
  if (type === null || shape === null || shape.includes(null)) return null
  return { type, dims: shape as readonly number[] }
}

/** Input i as a tensor in memory, which folding requires. */
export function requiredTensor(context: FoldingContext, i: number) {
  return context.inputs[i] ?? context.fail(`input ${i} is missing`)
}

/** Largest rank that a tensor may have: what the standard's own shape inference accepts. */
const maxRank = 1024

/** All dims unknown, as many as the 1-D operand that will hold them has entries; null when that is unknown. */
export function unknownDims(context: Pick<InferenceContext, 'fail'>, entries: Operand): Shape | null {
  if (entries.shape === null) return null
  if (entries.shape.length !== 1)
    context.fail(`a shape must be of rank 1, it is of rank ${entries.shape.length}`)
  const rank = entries.shape[0]
  if (rank === null) return null
  if (rank > maxRank) context.fail(`a shape of ${rank} dimensions is beyond the limit of ${maxRank}`)
  return new Array<null>(rank).fill(null)
}
