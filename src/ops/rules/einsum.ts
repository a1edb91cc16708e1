import * as mag from '../../core/magnitude.ts'
import { addUp, mulUp, sqrtUp } from '../../core/rounding.ts'
import { sizeOf } from '../../core/tensor.ts'
import { stringAttribute } from '../../graph/attribute.ts'
import { type BoundContext, type BoundOperand, type BoundRule, everything, type NormRule } from '../bound.ts'
import { ellipsis, type Labels, parseEquation } from '../numeric/einsum-equation.ts'
import { operandsOf } from './broadcast.ts'
import { elementsOf, rangeOf } from './constant.ts'
import { farthest } from './interval.ts'
import { added, addedIn, isFixed, type Part, through } from './join.ts'
import { bilinear } from './linear.ts'
import { inNorms } from './norms.ts'
import { overReals } from './reals.ts'

/**
 * Contractions. Of one operand: permuted, its diagonals taken (both 1), and summed over n elements: √n. Of several, pair by pair: for each
 * value of the labels that both operands and the rest share, a product of matrices, whose Frobenius norm is at most the product
 * of theirs: |ΔC| ≤ Σᵢ |ΔAᵢ|·∏ⱼ≠ᵢ ‖Aⱼ‖_F, times √n for labels that are summed within one operand. Of two operands ‖A‖_F is that of
 * one element of the labels that both share with the result.
 */

/** One operand: the sizes of its labels, those of size 1 left out. */
type Sizes = ReadonlyMap<string, number>

/** Sizes by label, with a label of its own for each axis that an ellipsis covers, counted from the end; null where one is not known. */
function sizesOf(labels: Labels, { shape }: BoundOperand): Sizes | null {
  if (shape === null) return null
  const covered = shape.length - labels.length + 1
  const spread = labels.flatMap((label) =>
    label === ellipsis ? Array.from({ length: covered }, (_, i) => `${ellipsis}${covered - i}`) : [label],
  )
  const sizes = new Map<string, number>()
  for (const [axis, label] of spread.entries()) {
    const dim = shape[axis]
    if (dim === null || dim === undefined) return null
    if (dim !== 1) sizes.set(label, dim)
  }
  return sizes
}

const productOf = (sizes: Iterable<number>) => [...sizes].reduce((product, size) => product * size, 1)

/** ‖A‖_F over all elements, or over those for one value of labels of `batch` values; null where nothing is known. */
function lengthOf(operand: BoundOperand, batch: number): number {
  const elements = elementsOf(operand)
  const size = operand.shape === null ? null : sizeOf(operand.shape)
  const one = size === null ? Infinity : mulUp(sqrtUp(Math.ceil(size / batch)), farthest(operand.range))
  if (elements === null || Math.min(operand.norm, one) < Infinity) return Math.min(operand.norm, one)
  let sum = 0
  for (const element of elements) sum = addUp(sum, mulUp(element, element))
  return sqrtUp(sum)
}

const einsum: BoundRule = (context: BoundContext) => {
  const operands = operandsOf(context)
  const varying = operands.filter((operand) => !isFixed(operand))
  if (varying.length === 0) return [context.refuse('has no data')]
  const norm = varying.length === 1 ? context.layerNorm() : null
  if (norm !== null)
    return [through(varying[0], norm, everything, mulUp(mag.toNumber(norm.value), varying[0].norm))]
  const equation = parseEquation(context, stringAttribute(context.node, 'equation', ''))
  const sizes = operands.map((operand, i) => sizesOf(equation.inputs[i], operand))
  const known = sizes.filter((labels) => labels !== null)
  if (known.length < operands.length)
    return [context.refuse('contracts axes of a size that is not known; give --input-shape')]
  const kept = (label: string) =>
    equation.output.includes(label) || (label.startsWith(ellipsis) && equation.output.includes(ellipsis))
  const batch =
    known.length === 2
      ? productOf(
          [...known[0]].flatMap(([label, size]) => (known[1].has(label) && kept(label) ? [size] : [])),
        )
      : 1
  const lengths = operands.map((operand) => lengthOf(operand, Math.max(1, batch)))
  // sums within one operand
  const summed = known.map((labels, i) =>
    sqrtUp(
      productOf(
        [...labels].flatMap(([label, size]) =>
          kept(label) || known.some((others, j) => j !== i && others.has(label)) ? [] : [size],
        ),
      ),
    ),
  )
  const whole = summed.reduce(mulUp)
  const parts: Part[] = []
  for (const [i, bound] of operands.entries()) {
    if (isFixed(bound)) continue
    const gain = lengths.reduce((product, length, j) => (j === i ? product : mulUp(product, length)), whole)
    if (!(gain < Infinity)) return [context.refuse(bilinear)]
    parts.push({ bound, gain })
  }
  return [added(parts, everything)]
}

/**
 * In ℓ∞ and ℓ1: each element of the result is a sum over the labels that it does not have, of products of one element of every operand:
 * |Δᵢ| counts ∏ sup|Aⱼ| times as many terms as one sum has (ℓ∞), or as one element of Aᵢ stands in (ℓ1).
 */
const einsumIn: NormRule = (context, norm) => {
  const operands = operandsOf(context)
  const varying = operands.filter((operand) => !isFixed(operand))
  if (varying.length === 0) return [context.refuse('has no data')]
  const layer = varying.length === 1 ? context.layerNorm() : null
  if (layer !== null) return [through(varying[0], layer, everything)]
  const equation = parseEquation(context, stringAttribute(context.node, 'equation', ''))
  const sizes = operands.map((operand, i) => sizesOf(equation.inputs[i], operand))
  const known = sizes.filter((labels) => labels !== null)
  if (known.length < operands.length)
    return [context.refuse('contracts axes of a size that is not known; give --input-shape')]
  const all = new Map(known.flatMap((labels) => [...labels]))
  const kept = (label: string) =>
    equation.output.includes(label) || (label.startsWith(ellipsis) && equation.output.includes(ellipsis))
  const terms = (isFree: (label: string) => boolean) =>
    productOf([...all].flatMap(([label, size]) => (isFree(label) ? [size] : [])))
  const parts: Part[] = []
  for (const [i, bound] of operands.entries()) {
    if (isFixed(bound)) continue
    const count = norm === 'linf' ? terms((label) => !kept(label)) : terms((label) => !known[i].has(label))
    const gain = operands.reduce(
      (product, other, j) => (j === i ? product : mulUp(product, largestOf(other))),
      count,
    )
    if (!(gain < Infinity)) return [context.refuse(bilinear)]
    parts.push({ bound, gain })
  }
  return [addedIn(norm, parts, everything)]
}

/** sup |x|, also of constants that are too large for the walk to have looked at. */
function largestOf(operand: BoundOperand): number {
  const elements = farthest(operand.range) < Infinity ? null : elementsOf(operand)
  const range = elements === null ? null : rangeOf(elements)
  return farthest(range ?? operand.range)
}

export const einsumRules = { Einsum: overReals(inNorms(einsum, einsumIn)) } satisfies Record<
  string,
  BoundRule
>
