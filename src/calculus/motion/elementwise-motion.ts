import type { SecantsOf } from '../../ops/algebra.ts'
import { type Motion, rounded, roundingOf } from './motion.ts'

/** What functions of the standard library, and short formulas of them, lose of values of that size. */
const functionError = 2 ** -44
/** A few roundings of the argument. */
const argumentError = 2 ** -50

/**
 * f of each element, its secants given: over [x ± doubt] they carry the doubt, over the hull of both points the change.
 * |f(x) − fl f(x)| ≤ 2⁻⁴⁴(|f| + min(|x|, 1)) + 2⁻⁵⁰|slope·x| covers what float64 makes of f, unless it makes no error.
 */
export function slopedMotion(
  { dims, value, doubt, change, blur }: Motion,
  images: ArrayLike<number>,
  secants: SecantsOf,
  isExact: boolean,
): Motion {
  const size = value.length
  const own = { value: Float64Array.from(images), doubt: new Float64Array(size) }
  const moved = change && { change: new Float64Array(size), blur: new Float64Array(size) }
  for (let i = 0; i < size; i++) {
    const [x, d] = [value[i], doubt[i]]
    // a masked element stays masked
    if (!Number.isFinite(x) && d === 0) continue
    const slack = 2 * (roundingOf(x) + roundingOf(d))
    const [lo, hi] = [x - d - slack, x + d + slack]
    const near = secants({ lo, hi })
    const steepest = Math.max(Math.abs(near.lo), Math.abs(near.hi))
    const image = isExact
      ? 0
      : functionError * (Math.abs(images[i]) + Math.min(Math.abs(x), 1)) +
        argumentError * Math.abs(x) * steepest
    own.doubt[i] = d === 0 && image === 0 ? 0 : rounded((d === 0 ? 0 : steepest * d) + image)
    if (moved === null) continue
    const [c, b] = [change![i], blur![i]]
    if (c === 0 && b === 0) continue
    const far = (Math.abs(c) + b) * (1 + 2 ** -50)
    const over = secants({ lo: lo - (c < b ? far : 0), hi: hi + (c > -b ? far : 0) })
    const middle = over.lo + (over.hi - over.lo) / 2
    const half = Math.max(over.hi - middle, middle - over.lo)
    const steep = Math.max(Math.abs(over.lo), Math.abs(over.hi))
    moved.change[i] = middle * c
    moved.blur[i] = rounded(steep * b + half * Math.abs(c) + roundingOf(steep * c))
  }
  return { dims, ...own, change: moved?.change ?? null, blur: moved?.blur ?? null }
}
