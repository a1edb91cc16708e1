import type { Magnitude } from '../../core/magnitude.ts'
import * as mag from '../../core/magnitude.ts'
import type { NormName } from '../../core/norm-name.ts'
import { type Dim, type Shape, sizeOf } from '../../core/tensor.ts'
import type { BoundContext, BoundOperand } from '../bound.ts'
import { repeated } from './norms.ts'

/**
 * Broadcasting repeats elements: an operand whose every element appears m times in the output enters with √m,
 * because |Δout|² = m·|Δoperand|². Forgetting it makes a bound too small.
 */

/**
 * The largest number of times that an element of `shape` appears when it is broadcast to `output`, against the
 * other operands' shapes. Null where it is not known; never less than the true number.
 */
export function copies(
  shape: Shape | null,
  others: readonly (Shape | null)[],
  output: Shape | null,
): number | null {
  if (shape === null) return others.every((other) => other?.every((dim) => dim === 1)) ? 1 : null
  if (output === null) return null
  let count = 1
  for (let fromEnd = 1; fromEnd <= output.length; fromEnd++) {
    const own = dimAt(shape, fromEnd)
    if (own !== null && own !== 1) continue
    if (others.every((other) => other !== null && dimAt(other, fromEnd) === 1)) continue
    const target = dimAt(output, fromEnd)
    if (target === null) return null
    count *= target
  }
  return count
}

function dimAt(shape: Shape, fromEnd: number): Dim {
  return fromEnd > shape.length ? 1 : shape[shape.length - fromEnd]
}

/** By how much the elements of `to` outnumber those of `from`, rounded up; null where a size is not known. */
export function growth(from: Shape | null, to: Shape | null): number | null {
  const [before, after] = [from && sizeOf(from), to && sizeOf(to)]
  if (before === null || after === null) return null
  return before === 0 ? 0 : Math.ceil(after / before)
}

/** √copies of each operand of an elementwise node, rounded up; null where a number of copies is not known. */
export function broadcastGains(
  context: BoundContext,
  operands: readonly BoundOperand[],
): (Magnitude | null)[] {
  return broadcastCounts(context, operands).map((count) => (count === null ? null : rootOf(count)))
}

/** Copies of each operand of an elementwise node at most; null where their number is not known. */
export function broadcastCounts(context: BoundContext, operands: readonly BoundOperand[]): (number | null)[] {
  const output = context.output(0)?.shape ?? null
  // before version 7 shapes were aligned by an attribute
  const numpy = context.node.domain !== '' || context.node.version >= 7
  const othersOf = (i: number) => operands.filter((_, j) => j !== i).map((other) => other.shape)
  return operands.map(
    ({ shape }, i) => growth(shape, output) ?? (numpy ? copies(shape, othersOf(i), output) : null),
  )
}

/** How much an element counts that appears so often: √count in ℓ2, once in ℓ∞, every time in ℓ1. */
export function countedIn(norm: NormName, count: number): Magnitude {
  return norm === 'l2' ? rootOf(count) : mag.magnitude(repeated[norm](count))
}

export function rootOf(count: number): Magnitude {
  return mag.squareRoot(mag.magnitude(count))
}

/** 1/√count, rounded up. */
export function inverseRootOf(count: number): Magnitude {
  return mag.squareRoot(mag.divide(mag.one, mag.magnitude(count)))
}

export const unknownCopies =
  'repeats elements by broadcasting, how often is not known because a size is not known; give --input-shape'

/** The operands of a variadic node that are there. */
export function operandsOf(context: BoundContext): BoundOperand[] {
  return Array.from({ length: context.inputCount }, (_, i) => context.input(i)).filter(
    (operand) => operand !== null,
  )
}
