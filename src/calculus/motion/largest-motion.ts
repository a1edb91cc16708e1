import type { Motion } from './motion.ts'

/**
 * Maxima of runs of places. Exactly, the largest is at least L = max(value − doubt), and an element may be it where
 * value + doubt ≥ L. With p largest at x and q at y: Δq ≥ max(y) − max(x) ≥ Δp, so that the change lies between the least
 * change of those that may be largest at x and the greatest of those that may be it at y.
 */
export function largestMotion(x: Motion, dims: readonly number[], places: Int32Array, taps: number): Motion {
  const { value, change, blur } = x
  const size = places.length / taps
  const out = { value: new Float64Array(size).fill(-Infinity), doubt: new Float64Array(size) }
  const moved = change && { change: new Float64Array(size), blur: new Float64Array(size) }
  for (let i = 0; i < size; i++) {
    const run = places.subarray(i * taps, (i + 1) * taps).filter((at) => at >= 0 && value[at] !== -Infinity)
    if (run.length === 0) continue
    const over = (of: (at: number) => number) => run.reduce((most, at) => Math.max(most, of(at)), -Infinity)
    const [most, least, top] = [over((at) => value[at]), over((at) => low(x, at)), over((at) => high(x, at))]
    out.value[i] = most
    out.doubt[i] = widened(Math.max(most - least, top - most), most)
    if (moved === null) continue
    const later = over((at) => lowLater(x, at))
    let [lo, hi] = [Infinity, -Infinity]
    for (const at of run) {
      if (high(x, at) >= least) lo = Math.min(lo, change![at] - blur![at])
      if (highLater(x, at) >= later) hi = Math.max(hi, change![at] + blur![at])
    }
    const middle = lo + (hi - lo) / 2
    moved.change[i] = middle
    moved.blur[i] = widened(
      Math.max(Math.abs(hi - middle), Math.abs(middle - lo)),
      Math.abs(lo) + Math.abs(hi),
    )
  }
  return { dims, ...out, change: moved?.change ?? null, blur: moved?.blur ?? null }
}

/** More than the few roundings of a sum of terms of that size. */
const slack = (size: number) => 2 ** -49 * Math.abs(size) + 2 ** -1000

const widened = (error: number, size: number) => error + slack(size) + slack(error)

function low({ value, doubt }: Motion, at: number): number {
  return doubt[at] === 0 ? value[at] : value[at] - doubt[at] - slack(Math.abs(value[at]) + doubt[at])
}

function high({ value, doubt }: Motion, at: number): number {
  return doubt[at] === 0 ? value[at] : value[at] + doubt[at] + slack(Math.abs(value[at]) + doubt[at])
}

const sizeLater = ({ value, doubt, change, blur }: Motion, at: number) =>
  Math.abs(value[at]) + doubt[at] + Math.abs(change![at]) + blur![at]

const lowLater = (x: Motion, at: number) =>
  x.value[at] - x.doubt[at] + (x.change![at] - x.blur![at]) - slack(sizeLater(x, at))

const highLater = (x: Motion, at: number) =>
  x.value[at] + x.doubt[at] + (x.change![at] + x.blur![at]) + slack(sizeLater(x, at))
