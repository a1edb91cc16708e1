import type { NormName } from '../../core/norm-name.ts'
import { floatAttribute } from '../../graph/attribute.ts'
import type { BoundOperand, BoundRule } from '../bound.ts'
import { elementsOf } from './constant.ts'
import { interval, up } from './interval.ts'
import { isFixed, through } from './join.ts'
import { inEvery } from './norms.ts'

/**
 * Rotary embedding: pairs of elements (x, y) become (c·x − s·y, s·x + c·y), which stretches by √(c² + s²): 1 where c and s
 * are cosine and sine of one angle. Elements that are not rotated pass.
 */

/** The largest √(c² + s²) of constant tables, at least 1; null where they are not constant or do not fit. */
export function rotationGain(cosines: BoundOperand | null, sines: BoundOperand | null): number | null {
  const [c, s] = [elementsOf(cosines), elementsOf(sines)]
  if (c === null || s === null || c.length !== s.length) return null
  let largest = 1
  for (let i = 0; i < c.length; i++) largest = Math.max(largest, c[i] * c[i] + s[i] * s[i])
  return Number.isNaN(largest) ? null : up(up(Math.sqrt(largest)))
}

/** The largest |c| + |s|, at least 1: what rows and columns of the rotation sum to. */
function rotationSum(cosines: BoundOperand | null, sines: BoundOperand | null): number {
  const [c, s] = [elementsOf(cosines), elementsOf(sines)]
  let largest = 1
  for (let i = 0; i < (c?.length ?? 0); i++)
    largest = Math.max(largest, Math.abs(c?.[i] ?? Number.NaN) + Math.abs(s?.[i] ?? Number.NaN))
  return up(largest)
}

/** By how much changes grow in a norm; null where the tables are not constant. */
export function rotationIn(
  norm: NormName,
  cosines: BoundOperand | null,
  sines: BoundOperand | null,
): number | null {
  const length = rotationGain(cosines, sines)
  return length === null || norm === 'l2' ? length : rotationSum(cosines, sines)
}

/** Data first; the tables at two inputs, positions at a third. */
function rotation(cosines: number, sines: number, positions: number): BoundRule {
  return inEvery((context, norm) => {
    const x = context.input(0)
    const gain = rotationGain(context.input(cosines), context.input(sines))
    const at = context.input(positions)
    if (x === null || gain === null || floatAttribute(context.node, 'scale', 1) !== 1)
      return [context.refuse('rotates by tables that are not constant')]
    if (at !== null && !isFixed(at))
      return [context.refuse('rotates by positions that are computed from data')]
    const length = up(gain * x.norm)
    // |c·x − s·y| ≤ √(c² + s²)·√(x² + y²)
    const reach = up(gain * Math.SQRT2 * Math.max(Math.abs(x.range.lo), Math.abs(x.range.hi)))
    const own = rotationIn(norm, context.input(cosines), context.input(sines)) ?? gain
    return [through(x, own, interval(-reach, reach), length)]
  })
}

export const rotationRules = {
  RotaryEmbedding: rotation(1, 2, 3),
  /** The same with the positions before the tables. */
  MicrosoftRotaryEmbedding: rotation(2, 3, 1),
} satisfies Record<string, BoundRule>
