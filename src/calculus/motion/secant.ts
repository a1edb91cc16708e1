import type { NormName } from '../../core/norm-name.ts'
import { sumDepth, unitRoundoff } from '../../linalg/rounding-error.ts'
import type { Network } from '../network.ts'
import { encloseAt } from './enclosure.ts'

/** What computing a length and a quotient of a few million terms loses in proportion, with room. */
function lengthError(terms: number): number {
  return 4 * sumDepth(terms) * unitRoundoff
}

/** How the sizes of elements join to a norm; ℓ2 of numbers around 1. */
const joins: Readonly<Record<NormName, (sizes: Float64Array) => number>> = {
  l2: (sizes) => Math.sqrt(sizes.reduce((sum, x) => sum + x * x, 0)),
  linf: (sizes) => sizes.reduce((most, x) => Math.max(most, x), 0),
  l1: (sizes) => sizes.reduce((sum, x) => sum + x, 0),
}

/** Without overflow and underflow; Infinity where an element is. */
function lengthIn(norm: NormName, sizes: Float64Array): number {
  const largest = sizes.reduce((most, x) => Math.max(most, x), 0)
  if (!(largest > 0 && largest < Infinity)) return largest
  return largest * joins[norm](sizes.map((x) => x / largest))
}

/** Lower bounds of a quotient: of all outputs together, and of each. */
export interface Secant {
  readonly joint: number
  readonly outputs: readonly number[]
}

/**
 * Lower bounds of |f(x) − f(y)| / |x − y| in the norm, by enclosures: each element of the difference by what it is at least
 * in size, the distance by what it is at most. 0 where nothing is proven to move. Throws as `encloseAt`.
 */
export function secantBelow(
  network: Network,
  x: readonly Float64Array[],
  y: readonly Float64Array[],
  norm: NormName,
): Secant {
  const apart = joined(x.map((part, i) => part.map((from, k) => Math.abs(y[i][k] - from))))
  const far = lengthIn(norm, apart)
  if (!(far > 0 && far < Infinity)) return { joint: 0, outputs: network.outputs.map(() => 0) }
  const sizes = encloseAt(network, x, y).map(({ value, change, blur }) =>
    change === null
      ? new Float64Array(value.length)
      : change.map((c, k) => Math.max(0, Math.abs(c) - blur![k])),
  )
  const quotient = (moved: Float64Array) => {
    const near = lengthIn(norm, moved)
    const proven = (near / far) * (1 - lengthError(moved.length + apart.length))
    return Number.isFinite(proven) ? Math.max(0, proven) : 0
  }
  return { joint: quotient(joined(sizes)), outputs: sizes.map(quotient) }
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
