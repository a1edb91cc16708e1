import { addUp, mulUp, sqrtUp } from '../../core/rounding.ts'
import type { Shape } from '../../core/tensor.ts'
import type { Box } from '../bound.ts'
import { countOf, placesIn } from '../boxes/box.ts'

/**
 * How much single parts of a tensor vary. `dims` has the tensor's rank; elements with the same place along the axes where it
 * is not 1 are one part (a channel, say), and |Δpart|₂ ≤ lipschitz·|Δinputs|₂ + offset for each of them. By Minkowski's
 * inequality the tensor itself varies by the roots of the sums of squares at most.
 */
export interface Spread {
  readonly dims: readonly number[]
  readonly lipschitz: Float64Array
  readonly offset: Float64Array
}

export function emptySpread(dims: readonly number[]): Spread {
  const count = countOf(dims)
  return { dims, lipschitz: new Float64Array(count), offset: new Float64Array(count) }
}

/** Each part multiplied by its gain. */
export function grownSpread({ dims, lipschitz, offset }: Spread, gainAt: (part: number) => number): Spread {
  const gains = lipschitz.map((_, part) => gainAt(part))
  return {
    dims,
    lipschitz: lipschitz.map((value, part) => mulUp(value, gains[part])),
    offset: offset.map((value, part) => mulUp(value, gains[part])),
  }
}

/** √Σ aᵢ², rounded up: each of n roundings adds half a unit at most; scaled, so that squares neither overflow nor vanish. */
export function lengthUp(values: Float64Array): number {
  const largest = values.reduce((most, value) => Math.max(most, value), 0)
  if (largest === 0 || !(largest < Infinity)) return largest
  let sum = 0
  for (const value of values) sum += (value / largest) ** 2
  return mulUp(largest, sqrtUp(sum * (1 + (values.length + 8) * 2 ** -51)))
}

/** Joins all parts that differ along axes where `dims` is 1: |Δ|² is the sum of theirs. */
export function joinedTo(spread: Spread, dims: readonly number[]): Spread {
  const target = spread.dims.map((dim, axis) => (dims[axis] === 1 ? 1 : dim))
  if (target.every((dim, axis) => dim === spread.dims[axis])) return spread
  const places = placesIn(target, spread.dims)
  const join = (values: Float64Array) => {
    const groups: number[][] = Array.from({ length: countOf(target) }, () => [])
    for (const [part, at] of places.entries()) groups[at].push(values[part])
    return Float64Array.from(groups, (group) => lengthUp(Float64Array.from(group)))
  }
  return { dims: target, lipschitz: join(spread.lipschitz), offset: join(spread.offset) }
}

/** How many elements each part has; null where a size is not known. */
export function elementsOfPart(dims: readonly number[], shape: Shape): number | null {
  let count = 1
  for (const [axis, dim] of dims.entries()) {
    if (dim !== 1) continue
    const size = shape[axis]
    if (size === null) return null
    count *= size
  }
  return count
}

/** Parts as a box, for rules that only move intervals, and back. */
export function boxOfSpread({ dims, lipschitz, offset }: Spread): Box {
  return { dims, lo: offset, hi: lipschitz }
}

export function spreadOfBox({ dims, lo, hi }: Box): Spread {
  return { dims, lipschitz: hi, offset: lo }
}

/** Σ of what operands contribute to each part; each is laid out over the parts by its positions. */
export function summedSpreads(
  dims: readonly number[],
  operands: readonly { readonly spread: Spread; readonly gainAt: (part: number) => number }[],
): Spread {
  const result = emptySpread(dims)
  for (const { spread, gainAt } of operands) {
    const places = placesIn(spread.dims, dims)
    for (let part = 0; part < places.length; part++) {
      const gain = gainAt(part)
      const at = places[part]
      result.lipschitz[part] = addUp(result.lipschitz[part], mulUp(spread.lipschitz[at], gain))
      result.offset[part] = addUp(result.offset[part], mulUp(spread.offset[at], gain))
    }
  }
  return result
}

/** Each element of a tensor of that shape rounded by ½ at most, twice; null where a size is not known. */
export function roundedSpread(spread: Spread, shape: Shape): Spread | null {
  const count = elementsOfPart(spread.dims, shape)
  if (count === null) return null
  return { ...spread, offset: spread.offset.map((value) => addUp(value, sqrtUp(count))) }
}
