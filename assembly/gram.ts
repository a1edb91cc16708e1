import { packPanels, rankUpdate } from './rank-update'

/** Columns that are packed at a time: a panel of four rows takes 8 KB. */
const DEPTH: i32 = 256

/**
 * Lower triangle of gram (order × order float64, zero on entry) = S Sᵀ, where element (i, k) of S (order × length,
 * type T) stands at a + (i·rowStride + k·columnStride)·sizeof<T>. `packed` has room for (order + 3)·256 float64.
 */
// @ts-ignore: decorator
@inline
function gram<T>(a: usize, order: i32, length: i32, rowStride: i32, columnStride: i32, out: usize, packed: usize): void {
  for (let from = 0; from < length; from += DEPTH) {
    const depth = min(DEPTH, length - from)
    packPanels<T>(a, <usize>rowStride, <usize>columnStride, 0, order, from, depth, packed)
    rankUpdate(out, order, 0, order, packed, depth, 1)
  }
}

export function gramF32(a: usize, order: i32, length: i32, rowStride: i32, columnStride: i32, out: usize, packed: usize): void {
  gram<f32>(a, order, length, rowStride, columnStride, out, packed)
}

export function gramF64(a: usize, order: i32, length: i32, rowStride: i32, columnStride: i32, out: usize, packed: usize): void {
  gram<f64>(a, order, length, rowStride, columnStride, out, packed)
}
