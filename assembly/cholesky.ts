import { packPanels, rankUpdate } from './rank-update'

/** Columns that are factorised before the rest is updated. */
const BLOCK: i32 = 48

// @ts-ignore: decorator
@inline
function dot(x: usize, y: usize, length: i32): f64 {
  let even = f64x2.splat(0)
  let odd = f64x2.splat(0)
  const blockEnd = x + (<usize>(length & ~3) << 3)
  const end = x + (<usize>length << 3)
  while (x < blockEnd) {
    even = f64x2.add(even, f64x2.mul(v128.load(x), v128.load(y)))
    odd = f64x2.add(odd, f64x2.mul(v128.load(x, 16), v128.load(y, 16)))
    x += 32
    y += 32
  }
  const pair = f64x2.add(even, odd)
  let sum = f64x2.extract_lane(pair, 0) + f64x2.extract_lane(pair, 1)
  while (x < end) {
    sum += load<f64>(x) * load<f64>(y)
    x += 8
    y += 8
  }
  return sum
}

/**
 * Overwrites the lower triangle of c (order × order float64, row-major) with its Cholesky factor, block column by
 * block column. False as soon as a pivot is not positive. `packed` has room for (order + 3)·48 float64.
 */
export function cholesky(c: usize, order: i32, packed: usize): bool {
  return eliminate(c, order, order, packed)
}

/** The first `count` columns of the factor; what is left of the lower triangle is the Schur complement. */
export function eliminate(c: usize, order: i32, count: i32, packed: usize): bool {
  const pitch: usize = <usize>order << 3
  for (let from = 0; from < count; from += BLOCK) {
    const to = min(from + BLOCK, count)
    const corner: usize = <usize>from << 3
    for (let i = from; i < order; i++) {
      const row = c + <usize>i * pitch + corner
      const end = min(i, to)
      for (let j = from; j < end; j++) {
        const other = c + <usize>j * pitch + corner
        const at = c + <usize>i * pitch + (<usize>j << 3)
        store<f64>(at, (load<f64>(at) - dot(row, other, j - from)) / load<f64>(c + <usize>j * pitch + (<usize>j << 3)))
      }
      if (i < to) {
        const at = c + <usize>i * pitch + (<usize>i << 3)
        const pivot = load<f64>(at) - dot(row, row, i - from)
        if (!(pivot > 0)) return false
        store<f64>(at, Math.sqrt(pivot))
      }
    }
    if (to < order) {
      packPanels<f64>(c, <usize>order, 1, to, order, from, to - from, packed)
      rankUpdate(c, order, to, order, packed, to - from, -1)
    }
  }
  return true
}
