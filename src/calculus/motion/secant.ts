import { sumDepth, unitRoundoff } from '../../linalg/rounding-error.ts'
import type { Network } from '../network.ts'
import { encloseAt } from './enclosure.ts'

/** What computing a length and a quotient of a few million terms loses in proportion, with room. */
function lengthError(terms: number): number {
  return 4 * sumDepth(terms) * unitRoundoff
}

/**
 * A lower bound of |f(x) − f(y)|₂ / |x − y|₂ by enclosures: each element of the difference by what it is at least in size,
 * the distance by what it is at most. 0 where nothing is proven to move, or the points are equal. Throws as `encloseAt`.
 */
export function secantBelow(
  network: Network,
  x: readonly Float64Array[],
  y: readonly Float64Array[],
): number {
  let [far, near, count] = [0, 0, 0]
  // no overflow, no underflow
  const scale = Math.max(
    ...x.map((part, i) => part.reduce((most, e, k) => Math.max(most, Math.abs(e - y[i][k])), 0)),
  )
  if (!(scale > 0 && scale < Infinity)) return 0
  x.forEach((part, i) => {
    for (let k = 0; k < part.length; k++) far += ((y[i][k] - part[k]) / scale) ** 2
    count += part.length
  })
  const moved = encloseAt(network, x, y)
  const sizes = moved.map(({ change, blur }) =>
    change === null ? new Float64Array(0) : change.map((c, k) => Math.max(0, Math.abs(c) - blur![k])),
  )
  const largest = Math.max(...sizes.map((part) => part.reduce((most, size) => Math.max(most, size), 0)))
  if (!(largest > 0 && largest < Infinity)) return 0
  for (const part of sizes) {
    for (const size of part) near += (size / largest) ** 2
    count += part.length
  }
  const quotient = (largest / scale) * Math.sqrt(near / far)
  const proven = quotient * (1 - lengthError(count))
  return Number.isFinite(proven) ? Math.max(0, proven) : 0
}
