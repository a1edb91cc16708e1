import type { NormName } from '../../core/norm-name.ts'
import { isFloatType } from '../../core/tensor.ts'
import type { Value } from '../../graph/graph.ts'
import type { BoundContext, TensorBound } from '../bound.ts'
import { dynamicProduct } from './dynamic-product.ts'
import { exponentialQuotient, logarithmOfSum } from './exponential.ts'
import { gatedProduct, gatedSlope } from './product.ts'
import { inverseLength, magnitudeOfSquares, rootOfSquares } from './root.ts'
import { deviation, shiftedProduct, standardised } from './standardised.ts'

/** Recognises what a node is the last operator of; the bound of its output, or null where it is nothing known. */
export type Form = (context: BoundContext) => TensorBound | null

/**
 * Functions that exporters take apart into operators, by the operator that they end with. Each form has a bound for
 * every value of its constants; a look-alike that fits none falls back to the rules of its operators. Nodes inside
 * a form keep their own bounds, for others that read them.
 */
const forms: ReadonlyMap<string, readonly Form[]> = new Map<string, readonly Form[]>([
  ['Mul', [gatedProduct, standardised, dynamicProduct]],
  ['Div', [exponentialQuotient, standardised, inverseLength]],
  ['Reciprocal', [exponentialQuotient, inverseLength]],
  ['Sub', [deviation]],
  ['Add', [shiftedProduct]],
  ['Log', [logarithmOfSum]],
  ['Sqrt', [magnitudeOfSquares, rootOfSquares]],
])

/**
 * Forms whose constants hold in every norm: functions of each element by itself, by their slopes, and Softmax, whose Jacobian's rows and
 * columns sum to ½ at most.
 */
const inEveryNorm: ReadonlySet<Form> = new Set([gatedProduct, exponentialQuotient, logarithmOfSum])

/**
 * The bound of the node's output as the end of a form; null where it ends none, or none that has a constant in the norm.
 */
export function formBound(context: BoundContext, norm: NormName = 'l2'): TensorBound | null {
  const type = context.output(0)?.type ?? null
  // on integers the same operators round and overflow
  if (context.node.domain !== '' || (type !== null && !isFloatType(type))) return null
  for (const form of forms.get(context.node.op) ?? []) {
    if (norm !== 'l2' && !inEveryNorm.has(form)) continue
    const bound = form(context)
    if (bound !== null && bound.refusal === null) return bound
  }
  return null
}

/** The value that the node's output is one function of, element by element, and that function's largest slope. */
export function gatedRoot(context: BoundContext): { readonly value: Value; readonly slope: number } | null {
  const { domain, op } = context.node
  return domain === '' && op === 'Mul' ? gatedSlope(context) : null
}
